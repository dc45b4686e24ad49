import type { Server } from "@primacy/contract";
import { db1 } from "../../contract/test/samples.js";
import type { Moment } from "../src/decide.js";
import type { Outcome } from "../src/outcome.js";
import type { Layers } from "../src/plan.js";
import type { ServerRow, Status } from "../src/rows.js";

export { db1, db2, db3, layoutOf, memberOf, membersOf, recordOf } from "../../contract/test/samples.js";

export function rowOf(
  hostgroup: number,
  server: Server,
  status: Status,
  changes: Partial<ServerRow> = {},
): ServerRow {
  return {
    hostgroup,
    ...server,
    gtidPort: 0,
    status,
    weight: 1,
    compression: 0,
    maxConnections: 1000,
    maxReplicationLag: 0,
    useSsl: 0,
    maxLatencyMs: 0,
    comment: "",
    ...changes,
  };
}

export function layersOf(rows: readonly ServerRow[]): Layers {
  return { memory: rows, runtime: runtimeOf(rows), disk: rows };
}

/** What the runtime shows of a memory table after a LOAD, once nothing lingers. */
export function runtimeOf(rows: readonly ServerRow[]): readonly ServerRow[] {
  return rows
    .filter((row) => row.status !== "OFFLINE_HARD")
    .map((row) => (row.status === "SHUNNED" ? row : { ...row }));
}

export function momentOf(changes: Partial<Moment> = {}): Moment {
  return {
    whenOwned: "refuse",
    lease: { kind: "not-asked-for" },
    leaseEndsAtSeconds: 0,
    drainIsOver: false,
    superseded: false,
    fences: 0,
    ...changes,
  };
}

export const recordName = { generation: 7, incarnation: "incarnation-1", phase: "open" } as const;

/** A pass that has loaded and verified what {@link recordName} asks for. */
export const appliedOutcome: Extract<Outcome, { kind: "applied" }> = {
  kind: "applied",
  record: recordName,
  writers: [db1],
  connectionsInUse: 0,
  differences: [],
  loaded: true,
  isNew: true,
  tookMs: 12,
  notDurable: null,
  pendingEditsOfOthers: [],
  warnings: [],
};
