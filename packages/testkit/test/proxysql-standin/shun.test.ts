import { describe, expect, it } from "vitest";
import type { RuntimeServer } from "../../src/proxysql-standin/hostgroups/server.js";
import { afterConnectError, afterFailedPings } from "../../src/proxysql-standin/hostgroups/shun.js";
import { server, SETTINGS } from "./servers.js";

const NOW = 1_000_000;

function afterErrors(count: number, start: RuntimeServer, errno = 2002, settings = SETTINGS): RuntimeServer {
  let result = start;
  for (let index = 0; index < count; index++) result = afterConnectError(result, errno, NOW, settings);
  return result;
}

describe("errors on connecting", () => {
  const online = server(1, 10, "a");

  it("shun a server at the fifth within a second", () => {
    expect(afterErrors(4, online).status).toBe("ONLINE");
    expect(afterErrors(5, online)).toMatchObject({
      status: "SHUNNED",
      shunnedAutomatically: true,
      killAll: false,
    });
  });

  it("begin anew in another second", () => {
    const four = afterErrors(4, online);
    expect(afterConnectError(four, 2002, NOW + 1, SETTINGS)).toMatchObject({
      status: "ONLINE",
      errorsThen: 1,
    });
  });

  it("shun sooner when fewer are tried", () => {
    const { status } = afterErrors(2, online, 2002, { ...SETTINGS, connectRetries: 1 as never });
    expect(status).toBe("SHUNNED");
  });

  it.each([1045, 1044, 1049, 1203, 1226, 3118])(
    "that say nothing about its health do not count: %i",
    (errno) => {
      expect(afterErrors(20, online, errno)).toEqual(online);
    },
  );

  it("do not touch a status that an administrator has set", () => {
    expect(afterErrors(9, server(1, 10, "a", { status: "OFFLINE_SOFT" })).status).toBe("OFFLINE_SOFT");
  });

  it("do not count while the monitor has put the last one into the future", () => {
    const future = server(1, 10, "a", { lastErrorAt: NOW + 5 });
    expect(afterErrors(9, future)).toEqual(future);
  });
});

describe("failed pings", () => {
  it("shun an ONLINE server and everybody on it", () => {
    expect(afterFailedPings(server(1, 10, "a"), NOW, SETTINGS)).toMatchObject({
      status: "SHUNNED",
      shunnedAutomatically: true,
      killAll: true,
      lastErrorAt: NOW,
    });
  });

  it("leave a status of the administrator, but not the connections of an OFFLINE_SOFT server", () => {
    const soft = afterFailedPings(server(1, 10, "a", { status: "OFFLINE_SOFT" }), NOW, SETTINGS);
    expect(soft).toMatchObject({ status: "OFFLINE_SOFT", killAll: true });
    const shunned = afterFailedPings(server(1, 10, "a", { status: "SHUNNED" }), NOW, SETTINGS);
    expect(shunned).toMatchObject({ status: "SHUNNED", shunnedAutomatically: false, killAll: false });
    expect(afterFailedPings(server(1, 10, "a", { status: "OFFLINE_HARD" }), NOW, SETTINGS).status).toBe(
      "OFFLINE_HARD",
    );
  });

  it("keep it from coming back before the next ping", () => {
    const slow = { ...SETTINGS, pingIntervalMs: 60_000 as never };
    expect(afterFailedPings(server(1, 10, "a"), NOW, slow).lastErrorAt).toBe(NOW + 50);
  });
});
