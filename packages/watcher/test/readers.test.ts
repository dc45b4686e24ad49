import type { Members } from "@primacy/contract";
import * as fc from "fast-check";
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

  test("a replica whose chain leads elsewhere is out, once it was judged against the present master", () => {
    const astray = [memberOf(db2, { followsMaster: false }), memberOf(db3, { followsMaster: null })];
    expect(readers(membersOf(astray))).toBe("db1=OFFLINE_HARD db2=OFFLINE_HARD db3=ONLINE");
    expect(readers(membersOf(astray, { master: db3 }))).toBe("db1=OFFLINE_HARD db2=ONLINE db3=ONLINE");
  });

  test("a server that members do not speak of goes on reading", () => {
    expect(readers(membersOf([memberOf(db3)]))).toBe("db1=OFFLINE_HARD db2=ONLINE db3=ONLINE");
  });
});

describe("the floor of readers", () => {
  const broken = (...servers: (typeof db2)[]) =>
    servers.map((server) => memberOf(server, { replicating: false }));
  const shortage = (members: Members | null, layout: Record<string, unknown> = {}): string | null =>
    desired(recordOf(), layoutOf(layout), members).readerShortage;

  test("below it the master reads beside the replicas that may", () => {
    const one = membersOf([memberOf(db2), ...broken(db3)]);
    expect(readers(one, { layout: { readerFloor: 2 } })).toBe("db1=ONLINE db2=ONLINE db3=OFFLINE_HARD");
    expect(readers(one)).toBe("db1=OFFLINE_HARD db2=ONLINE db3=OFFLINE_HARD");
  });

  test("below it the watcher says who is missing and why", () => {
    expect(shortage(membersOf(broken(db2, db3)))).toBe(
      "0 of 2 replicas may read, fewer than the layout's floor of 1, so the master reads as well: " +
        "db2:3306 not replicating; db3:3306 not replicating",
    );
    expect(shortage(membersOf(broken(db2, db3)), { masterReads: "never" })).toContain(
      "and the master may not",
    );
    expect(shortage(healthy)).toBeNull();
    expect(shortage(null)).toBeNull();
  });

  test("a floor of none leaves the master to its policy, and says nothing", () => {
    expect(shortage(membersOf(broken(db2, db3)), { readerFloor: 0 })).toBeNull();
    expect(readers(membersOf(broken(db2, db3)), { layout: { readerFloor: 0 } })).toContain("db1=ONLINE");
  });

  test("a cluster of a master alone has no replicas to miss", () => {
    expect(shortage(null, { servers: [db1] })).toBeNull();
  });
});

describe("discovered servers", () => {
  const db4 = { host: "db4", port: 3306 };
  const withDb4 = membersOf([memberOf(db2), memberOf(db3), memberOf(db4, { discovered: true })]);
  const discover = { layout: { discover: true } };

  test("read as replicas of the layout do, where it says discover", () => {
    expect(readers(withDb4, discover)).toBe("db1=OFFLINE_HARD db2=ONLINE db3=ONLINE db4=ONLINE");
    expect(readers(withDb4)).toBe("db1=OFFLINE_HARD db2=ONLINE db3=ONLINE");
  });

  test("leave for the same reasons", () => {
    const lagging = membersOf([memberOf(db4, { discovered: true, lagSeconds: 31 })]);
    expect(readers(lagging, discover)).toContain("db4=OFFLINE_SOFT");
  });

  test("are no candidates: they have no row in the writer hostgroup", () => {
    const wanted = desired(recordOf(), layoutOf({ discover: true }), withDb4);
    expect(wanted.rows.filter((row) => row.hostgroup === 10).map((row) => row.server.host)).not.toContain(
      "db4",
    );
  });

  test("get the layout's defaults", () => {
    const layout = layoutOf({ discover: true, defaults: { weight: 7, maxConnections: 50 } });
    const row = desired(recordOf(), layout, withDb4).rows.find((one) => one.server.host === "db4");
    expect(row?.defaults).toEqual({ weight: 7, maxConnections: 50, useSsl: false });
  });

  test("never read again once they have left", () => {
    const gone = membersOf([memberOf(db2), memberOf(db3)], { removed: [db4] });
    expect(desired(recordOf(), layoutOf({ discover: true }), gone).neverRead).toEqual([db4]);
  });

  test("that have left do not take a server of the layout along", () => {
    const gone = membersOf([memberOf(db2), memberOf(db3)], { removed: [db3] });
    expect(desired(recordOf(), layoutOf(), gone).neverRead).toEqual([]);
    expect(readers(gone)).toContain("db3=ONLINE");
  });
});

describe("the reader hostgroup as a law", () => {
  const anyMember = fc.record({
    reachable: fc.boolean(),
    readOnly: fc.constantFrom(true, false, null),
    replicating: fc.boolean(),
    replicatesFrom: fc.constantFrom(db1, db2, null),
    followsMaster: fc.constantFrom(true, false, null),
    followsMasterSince: fc.constantFrom("2026-11-21T08:00:00.000Z", null),
    lagSeconds: fc.constantFrom(0, 31, null),
    downtime: fc.constantFrom(null, { reason: "backup", endsAt: null }),
    discovered: fc.boolean(),
  });
  const someMembers = fc.record({
    list: fc.array(anyMember, { maxLength: 4 }),
    discover: fc.boolean(),
    readerFloor: fc.integer({ min: 0, max: 4 }),
    masterReads: fc.constantFrom("always", "fallback", "never"),
  });

  test("no members empty it while the master may read or a healthy replica of the layout is there", () => {
    fc.assert(
      fc.property(someMembers, ({ list, ...layout }) => {
        const members = membersOf(
          list.map((one, index) => memberOf({ host: `db${String(index + 2)}`, port: 3306 }, one)),
        );
        const healthyReplica = members.servers
          .slice(0, 2)
          .some(
            (one) =>
              one.reachable &&
              one.replicating &&
              one.replicatesFrom !== null &&
              one.followsMaster !== false &&
              one.lagSeconds === 0 &&
              one.downtime === null,
          );
        const online = readers(members, { layout }).match(/=ONLINE/g) ?? [];
        if (layout.masterReads !== "never" || healthyReplica) expect(online.length).toBeGreaterThan(0);
      }),
    );
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
