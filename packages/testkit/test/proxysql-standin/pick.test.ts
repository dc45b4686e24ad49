import { describe, expect, it } from "vitest";
import { isOffline } from "../../src/proxysql-standin/hostgroups/offline.js";
import { pick, type PickInput } from "../../src/proxysql-standin/hostgroups/pick.js";
import type { RuntimeServer } from "../../src/proxysql-standin/hostgroups/server.js";
import { IN_USE, NO_CONNECTIONS, server, SETTINGS } from "./servers.js";

const NOW = 1_000_000;

function picked(servers: readonly RuntimeServer[], changes: Partial<PickInput> = {}): string | undefined {
  return picking(servers, changes).server?.hostname;
}

function picking(servers: readonly RuntimeServer[], changes: Partial<PickInput> = {}) {
  return pick(servers, {
    hostgroup: 10,
    connectionsOf: NO_CONNECTIONS,
    now: NOW,
    settings: SETTINGS,
    maxOnlineServers: 1_000_000,
    chance: 0,
    ...changes,
  });
}

const shunned = (secondsAgo: number, changes: Partial<RuntimeServer> = {}) =>
  server(1, 10, "dead", {
    status: "SHUNNED",
    shunnedAutomatically: true,
    lastErrorAt: NOW - secondsAgo,
    ...changes,
  });

describe("the server for the next connection", () => {
  it.each(["SHUNNED", "OFFLINE_SOFT", "OFFLINE_HARD", "SHUNNED_REPLICATION_LAG"] as const)(
    "is none that is %s",
    (status) => {
      expect(picked([server(1, 10, "a", { status })])).toBeUndefined();
    },
  );

  it("is one of that hostgroup, by weight", () => {
    const servers = [server(1, 20, "other"), server(2, 10, "light"), server(3, 10, "heavy", { weight: 3 })];
    expect([0, 0.24, 0.26, 0.99].map((chance) => picked(servers, { chance }))).toEqual([
      "light",
      "light",
      "heavy",
      "heavy",
    ]);
  });

  it("is none with weight 0, nor one that has all connections that it may have", () => {
    expect(picked([server(1, 10, "a", { weight: 0 })])).toBeUndefined();
    expect(picked([server(1, 10, "a", { max_connections: 1 })], { connectionsOf: IN_USE })).toBeUndefined();
  });

  it("is none where too many are ONLINE", () => {
    const servers = [server(1, 10, "a"), server(2, 10, "b")];
    expect(picked(servers, { maxOnlineServers: 1 })).toBeUndefined();
    expect(picked(servers, { maxOnlineServers: 2 })).toBe("a");
  });

  it("may be one that ProxySQL shunned itself, after its recovery time", () => {
    // 10 s of recovery are cut to 9, one less than mysql-connect_timeout_server_max.
    expect(picking([shunned(10)])).toMatchObject({
      server: { hostname: "dead" },
      servers: [{ status: "ONLINE", lastErrorAt: 0 }],
    });
  });

  it("may be one sooner, when no other is left, but not within the second", () => {
    expect(picked([shunned(1)])).toBeUndefined();
    expect(picked([shunned(2)])).toBe("dead");
    expect(picked([shunned(2), server(2, 10, "alive")])).toBe("alive");
  });

  it("is never one that an administrator shunned", () => {
    expect(picked([shunned(1000, { shunnedAutomatically: false })])).toBeUndefined();
  });

  it("that failed its pings comes back only without connections, unless no other is left", () => {
    const servers = [shunned(100, { killAll: true }), server(2, 10, "alive")];
    expect(picking(servers, { connectionsOf: IN_USE }).servers[0]).toMatchObject({ status: "SHUNNED" });
    expect(picking(servers).servers[0]).toMatchObject({ status: "ONLINE", killAll: false });
  });
});

describe("a connection in use", () => {
  it.each([
    ["ONLINE", {}, false],
    ["OFFLINE_SOFT", { status: "OFFLINE_SOFT" }, false],
    ["SHUNNED for failed connects", { status: "SHUNNED", shunnedAutomatically: true }, false],
    ["SHUNNED for failed pings", { status: "SHUNNED", shunnedAutomatically: true, killAll: true }, true],
    ["lagging", { status: "SHUNNED_REPLICATION_LAG" }, true],
    ["OFFLINE_HARD", { status: "OFFLINE_HARD" }, true],
  ] as const)("to a server that is %s", (_what, changes, offline) => {
    expect(isOffline(server(1, 10, "a", changes), false)).toBe(offline);
  });

  it("is of no use in a hostgroup with too many servers", () => {
    expect(isOffline(server(1, 10, "a"), true)).toBe(true);
  });
});
