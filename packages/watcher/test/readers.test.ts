import type { Members } from "@primacy/contract";
import { describe, expect, test } from "vitest";
import { desired } from "../src/desired.js";
import { db1, db2, db3, layoutOf, memberOf, membersOf, recordOf } from "./samples.js";

/** Statuses of the reader hostgroup, as `db1=ONLINE …`. */
function readers(
  members: Members | null,
  changes: { record?: object; layout?: Record<string, unknown> } = {},
): string {
  const wanted = desired(recordOf(changes.record), layoutOf(changes.layout), members);
  return wanted.rows
    .filter((row) => row.hostgroup === 20)
    .map((row) => `${row.server.host}=${row.status}`)
    .sort()
    .join(" ");
}

const healthy = membersOf([memberOf(db2), memberOf(db3)]);
const quarantined = { record: { master: db1, quarantined: [db2] } };

describe("who reads", () => {
  test("without members, every candidate but the master", () => {
    expect(readers(null)).toBe("db1=OFFLINE_HARD db2=ONLINE db3=ONLINE");
  });

  test("without members, not a former master", () => {
    expect(readers(null, quarantined)).toBe("db1=OFFLINE_HARD db2=OFFLINE_HARD db3=ONLINE");
  });

  test("the master too, where the layout says always", () => {
    expect(readers(healthy, { layout: { masterReads: "always" } })).toBe("db1=ONLINE db2=ONLINE db3=ONLINE");
  });

  test("the master when no replica is left, unless the layout says never", () => {
    const broken = membersOf([memberOf(db2, { replicating: false }), memberOf(db3, { reachable: false })]);
    expect(readers(broken)).toBe("db1=ONLINE db2=OFFLINE_HARD db3=OFFLINE_HARD");
    expect(readers(broken, { layout: { masterReads: "never" } })).toBe(
      "db1=OFFLINE_HARD db2=OFFLINE_HARD db3=OFFLINE_HARD",
    );
  });

  test("not a server that the layout gives no reads", () => {
    const servers = [db1, db2, { ...db3, reads: false }];
    expect(readers(healthy, { layout: { servers } })).toBe("db1=OFFLINE_HARD db2=ONLINE db3=OFFLINE_HARD");
  });

  test.each([
    ["downtimed", { downtime: { reason: "backup", endsAt: null } }, "OFFLINE_SOFT"],
    ["lagging", { lagSeconds: 31 }, "OFFLINE_SOFT"],
    ["at the limit of lag", { lagSeconds: 30 }, "ONLINE"],
    ["of unknown lag", { lagSeconds: null }, "OFFLINE_HARD"],
    ["broken", { replicating: false }, "OFFLINE_HARD"],
    ["standalone", { replicatesFrom: null }, "OFFLINE_HARD"],
    ["unreachable", { reachable: false }, "OFFLINE_HARD"],
  ])("a replica that is %s", (_what, changes, status) => {
    expect(readers(membersOf([memberOf(db2, changes), memberOf(db3)]))).toBe(
      `db1=OFFLINE_HARD db2=${status} db3=ONLINE`,
    );
  });

  test("a server that members do not speak of goes on reading", () => {
    expect(readers(membersOf([memberOf(db3)]))).toBe("db1=OFFLINE_HARD db2=ONLINE db3=ONLINE");
  });
});

describe("a former master", () => {
  const back = { followsMasterSince: "2026-11-21T08:59:00.000Z" };

  test("reads again once it has followed the present master for the layout's time", () => {
    expect(readers(membersOf([memberOf(db2, back), memberOf(db3)]), quarantined)).toContain("db2=ONLINE");
  });

  test.each([
    ["for a shorter time", { followsMasterSince: "2026-11-21T08:59:00.001Z" }],
    ["not at all", { followsMasterSince: null }],
    ["while it is writable", { ...back, readOnly: false }],
    ["while nobody knows whether it is writable", { ...back, readOnly: null }],
    ["but its replication is broken", { ...back, replicating: false }],
  ])("reads nothing when it follows %s", (_what, changes) => {
    expect(readers(membersOf([memberOf(db2, changes), memberOf(db3)]), quarantined)).toContain(
      "db2=OFFLINE_HARD",
    );
  });

  test("reads nothing on a judgement against another master", () => {
    const old = membersOf([memberOf(db2, back), memberOf(db3)], { master: db3 });
    expect(readers(old, quarantined)).toContain("db2=OFFLINE_HARD");
  });

  test("leaves the reader hostgroup although the layout no longer names it", () => {
    const gone = { host: "gone", port: 3306 };
    expect(desired(recordOf({ quarantined: [gone] }), layoutOf(), null).neverRead).toEqual([gone]);
  });
});

describe("who writes", () => {
  test.each([
    ["open", "ONLINE", db1],
    ["draining", "OFFLINE_SOFT", null],
    ["fenced", "OFFLINE_HARD", null],
  ] as const)("%s: the master is %s, all other candidates OFFLINE_HARD", (phase, status, writer) => {
    const wanted = desired(recordOf({ phase }), layoutOf(), null);
    const rows = wanted.rows
      .filter((row) => row.hostgroup === 10)
      .map((row) => [row.server.host, row.status]);
    expect(rows).toEqual([
      ["db1", status],
      ["db2", "OFFLINE_HARD"],
      ["db3", "OFFLINE_HARD"],
    ]);
    expect(wanted.writer).toEqual(writer);
  });

  test("a master that the layout knows by another name stands under the layout's address", () => {
    const layout = layoutOf({ servers: [{ ...db1, alsoKnownAs: ["db1.prod.example:3306"] }, db2] });
    const wanted = desired(recordOf({ master: { host: "db1.prod.example", port: 3306 } }), layout, null);
    expect(wanted.writer).toEqual(db1);
  });

  test("a master that the layout does not know is followed all the same", () => {
    const wanted = desired(recordOf({ master: { host: "new", port: 3307 } }), layoutOf(), null);
    expect(wanted.writer).toEqual({ host: "new", port: 3307 });
  });
});
