import { describe, expect, test } from "vitest";
import { type OwnershipFacts, claimConflict, conflicts, settingWarnings } from "../src/ownership.js";
import { layoutOf } from "./samples.js";

const alone: OwnershipFacts = {
  topology: [],
  clusterPeers: [],
  clusterDiffsBeforeSync: 3,
  queryRetriesOnFailure: 0,
  connectTimeoutServerMaxMs: 10_000,
  fastForwardUsers: [],
};
const hostgroups = { writer: 10, reader: 20 };
const pair = (
  table: string,
  layer: "memory" | "runtime",
  ...groups: number[]
): OwnershipFacts["topology"][number] => ({
  table,
  layer,
  writerHostgroup: groups[0]!,
  hostgroups: groups,
});

describe("who else owns the hostgroups", () => {
  test("nobody", () => {
    expect(conflicts(alone, hostgroups)).toEqual([]);
  });

  test.each([
    ["mysql_replication_hostgroups", [10, 20]],
    ["mysql_replication_hostgroups", [99, 10]],
    ["mysql_group_replication_hostgroups", [30, 31, 20, 33]],
    ["mysql_galera_hostgroups", [30, 10, 32, 33]],
    ["mysql_aws_aurora_hostgroups", [10, 21]],
  ])("%s with %s", (table, groups) => {
    const found = conflicts({ ...alone, topology: [pair(table, "runtime", ...groups)] }, hostgroups);
    expect(found).toHaveLength(1);
    expect(found[0]?.resolve).toContain(`DELETE FROM ${table} WHERE writer_hostgroup=${String(groups[0])}`);
  });

  test("a row that is only pending in memory counts: our LOAD would publish it", () => {
    const topology = [pair("mysql_replication_hostgroups", "memory", 10, 20)];
    expect(conflicts({ ...alone, topology }, hostgroups)).toHaveLength(1);
  });

  test("the same row in memory and in the runtime is said once", () => {
    const topology = [
      pair("mysql_replication_hostgroups", "memory", 10, 20),
      pair("mysql_replication_hostgroups", "runtime", 10, 20),
    ];
    expect(conflicts({ ...alone, topology }, hostgroups)).toHaveLength(1);
  });

  test("other clusters' hostgroups are nobody's business", () => {
    const topology = [pair("mysql_replication_hostgroups", "runtime", 30, 40)];
    expect(conflicts({ ...alone, topology }, hostgroups)).toEqual([]);
    expect(conflicts({ ...alone, topology }, { writer: 10, reader: null })).toEqual([]);
  });

  test("ProxySQL Cluster, while it pulls mysql_servers", () => {
    const clusterPeers = ["10.0.0.1:6032"];
    expect(conflicts({ ...alone, clusterPeers }, hostgroups)[0]?.owner).toBe("ProxySQL Cluster");
    expect(conflicts({ ...alone, clusterPeers, clusterDiffsBeforeSync: 0 }, hostgroups)).toEqual([]);
  });
});

describe("settings to look at", () => {
  const layout = layoutOf();

  test("none", () => {
    expect(settingWarnings(alone, layout)).toEqual([]);
  });

  test.each([
    ["statements that are sent again", { queryRetriesOnFailure: 1 }, "stored twice"],
    ["fast_forward users", { fastForwardUsers: [{ user: "etl", hostgroup: 10 }] }, "etl"],
    ["a short wait for a writer", { connectTimeoutServerMaxMs: 1000 }, "9001"],
  ])("%s", (_what, changes, word) => {
    expect(settingWarnings({ ...alone, ...changes }, layout).join()).toContain(word);
  });
});

test("clients must be let wait for longer than a drain, and under a lease than a silent proxy", () => {
  const warnings = (changes: Record<string, unknown>) => settingWarnings(alone, layoutOf(changes)).join();
  expect(warnings({ drainSeconds: 7 })).toBe("");
  expect(warnings({ drainSeconds: 8 })).toContain("it may take 11 s where a proxy is silent");
  expect(warnings({ onConsulLoss: "lease", leaseSeconds: 4 })).toContain("it may take 12 s");
  expect(warnings({ onConsulLoss: "keep", leaseSeconds: 12 })).toBe("");
});

describe("two clusters of one watcher", () => {
  const claims = new Map([["main", { writer: 10, reader: 20 }]]);

  test("with a hostgroup in common: the second is told, the first goes on", () => {
    expect(claimConflict("shop", { writer: 20, reader: 21 }, claims)[0]?.reason).toContain(
      "cluster main has hostgroups",
    );
    expect(claimConflict("main", { writer: 10, reader: 20 }, claims)).toEqual([]);
  });

  test("with hostgroups of their own", () => {
    expect(claimConflict("shop", { writer: 11, reader: null }, claims)).toEqual([]);
  });
});
