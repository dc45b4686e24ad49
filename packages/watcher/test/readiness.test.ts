import { expect, test } from "vitest";
import type { ClusterStatus } from "../src/cluster-loop.js";
import { STALE_AFTER_MS, readiness } from "../src/readiness.js";
import { appliedOutcome } from "./samples.js";

const NOW_MS = 100_000;
const holding = { kind: "holding", reason: "unreachable", problem: "ECONNREFUSED", sinceMs: 0 } as const;

const status: ClusterStatus = {
  cluster: "main",
  outcome: appliedOutcome,
  watch: { truth: { kind: "following" }, wakeUp: { kind: "following" } },
  lease: { kind: "not-asked-for" },
  verifiedAtMs: NOW_MS - 1000,
  appliedGeneration: 7,
};

test("ready: the runtime shows the record, and Consul has confirmed it a short while ago", () => {
  expect(readiness(status, null, NOW_MS)).toMatchObject({
    ready: true,
    generation: 7,
    verifiedSecondsAgo: 1,
    says: "generation 7 open: db1:3306 takes writes",
  });
});

test.each<[string, Partial<ClusterStatus>, string | null, string]>([
  ["nothing was done yet", { outcome: null }, null, "nothing was done yet"],
  [
    "Consul has confirmed nothing for too long",
    { verifiedAtMs: NOW_MS - STALE_AFTER_MS - 1, watch: { truth: holding, wakeUp: holding } },
    null,
    "holding, unverified: ECONNREFUSED",
  ],
  [
    "ProxySQL can't be asked",
    { outcome: { ...appliedOutcome, kind: "failed", code: "PROXYSQL_TIMEOUT", reason: "no answer" } },
    null,
    "no answer",
  ],
  ["nobody waits for this proxy", {}, "403", "no writer waits for this proxy: 403"],
])("not ready, and it says why: %s", (_what, changes, refusal, says) => {
  const seen = readiness({ ...status, ...changes }, refusal, NOW_MS);
  expect(seen.ready).toBe(false);
  expect(seen.says).toContain(says);
});
