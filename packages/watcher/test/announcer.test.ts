import { ConsulError, type ConsulStore } from "@primacy/consul-store";
import type { Acknowledgement } from "@primacy/contract";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Announcer } from "../src/announcer.js";
import type { Clock } from "../src/timing.js";

const LEASE_MS = 4000;
const log = pino({ level: "silent" });
const clock: Clock = { monotonicNow: () => performance.now(), wallNow: () => Date.now(), random: () => 0.99 };

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function saying(cluster: string): Acknowledgement {
  return {
    format: 1,
    proxy: "proxy1",
    cluster,
    generation: 1,
    incarnation: "incarnation-1",
    phase: "open",
    state: "applied",
    appliedGeneration: 1,
    writers: [],
    connectionsInUse: 0,
    at: "2026-11-21T09:00:00.000Z",
    tookMs: null,
    reason: null,
    watcher: "0.1.0",
  };
}

/** A Consul that takes what `acknowledge` lets it, and notes when the session was made and renewed. */
function consul(acknowledge: (cluster: string) => "written" | "held-elsewhere") {
  const written = new Set<string>();
  const renewedAtMs: number[] = [];
  const store: Partial<ConsulStore> = {
    createSession: async () => {
      renewedAtMs.push(performance.now());
      return await Promise.resolve("session-1");
    },
    renewSession: async () => {
      renewedAtMs.push(performance.now());
      return await Promise.resolve(true);
    },
    acknowledge: async (cluster) => {
      const outcome = acknowledge(cluster);
      if (outcome === "written") written.add(cluster);
      return await Promise.resolve(outcome);
    },
    destroySession: async () => {
      await Promise.resolve();
    },
  };
  return { store: store as ConsulStore, written, renewedAtMs };
}

describe.each([
  [
    "is denied",
    (): never => {
      throw new ConsulError("CONSUL_DENIED", "403");
    },
  ],
  ["belongs to another watcher", (): "held-elsewhere" => "held-elsewhere"],
])("where one cluster's acknowledgement %s", (_what, refused) => {
  test("those of the others are written, and the session is renewed in time for their lease", async () => {
    const { store, written, renewedAtMs } = consul((cluster) => (cluster === "main" ? refused() : "written"));
    const announcer = new Announcer(store, "proxy1", clock, log);
    const stop = new AbortController();
    announcer.setLease("shop", LEASE_MS);
    announcer.announce(saying("main"));
    announcer.announce(saying("shop"));
    const running = announcer.run(stop.signal);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(announcer.refusal("main")).toMatch(/403|another watcher acknowledges as proxy "proxy1"/);
    expect(announcer.refusal("shop")).toBeNull();
    stop.abort();
    await running;
    expect([...written]).toEqual(["shop"]);
    expect(announcer.presence("shop").presentSinceMs).not.toBeNull();
    const gaps = renewedAtMs.slice(1).map((atMs, index) => atMs - (renewedAtMs[index] ?? 0));
    expect(Math.max(...gaps)).toBeLessThan(LEASE_MS / 2);
  });
});

test("without the right to a session nothing is acknowledged, and that is said until it is mended", async () => {
  const { store } = consul(() => "written");
  const { createSession } = store;
  store.createSession = async () => Promise.reject(new ConsulError("CONSUL_DENIED", "403 session:write"));
  const announcer = new Announcer(store, "proxy1", clock, log);
  const stop = new AbortController();
  announcer.announce(saying("main"));
  const running = announcer.run(stop.signal);
  await vi.advanceTimersByTimeAsync(1000);
  expect(announcer.refusal("main")).toBe("403 session:write");
  store.createSession = createSession;
  await vi.advanceTimersByTimeAsync(60_000);
  expect(announcer.refusal("main")).toBeNull();
  stop.abort();
  await running;
});

test("an acknowledgement that another watcher has taken over is none of ours: no lease hangs on it", async () => {
  let taken = false;
  const { store } = consul(() => (taken ? "held-elsewhere" : "written"));
  const announcer = new Announcer(store, "proxy1", clock, log);
  const stop = new AbortController();
  announcer.announce(saying("main"));
  const running = announcer.run(stop.signal);
  await vi.advanceTimersByTimeAsync(1000);
  expect(announcer.presence("main").presentSinceMs).not.toBeNull();
  taken = true;
  await vi.advanceTimersByTimeAsync(60_000);
  expect(announcer.presence("main").presentSinceMs).toBeNull();
  taken = false;
  await vi.advanceTimersByTimeAsync(60_000);
  expect(announcer.refusal("main")).toBeNull();
  expect(announcer.presence("main").presentSinceMs).toBeGreaterThan(60_000);
  stop.abort();
  await running;
});
