import { afterEach, describe, expect, it } from "vitest";
import { type ProxySql, startProxySql } from "../../src/servers/proxysql.js";

const started: ProxySql[] = [];

async function start(): Promise<ProxySql> {
  const proxysql = await startProxySql({
    kind: "stand-in here",
    variables: { "mysql-monitor_enabled": "false" },
    servers: [{ hostgroup_id: 10, hostname: "db1" }],
  });
  started.push(proxysql);
  return proxysql;
}

afterEach(async () => {
  await Promise.all(started.splice(0).map((proxysql) => proxysql.close()));
});

describe("a stand-in inside the test's own process", () => {
  it("answers, forgets what was not saved, and comes back with what was", async () => {
    const proxysql = await start();
    await proxysql.admin("INSERT INTO mysql_servers (hostgroup_id, hostname) VALUES (20, 'db2')");
    await proxysql.admin("SAVE MYSQL SERVERS TO DISK");
    await proxysql.admin("INSERT INTO mysql_servers (hostgroup_id, hostname) VALUES (30, 'db3')");
    await proxysql.admin("LOAD MYSQL SERVERS TO RUNTIME");
    await proxysql.kill9();
    await proxysql.start();
    expect(await proxysql.admin("SELECT hostname FROM runtime_mysql_servers")).toEqual([
      { hostname: "db1" },
      { hostname: "db2" },
    ]);
  });

  it("says how it ended instead of taking the process with it", async () => {
    const crashed = await start();
    await expect(crashed.admin(";")).rejects.toMatchObject({ code: "PROTOCOL_CONNECTION_LOST" });
    expect(await crashed.exited).toEqual({ code: null, signal: "SIGSEGV" });
    await crashed.start();
    await expect(crashed.admin("PROXYSQL SHUTDOWN")).rejects.toMatchObject({
      code: "PROTOCOL_CONNECTION_LOST",
    });
    expect(await crashed.exited).toEqual({ code: 0, signal: null });
  });

  it("can't be suspended, and says so", async () => {
    const proxysql = await start();
    expect(() => proxysql.suspend()).toThrow("can't be suspended");
  });
});
