import {
  type Acknowledgement,
  type Layout,
  type MasterRecord,
  type Members,
  parseLayout,
  readMembers,
} from "@primacy/contract";

const INSTANT = "2026-11-21T09:14:21.948Z";

/** A record of `cluster`; each has a writeId of its own unless told otherwise. */
export function record(
  cluster: string,
  generation: number,
  changes: Partial<MasterRecord> = {},
): MasterRecord {
  return {
    format: 1,
    cluster,
    generation,
    phase: "open",
    master: { host: `db${String(generation)}`, port: 3306 },
    previous: null,
    successor: null,
    quarantined: [],
    cause: {
      kind: "operator",
      rule: "operator-set",
      failureType: "",
      recoveryUid: "",
      command: "",
    },
    decidedAt: INSTANT,
    writtenAt: INSTANT,
    writtenBy: "test",
    writeId: `write-${String(generation)}-${String(nextWriteId++)}`,
    deadline: null,
    incarnation: "incarnation-1",
    previousHash: null,
    ...changes,
  };
}
let nextWriteId = 1;

export function layout(cluster: string, changes: Partial<Layout> = {}): Layout {
  const parsed = parseLayout({
    cluster,
    hostgroups: { writer: 10, reader: 20 },
    servers: [{ host: "db1" }, { host: "db2" }],
    ...changes,
  });
  if (!parsed.ok) throw new Error(parsed.problem);
  return parsed.value;
}

export function members(cluster: string): Members {
  const read = readMembers(
    JSON.stringify({
      format: 1,
      cluster,
      master: { host: "db1", port: 3306 },
      observedAt: INSTANT,
      observedBy: "test",
      servers: [],
    }),
  );
  if (read.kind !== "valid") throw new Error(JSON.stringify(read));
  return read.value;
}

export function acknowledgement(
  cluster: string,
  proxy: string,
  generation: number,
  changes: Partial<Acknowledgement> = {},
): Acknowledgement {
  return {
    format: 1,
    proxy,
    cluster,
    generation,
    incarnation: "incarnation-1",
    phase: "open",
    state: "applied",
    appliedGeneration: generation,
    writers: [{ host: `db${String(generation)}`, port: 3306 }],
    connectionsInUse: 0,
    at: INSTANT,
    tookMs: 3,
    reason: null,
    watcher: "test",
    ...changes,
  };
}
