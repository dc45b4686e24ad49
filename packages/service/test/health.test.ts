import type { AddressInfo } from "node:net";
import { Gauge, Registry } from "prom-client";
import { afterEach, describe, expect, test } from "vitest";
import { serveHealth } from "../src/index.js";

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

async function serve(state: { alive: boolean; ready: boolean }): Promise<string> {
  const registry = new Registry();
  new Gauge({ name: "seen", help: "set as readiness is asked for", registers: [registry] }).set(7);
  const health = () => ({ alive: state.alive, readiness: () => ({ ready: state.ready, says: "so" }) });
  const server = await serveHealth({ host: "127.0.0.1", port: 0 }, health, registry);
  closing.push(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe("the health port", () => {
  test("tells life and readiness as they are at the moment", async () => {
    const state = { alive: true, ready: false };
    const url = await serve(state);
    expect((await fetch(`${url}/livez`)).status).toBe(200);
    const unready = await fetch(`${url}/readyz`);
    expect(unready.status).toBe(503);
    expect(await unready.json()).toEqual({ ready: false, says: "so" });
    Object.assign(state, { alive: false, ready: true });
    expect((await fetch(`${url}/livez`)).status).toBe(503);
    expect((await fetch(`${url}/readyz?verbose`)).status).toBe(200);
  });

  test("serves metrics, and nothing else", async () => {
    const url = await serve({ alive: true, ready: true });
    expect(await (await fetch(`${url}/metrics`)).text()).toContain("seen 7");
    expect((await fetch(`${url}/elsewhere`)).status).toBe(404);
    expect((await fetch(`${url}/livez`, { method: "POST" })).status).toBe(405);
  });

  test("says it when the port is taken", async () => {
    const port = Number(new URL(await serve({ alive: true, ready: true })).port);
    const again = serveHealth(
      { host: "127.0.0.1", port },
      () => ({ alive: true, readiness: () => ({ ready: true }) }),
      new Registry(),
    );
    await expect(again).rejects.toThrow("EADDRINUSE");
  });
});
