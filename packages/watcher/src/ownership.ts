import { type Layout, leaseBoundMs } from "@primacy/contract";
import type { Hostgroups } from "./rows.js";

/** A row of one of ProxySQL's own topology tables, in memory or in the runtime, reduced to what matters here. */
export interface TopologyRow {
  /** `mysql_replication_hostgroups`, `mysql_group_replication_hostgroups`, … without `runtime_`. */
  readonly table: string;
  readonly layer: "memory" | "runtime";
  readonly writerHostgroup: number;
  /** Every hostgroup that the row names: writer, reader, backup, offline. */
  readonly hostgroups: readonly number[];
}

/** What a ProxySQL says about itself that decides whether Primacy may own its hostgroups. */
export interface OwnershipFacts {
  readonly topology: readonly TopologyRow[];
  /** Peers in `runtime_proxysql_servers`. */
  readonly clusterPeers: readonly string[];
  /** `admin-cluster_mysql_servers_diffs_before_sync`: 0 = `mysql_servers` is not pulled from peers. */
  readonly clusterDiffsBeforeSync: number;
  /** `mysql-query_retries_on_failure`. */
  readonly queryRetriesOnFailure: number | null;
  /** `mysql-connect_timeout_server_max`, milliseconds: how long a client waits while nobody takes writes. */
  readonly connectTimeoutServerMaxMs: number | null;
  /** Active users with `fast_forward = 1`, with their default hostgroup. */
  readonly fastForwardUsers: readonly { readonly user: string; readonly hostgroup: number }[];
}

/** Something else that moves servers in hostgroups of ours, and the statement that ends it. */
export interface Conflict {
  readonly owner: string;
  readonly reason: string;
  readonly resolve: string;
}

/** Who else owns these hostgroups? While anybody does, no layout holds: the monitor undoes it within a second. Pure. */
export function conflicts(facts: OwnershipFacts, hostgroups: Hostgroups): readonly Conflict[] {
  const ours = [hostgroups.writer, hostgroups.reader].filter((one) => one !== null);
  const topology = facts.topology
    .filter((row) => row.hostgroups.some((one) => ours.includes(one)))
    .map((row): Conflict => ({
      owner: row.table,
      reason:
        `${row.table} (${row.layer}) has a row with writer_hostgroup=${String(row.writerHostgroup)}: ` +
        `ProxySQL's own monitor moves servers in hostgroups of this cluster (sysown/proxysql#3186)`,
      resolve:
        `DELETE FROM ${row.table} WHERE writer_hostgroup=${String(row.writerHostgroup)}; ` +
        `LOAD MYSQL SERVERS TO RUNTIME; SAVE MYSQL SERVERS TO DISK`,
    }));
  return [...oncePerRow(topology), ...clusterConflict(facts)];
}

function oncePerRow(list: readonly Conflict[]): readonly Conflict[] {
  return list.filter((one, index) => list.findIndex((other) => other.resolve === one.resolve) === index);
}

function clusterConflict(facts: OwnershipFacts): readonly Conflict[] {
  if (facts.clusterPeers.length === 0 || facts.clusterDiffsBeforeSync === 0) return [];
  return [
    {
      owner: "ProxySQL Cluster",
      reason:
        `ProxySQL Cluster pulls mysql_servers from ${facts.clusterPeers.join(", ")}: ` +
        "the peer that loaded last wins, also one that is cut off from Consul",
      resolve:
        "SET admin-cluster_mysql_servers_diffs_before_sync=0; LOAD ADMIN VARIABLES TO RUNTIME; SAVE ADMIN VARIABLES TO DISK",
    },
  ];
}

/** Two clusters with a hostgroup in common would undo each other: the one that came first keeps it. Pure. */
export function claimConflict(
  cluster: string,
  hostgroups: Hostgroups,
  claims: ReadonlyMap<string, Hostgroups>,
): readonly Conflict[] {
  const ours = [hostgroups.writer, hostgroups.reader].filter((one) => one !== null);
  return [...claims]
    .filter(
      ([other, theirs]) =>
        other !== cluster && ours.some((one) => one === theirs.writer || one === theirs.reader),
    )
    .map(([other]) => ({
      owner: other,
      reason: `cluster ${other} has hostgroups ${ours.join(" and ")} in its layout too`,
      resolve: "give each cluster hostgroups of its own (primacy-writer layout apply)",
    }));
}

type SwitchLayout = Pick<Layout, "hostgroups" | "drainSeconds" | "onConsulLoss" | "leaseSeconds">;

/** What a takeover needs beside its waits, with room. Milliseconds. */
const SWITCH_MS = 3000;

/** How long nobody may take writes in a takeover: its drain, and under a lease that of a proxy which says nothing. */
function longestSwitchMs({ drainSeconds, onConsulLoss, leaseSeconds }: SwitchLayout): number {
  return drainSeconds * 1000 + SWITCH_MS + (onConsulLoss === "lease" ? leaseBoundMs(leaseSeconds) : 0);
}

/** Settings with which the layout holds and something else is still lost. One sentence each, with what to do. */
export function settingWarnings(facts: OwnershipFacts, layout: SwitchLayout): readonly string[] {
  const { hostgroups } = layout;
  const warnings: string[] = [];
  if (facts.queryRetriesOnFailure !== null && facts.queryRetriesOnFailure > 0) {
    warnings.push(
      `mysql-query_retries_on_failure is ${String(facts.queryRetriesOnFailure)}: a running autocommit write is sent again ` +
        "to the new master and can be stored twice; set it to 0",
    );
  }
  const users = facts.fastForwardUsers.filter(
    (one) => one.hostgroup === hostgroups.writer || one.hostgroup === hostgroups.reader,
  );
  if (users.length > 0) {
    warnings.push(
      `fast_forward users (${users.map((one) => one.user).join(", ")}): ProxySQL would let their sessions go on for 1 to ` +
        "3 s after a switch (sysown/proxysql#2590), so they are ended, where others wait for the new master",
    );
  }
  const waitMs = facts.connectTimeoutServerMaxMs;
  const switchMs = longestSwitchMs(layout);
  if (waitMs !== null && waitMs < switchMs) {
    warnings.push(
      `mysql-connect_timeout_server_max is ${String(waitMs)} ms: clients get error 9001 when a switch takes longer, and ` +
        `with this layout it may take ${String(Math.ceil(switchMs / 1000))} s where a proxy is silent`,
    );
  }
  return warnings;
}
