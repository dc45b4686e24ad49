import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { commit, purge } from "../../src/proxysql-standin/hostgroups/commit.js";
import { sameServer, type ServerRow } from "../../src/proxysql-standin/hostgroups/server.js";
import { idsFrom, IN_USE, NO_CONNECTIONS, row, server, shown } from "./servers.js";

describe("LOAD MYSQL SERVERS TO RUNTIME", () => {
  it("adds what is new and keeps what is there, with its connections", () => {
    const before = [server(1, 10, "db1")];
    const { servers, dropFree } = commit(
      before,
      [row(10, "db1"), row(20, "db2")],
      NO_CONNECTIONS,
      idsFrom(2),
    );
    expect(servers.map(({ id }) => id)).toEqual([1, 2]);
    expect(dropFree).toEqual([]);
  });

  it("makes what is gone OFFLINE_HARD, and drops its free connections", () => {
    const { servers, dropFree } = commit([server(1, 10, "db1")], [], IN_USE, idsFrom(2));
    expect(shown(servers)).toBe("10:db1=OFFLINE_HARD");
    expect(dropFree).toEqual([1]);
  });

  it("forgets what was gone before and has drained", () => {
    const before = [server(1, 10, "db1", { status: "OFFLINE_HARD" })];
    expect(commit(before, [], NO_CONNECTIONS, idsFrom(2)).servers).toEqual([]);
  });

  it("revives a server that still drains, with the connections that are in use", () => {
    const before = [server(1, 10, "db1", { status: "OFFLINE_HARD" })];
    const { servers } = commit(before, [row(10, "db1")], IN_USE, idsFrom(2));
    expect(servers).toMatchObject([{ id: 1, status: "ONLINE" }]);
  });

  it("is another server after a move, without the old one's connections", () => {
    const { servers } = commit([server(1, 10, "db1")], [row(20, "db1")], IN_USE, idsFrom(2));
    expect(shown(servers)).toBe("10:db1=OFFLINE_HARD 20:db1=ONLINE");
    expect(servers.map(({ id }) => id)).toEqual([1, 2]);
  });

  it("brings a SHUNNED server back", () => {
    const before = [server(1, 10, "db1", { status: "SHUNNED", shunnedAutomatically: true })];
    expect(shown(commit(before, [row(10, "db1")], IN_USE, idsFrom(2)).servers)).toBe("10:db1=ONLINE");
  });

  it("keeps a server shunned for good that an administrator has shunned", () => {
    const { servers } = commit(
      [server(1, 10, "db1", { shunnedAutomatically: true })],
      [row(10, "db1", { status: "SHUNNED" })],
      IN_USE,
      idsFrom(2),
    );
    expect(servers).toMatchObject([{ status: "SHUNNED", shunnedAutomatically: false }]);
  });

  it("changes every column", () => {
    const changed = row(10, "db1", { weight: 5, max_connections: 7, comment: "new" });
    expect(commit([server(1, 10, "db1")], [changed], IN_USE, idsFrom(2)).servers).toMatchObject([changed]);
  });
});

it("only OFFLINE_HARD servers without a connection are purged", () => {
  const all = [
    server(1, 10, "a", { status: "OFFLINE_HARD" }),
    server(2, 10, "b", { status: "OFFLINE_SOFT" }),
  ];
  expect(purge(all, NO_CONNECTIONS).map(({ id }) => id)).toEqual([2]);
  expect(purge(all, () => ({ used: 0, free: 1 }))).toHaveLength(2);
});

describe("laws of a LOAD", () => {
  const rows = fc.uniqueArray(
    fc
      .tuple(
        fc.integer({ min: 1, max: 3 }),
        fc.constantFrom("a", "b", "c"),
        fc.constantFrom<ServerRow["status"]>("ONLINE", "SHUNNED", "OFFLINE_SOFT", "OFFLINE_HARD"),
      )
      .map(([hostgroup, name, status]) => row(hostgroup, name, { status })),
    { comparator: sameServer },
  );

  it("every row is in force as it says, and nothing else but OFFLINE_HARD", () => {
    fc.assert(
      fc.property(rows, rows, (first, second) => {
        const newId = idsFrom(1);
        const before = commit([], first, IN_USE, newId).servers;
        const { servers } = commit(before, second, IN_USE, newId);
        for (const wanted of second)
          expect(servers.filter((one) => sameServer(one, wanted))).toMatchObject([wanted]);
        for (const one of servers)
          if (!second.some((wanted) => sameServer(one, wanted))) expect(one.status).toBe("OFFLINE_HARD");
      }),
    );
  });

  it("the same LOAD again changes nothing", () => {
    fc.assert(
      fc.property(rows, (wanted) => {
        const newId = idsFrom(1);
        const once = commit([], wanted, IN_USE, newId).servers;
        expect(commit(once, wanted, IN_USE, newId).servers).toEqual(once);
      }),
    );
  });
});
