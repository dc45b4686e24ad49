import {
  type Layout,
  type MasterRecord,
  type Member,
  type Members,
  type Server,
  parseLayout,
} from "../src/index.js";

export const db1: Server = { host: "db1", port: 3306 };
export const db2: Server = { host: "db2", port: 3306 };
export const db3: Server = { host: "db3", port: 3306 };

export function layoutOf(changes: Record<string, unknown> = {}): Layout {
  const parsed = parseLayout({
    cluster: "main",
    hostgroups: { writer: 10, reader: 20 },
    servers: [db1, db2, db3],
    ...changes,
  });
  if (!parsed.ok) throw new Error(parsed.problem);
  return parsed.value;
}

export function recordOf(changes: Partial<MasterRecord> = {}): MasterRecord {
  return {
    format: 1,
    cluster: "main",
    generation: 7,
    phase: "open",
    master: db1,
    previous: null,
    successor: null,
    quarantined: [],
    cause: {
      kind: "bootstrap",
      rule: "bootstrap-first-record",
      failureType: "",
      recoveryUid: "",
      command: "",
    },
    decidedAt: "2026-11-21T09:00:00.000Z",
    writtenAt: "2026-11-21T09:00:00.000Z",
    writtenBy: "orc1",
    writeId: "write-id-1",
    deadline: null,
    incarnation: "incarnation-1",
    previousHash: null,
    ...changes,
  };
}

export function memberOf(server: Server, changes: Partial<Member> = {}): Member {
  return {
    ...server,
    reachable: true,
    readOnly: true,
    replicating: true,
    ioThread: "running",
    sqlThread: "running",
    replicatesFrom: db1,
    followsMaster: true,
    followsMasterSince: "2026-11-21T08:00:00.000Z",
    lagSeconds: 0,
    downtime: null,
    errantGtid: null,
    discovered: false,
    lastSeenAt: null,
    ...changes,
  };
}

export function membersOf(servers: readonly Member[], changes: Partial<Members> = {}): Members {
  return {
    format: 1,
    cluster: "main",
    master: db1,
    observedAt: "2026-11-21T09:00:00.000Z",
    observedBy: "agent1",
    servers,
    removed: [],
    held: null,
    disagreement: null,
    ...changes,
  };
}
