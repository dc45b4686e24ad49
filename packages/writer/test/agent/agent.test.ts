import type { ConsulStore } from "@primacy/consul-store";
import { pino } from "pino";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Agent } from "../../src/agent/agent.js";
import { AgentMetrics } from "../../src/agent/metrics.js";
import { OrchestratorError } from "../../src/agent/orchestrator/error.js";
import { MemoryConsul, TestWorld, commitContextOf } from "./memory-consul.js";
import { NOW_MS, layoutOf, recordOf } from "./samples.js";

class FakeClockWorld extends TestWorld {
  override elapsed = (): number => performance.now();
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const FOLLOWER = {
  decision: { policy: "report", repairAfterMs: 30_000, replayAfterMs: 5000, recoveryPatienceMs: 120_000 },
  membership: { worseAfterMs: 3000, betterAfterMs: 5000, settleMs: 60_000 },
  heldAfterMs: 10_000,
  reportAfterMs: 5000,
  consulDeadlineMs: 5000,
} as const;

/** An agent that leads so many clusters, two at a time; `answers`: how Orchestrator's answer comes. */
function agentOf(clusters: number, answers: () => Promise<never>): Agent {
  const consul = new MemoryConsul(recordOf(), layoutOf());
  const names = Array.from({ length: clusters }, (_, index) => `c${String(index)}`);
  const store = Object.assign(consul, {
    createSession: () => Promise.resolve("session-1"),
    renewSession: () => Promise.resolve(true),
    destroySession: () => Promise.resolve(),
    readLock: () => Promise.resolve(null),
    acquireLock: () => Promise.resolve("acquired"),
    listClusters: () => Promise.resolve(names),
  }) as unknown as ConsulStore;
  const world = new FakeClockWorld(NOW_MS);
  const settings = {
    agent: "orc1",
    version: "1",
    clusters: null,
    aliasOf: (name: string) => name,
    pollMs: 1000,
    parallel: 2,
    historyKeep: 500,
    follower: FOLLOWER,
  };
  return new Agent(settings, {
    store,
    client: { readCluster: answers },
    commit: commitContextOf(consul, world),
    metrics: new AgentMetrics(),
    log: pino({ level: "silent" }),
    agent: "orc1",
    world,
    mirrors: () => [],
  });
}

const timeout = () => new OrchestratorError("ORCHESTRATOR_TIMEOUT", "no answer");

test("a round of many clusters is long while Orchestrator hangs, and the agent lives all the same", async () => {
  const end = new AbortController();
  const agent = agentOf(200, () => new Promise((_, reject) => setTimeout(() => reject(timeout()), 9000)));
  const running = agent.run(end.signal);
  for (let minute = 0; minute < 20; minute++) {
    await vi.advanceTimersByTimeAsync(60_000);
    expect(agent.alive, `after ${String(minute + 1)} minutes`).toBe(true);
  }
  end.abort();
  await vi.advanceTimersByTimeAsync(10_000);
  await running;
});

test("an agent whose passes never end does not live", async () => {
  const end = new AbortController();
  let fail: (error: Error) => void = () => undefined;
  const agent = agentOf(1, () => new Promise((_, reject) => (fail = reject)));
  const running = agent.run(end.signal);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(agent.alive).toBe(true);
  await vi.advanceTimersByTimeAsync(70_000);
  expect(agent.alive).toBe(false);
  fail(timeout());
  end.abort();
  await vi.advanceTimersByTimeAsync(10_000);
  await running;
});
