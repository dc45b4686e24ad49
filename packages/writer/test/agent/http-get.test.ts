import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { HttpGetter } from "../../src/agent/orchestrator/http-get.js";

const open: { close: () => unknown }[] = [];
afterEach(() => {
  for (const one of open.splice(0)) one.close();
});

test("a request has its whole time once it is sent, however many wait before it", async () => {
  const server = createServer((_request, response) => {
    setTimeout(() => response.end("OK"), 300);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const getter = new HttpGetter({}, {});
  open.push(getter, server);
  const url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/`;
  // Eight at a time, so that the last ones are sent after more than the limit of one.
  const answers = await Promise.all(Array.from({ length: 64 }, () => getter.get(url, { timeoutMs: 2000 })));
  expect(answers.filter((one) => one.status === 200)).toHaveLength(64);
});
