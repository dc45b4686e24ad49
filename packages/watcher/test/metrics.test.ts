import { describe, expect, test } from "vitest";
import { Metrics } from "../src/metrics.js";
import type { Outcome } from "../src/outcome.js";
import { appliedOutcome as applied, db1, db2, recordName as record } from "./samples.js";

const refused: Outcome = {
  kind: "refused",
  refusal: "lower-generation",
  reason: "older",
  record,
  writers: [db1],
};

/** The samples of one cluster, as Prometheus scrapes them. */
async function samples(metrics: Metrics, cluster: string): Promise<string[]> {
  const text = await metrics.registry.metrics();
  return text.split("\n").filter((line) => line.includes(`cluster="${cluster}"`));
}

describe("the series of a cluster", () => {
  test("are all gone with the cluster, and the others' stay", async () => {
    const metrics = new Metrics();
    for (const cluster of ["main", "shop"]) {
      metrics.notePass(cluster, applied, 0);
      metrics.notePass(cluster, refused, 0);
      metrics.notePass(cluster, { kind: "failed", code: "PROXYSQL_TIMEOUT", reason: "", record }, 0);
      metrics.noteLease(cluster, { kind: "held", untilMs: 1000 }, 0);
      metrics.noteDrift(cluster);
      metrics.noteVerifiedAge(cluster, 1);
      const following = { kind: "following" } as const;
      metrics.notePaths(cluster, { truth: following, wakeUp: following });
    }
    const before = await samples(metrics, "main");
    await metrics.keepOnly(["main"]);
    expect(await samples(metrics, "shop")).toEqual([]);
    expect(await samples(metrics, "main")).toEqual(before);
  });

  test("show two writers where they were seen and nothing could be done", async () => {
    const metrics = new Metrics();
    metrics.notePass("main", applied, 0);
    metrics.notePass("main", { kind: "conflict", conflicts: [], record, writers: [db1, db2] }, 0);
    expect(await samples(metrics, "main")).toContain('primacy_watcher_writers_online{cluster="main"} 2');
  });
});
