import type { Layout, Server } from "@primacy/contract";
import { db1, db2, db3, layoutOf } from "../../../contract/test/samples.js";
import type { Instance } from "../../src/agent/orchestrator/instance.js";
import type { Recovery } from "../../src/agent/orchestrator/recovery.js";
import { type ClusterView, clusterView } from "../../src/agent/view.js";

export { db1, db2, db3, layoutOf, memberOf, membersOf, recordOf } from "../../../contract/test/samples.js";

export const db4: Server = { host: "db4", port: 3306 };

export const NOW = "2026-11-21T10:00:00.000Z";
export const NOW_MS = Date.parse(NOW);

/** A healthy replica of db1. */
export function replica(name: Server, changes: Partial<Instance> = {}): Instance {
  return {
    name,
    checkValid: true,
    recentlyChecked: true,
    readOnly: true,
    source: db1,
    detached: false,
    coMaster: false,
    ioThread: "running",
    sqlThread: "running",
    lagSeconds: 0,
    clusterName: "db1:3306",
    suggestedAlias: "main",
    downtime: null,
    errantGtid: null,
    lastSeenAt: NOW,
    answeredAtMs: NOW_MS,
    ...changes,
  };
}

/** A healthy, writable root. */
export function root(name: Server, changes: Partial<Instance> = {}): Instance {
  return replica(name, {
    readOnly: false,
    source: null,
    ioThread: "none",
    sqlThread: "none",
    lagSeconds: null,
    ...changes,
  });
}

export const DEAD = {
  checkValid: false,
  lastSeenAt: "2026-11-21T09:59:30.000Z",
  answeredAtMs: NOW_MS - 30_000,
} as const;
export const LOST = { downtime: { reason: "lost-in-recovery", endsAt: null } } as const;

export function recoveryOf(
  failed: Server,
  successor: Server | null,
  changes: Partial<Recovery> = {},
): Recovery {
  const beganAt = changes.beganAt === undefined ? "2026-11-21T09:59:50.000Z" : changes.beganAt;
  const nanoseconds = beganAt === null ? "0" : `${String(Date.parse(beganAt))}000000`;
  return {
    uid: `${nanoseconds}:${"a".repeat(64)}`,
    analysis: "DeadMaster",
    failed,
    successor,
    successful: successor !== null,
    ended: true,
    acknowledged: false,
    clusterAlias: "main",
    clusterName: "db1:3306",
    ...changes,
    beganAt,
  };
}

export interface ViewParts {
  readonly listed?: readonly Instance[] | null;
  readonly askedFor?: readonly Instance[];
  readonly recoveries?: readonly Recovery[];
}

export function viewOf(parts: ViewParts, layout: Layout = layoutOf()): ClusterView {
  const { listed = [], askedFor = [], recoveries = [] } = parts;
  return clusterView({ listed, askedFor, recoveries }, layout);
}

export const HEALTHY: readonly Instance[] = [root(db1), replica(db2), replica(db3)];
/** db1 is dead, db2 was promoted. */
export const AFTER_FAILOVER: ViewParts = {
  listed: [root(db2, { clusterName: "db2:3306" }), replica(db3, { source: db2, clusterName: "db2:3306" })],
  askedFor: [root(db1, { ...DEAD, ...LOST })],
  recoveries: [recoveryOf(db1, db2)],
};
