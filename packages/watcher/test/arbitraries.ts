import type { MasterRecord, Phase, Server } from "@primacy/contract";
import * as fc from "fast-check";
import type { Layers } from "../src/plan.js";
import { type ServerRow, type Status, mayTakeConnections } from "../src/rows.js";
import { db1, db2, db3, layoutOf, memberOf, membersOf, recordOf, rowOf, runtimeOf } from "./samples.js";

export const WRITER = 10;
export const READER = 20;
const stranger: Server = { host: "DB1", port: 3306 };
const unlisted: Server = { host: "old-db", port: 3306 };
const servers = [db1, db2, db3, stranger, unlisted] as const;
const statuses: readonly Status[] = ["ONLINE", "SHUNNED", "OFFLINE_SOFT", "OFFLINE_HARD"];

const anyRecord: fc.Arbitrary<MasterRecord> = fc
  .record({
    phase: fc.constantFrom<Phase>("open", "draining", "fenced"),
    master: fc.constantFrom(db1, db2, db3, unlisted),
    quarantined: fc.uniqueArray(fc.constantFrom(db1, db2, db3, unlisted), { maxLength: 3 }),
  })
  .map(({ phase, master, quarantined }) =>
    recordOf({
      phase,
      master,
      quarantined: quarantined.filter((one) => one !== master),
    }),
  );

const anyLayout = fc
  .constantFrom("always", "fallback", "never")
  .map((masterReads) =>
    layoutOf({ masterReads, servers: [db1, { ...db2, weight: 50 }, { ...db3, candidate: false }] }),
  );

const anyFacts = fc.record({
  replicating: fc.boolean(),
  reachable: fc.boolean(),
  lagSeconds: fc.option(fc.nat(90)),
});
const anyMembers = fc.option(
  fc
    .tuple(anyFacts, anyFacts, anyFacts)
    .map(([one, two, three]) => membersOf([memberOf(db1, one), memberOf(db2, two), memberOf(db3, three)])),
);

const anyRow: fc.Arbitrary<ServerRow> = fc
  .record({
    hostgroup: fc.constantFrom(WRITER, READER, 77),
    server: fc.constantFrom(...servers),
    status: fc.constantFrom(...statuses),
    weight: fc.nat(1000),
    comment: fc.constantFrom("", "it's mine", "a\\b"),
  })
  .map(({ hostgroup, server, status, weight, comment }) =>
    rowOf(hostgroup, server, status, { weight, comment }),
  );

/** A memory table with at most one server that may take writes: where operators start from. */
const anyMemory = fc
  .uniqueArray(anyRow, {
    selector: (row) => `${String(row.hostgroup)}/${row.host}:${String(row.port)}`,
    maxLength: 12,
  })
  .map((rows) => {
    let seen = false;
    return rows.map((row) => {
      if (row.hostgroup !== WRITER || !mayTakeConnections(row)) return row;
      if (seen) return { ...row, status: "OFFLINE_HARD" as const };
      seen = true;
      return row;
    });
  });

const anyLayers: fc.Arbitrary<Layers> = fc
  .tuple(anyMemory, anyMemory, anyMemory)
  .map(([memory, runtime, disk]) => ({ memory, runtime: runtimeOf(runtime), disk }));

/** A record, a layout, members and a ProxySQL in any state that operators start from. */
export const situation = {
  record: anyRecord,
  layout: anyLayout,
  members: anyMembers,
  layers: anyLayers,
  stampDiffers: fc.boolean(),
};
