import { type ServerResponse, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { HttpGetter } from "../../src/agent/orchestrator/http-get.js";

const open: { close: () => unknown }[] = [];
beforeEach(() => {
  // The limits are the test's own; the network takes the time that it takes.
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
});
afterEach(() => {
  vi.useRealTimers();
  for (const one of open.splice(0)) one.close();
});

test("a request has its whole time once it is sent, however many wait before it", async () => {
  const held: ServerResponse[] = [];
  const server = createServer((_request, response) => void held.push(response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const getter = new HttpGetter({}, {});
  open.push(getter, server);
  const url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/`;
  const answers = Promise.all(Array.from({ length: 64 }, () => getter.get(url, { timeoutMs: 2000 })));
  // Eight at a time, so that the last ones are sent after more than the limit of one.
  for (let round = 1; round <= 8; round++) {
    while (held.length < 8) await Promise.race([answers, nextTurn()]);
    vi.advanceTimersByTime(300);
    for (const response of held.splice(0)) response.end("OK");
  }
  expect((await answers).filter((one) => one.status === 200)).toHaveLength(64);
});

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
