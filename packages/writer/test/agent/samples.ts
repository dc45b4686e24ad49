import { readFileSync } from "node:fs";
import type { Layout, Server } from "@primacy/contract";
import { db1, db2, db3, layoutOf } from "../../../contract/test/samples.js";
import { type Instance, instancesSchema, readInstance } from "../../src/agent/orchestrator/instance.js";
import { type Recovery, readRecovery, recoveriesSchema } from "../../src/agent/orchestrator/recovery.js";
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

export type Situation = "healthy" | "after-dead-master" | "old-master-returned-writable";

/** An answer of a real Orchestrator 3.2.6: test/fixtures/orchestrator-api. */
export function recordedText(situation: Situation, file: string): string {
  const folder = new URL("../../../../test/fixtures/orchestrator-api/", import.meta.url);
  return readFileSync(new URL(`${situation}/${file}.json`, folder), "utf8");
}

/** When the answers of a situation were recorded. */
export const RECORDED_AT: Record<Situation, string> = {
  healthy: "2026-11-21T09:45:52.000Z",
  "after-dead-master": "2026-11-21T09:46:18.000Z",
  "old-master-returned-writable": "2026-11-21T09:46:49.000Z",
};

export function recordedInstances(situation: Situation, file: string): Instance[] {
  const raw = instancesSchema.parse(JSON.parse(recordedText(situation, file)));
  return raw.flatMap((one) => readInstance(one, Date.parse(RECORDED_AT[situation])) ?? []);
}

export const RECORDED_LAYOUT = layoutOf({
  servers: [3311, 3312, 3313].map((port) => ({ host: "127.0.0.1", port })),
});
export const [at3311, at3312, at3313] = RECORDED_LAYOUT.servers.map(({ host, port }) => ({ host, port })) as [
  Server,
  Server,
  Server,
];

/** The view that the agent makes of the recorded answers. */
export function recordedView(situation: Situation): ClusterView {
  const listed = recordedInstances(situation, "cluster_alias_main");
  const names = new Set(listed.map((one) => one.name.port));
  const askedFor = recordedInstances(situation, "all-instances").filter((one) => !names.has(one.name.port));
  const raw = recoveriesSchema.parse(JSON.parse(recordedText(situation, "audit-recovery_alias_main")));
  const recoveries = raw.flatMap((one) => readRecovery(one) ?? []);
  return clusterView({ listed, askedFor, recoveries }, RECORDED_LAYOUT);
}
