import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startProxySql, waitUntil } from "@primacy/testkit";
import { beforeEach, describe, expect, it } from "vitest";
import { adminContext, failure, type Kind } from "./proxysql.context.js";

/** What ProxySQL does as a program: pausing, ending, what a restart keeps, and the programs that it runs itself. */
export function proxySqlLifecycleSuite(kind: Kind): void {
  const admin = adminContext(kind);
  const { rows, write, errorOf } = admin;
  const column = async (sql: string) => (await rows(sql)).map((row) => Object.values(row)[0]);

  beforeEach(async () => {
    await write("PROXYSQL READWRITE");
    await write("DELETE FROM mysql_servers");
    await write("LOAD MYSQL SERVERS TO RUNTIME");
  });

  it("PROXYSQL READONLY keeps SQLite from writing, and nothing else", async () => {
    await write("INSERT INTO mysql_servers (hostgroup_id, hostname) VALUES (10, 'db1')");
    expect(await rows("SHOW GLOBAL VARIABLES LIKE 'read_only'")).toEqual([
      { Variable_name: "read_only", Value: "OFF" },
    ]);
    await write("PROXYSQL READONLY");
    expect(await rows("SELECT @@global.read_only")).toEqual([{ "@@global.read_only": 1 }]);
    for (const sql of ["DELETE FROM mysql_servers", "CREATE TABLE disk.x (a)"])
      expect(await errorOf(sql)).toMatchObject({
        sqlMessage: "ProxySQL Admin Error: attempt to write a readonly database",
      });
    await write("LOAD MYSQL SERVERS TO RUNTIME");
    expect(await rows("SELECT * FROM runtime_mysql_servers")).toHaveLength(1);
    await write("PROXYSQL READWRITE");
    await write("DELETE FROM mysql_servers");
  });

  it("PROXYSQL PAUSE closes the listener until RESUME", async () => {
    const { proxysql } = admin;
    await write("PROXYSQL PAUSE");
    await waitUntil(async () => (await failure(proxysql.connectClient())).code === "ECONNREFUSED", {
      timeoutMs: 60_000,
      what: "the port to be closed",
    });
    expect(await errorOf("PROXYSQL PAUSE")).toMatchObject({
      sqlMessage: "ProxySQL Admin Error: ProxySQL MySQL module is already paused, impossible to pause",
    });
    await write("PROXYSQL RESUME");
    await waitUntil(async () => (await failure(proxysql.connectClient())).errno === 1045, {
      timeoutMs: 60_000,
      what: "the port to be open",
    });
  });

  it("the scheduler runs programs with an empty environment, the first time after one interval", async () => {
    const folder = mkdtempSync(join(tmpdir(), "primacy-scheduler-"));
    const file = join(folder, "out");
    await write(
      `INSERT INTO scheduler (active, interval_ms, filename, arg1, arg2) VALUES (1, 300, '/bin/sh', '-c', 'export -p >> ${file}; echo ran >> ${file}')`,
    );
    const loadedAt = performance.now();
    await write("LOAD SCHEDULER TO RUNTIME");
    const ran = existsSync(file);
    // Where the answer came late, the first time may be over.
    if (performance.now() - loadedAt < 300) expect(ran).toBe(false);
    const written = await waitUntil(
      () => existsSync(file) && readFileSync(file, "utf8").includes("ran") && readFileSync(file, "utf8"),
      { timeoutMs: 60_000, what: "the program to run" },
    );
    expect(written).not.toMatch(/PATH=|HOME=/);
    expect(await column("SELECT interval_ms FROM runtime_scheduler")).toEqual(["300"]);
    await write("DELETE FROM scheduler");
    await write("LOAD SCHEDULER TO RUNTIME");
    // A program that was started before may write yet.
    rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
  });

  describe("a restart", () => {
    it("puts in force what is on disk, with every version 1, whatever the configuration file says", async () => {
      const other = await startProxySql({
        kind,
        servers: [{ hostgroup_id: 10, hostname: "first", port: 3306 }],
        variables: { "mysql-monitor_enabled": "false" },
      });
      await other.admin("UPDATE mysql_servers SET hostname='second'");
      await other.admin("LOAD MYSQL SERVERS TO RUNTIME");
      await other.admin("SAVE MYSQL SERVERS TO DISK");
      await other.admin("UPDATE mysql_servers SET hostname='never saved'");
      await other.admin("LOAD MYSQL SERVERS TO RUNTIME");
      await other.kill9();
      await other.start();
      expect(await other.admin("SELECT hostname FROM runtime_mysql_servers")).toEqual([
        { hostname: "second" },
      ]);
      const versions = await other.admin("SELECT DISTINCT version FROM runtime_checksums_values");
      expect(versions).toEqual([{ version: "1" }]);
      const [uptime] = await other.admin(
        "SELECT Variable_Value FROM stats_mysql_global WHERE Variable_Name='ProxySQL_Uptime'",
      );
      expect(Number(uptime!["Variable_Value"])).toBeLessThan(60);
      await other.close();
    });

    it("keeps a table that somebody made in disk, and not one in memory", async () => {
      const other = await startProxySql({ kind, variables: { "mysql-monitor_enabled": "false" } });
      await other.admin("CREATE TABLE disk.stamp (name VARCHAR PRIMARY KEY, value VARCHAR)");
      await other.admin("INSERT INTO disk.stamp VALUES ('a', '1')");
      const uuid = "SELECT variable_value FROM disk.global_settings WHERE variable_name='uuid'";
      const [name] = await other.admin(uuid);
      await other.admin("CREATE TABLE scratch (x)");
      await other.admin("INSERT INTO global_variables VALUES ('own-memory', '1')");
      await other.admin("INSERT INTO disk.global_variables VALUES ('own-disk', '1')");
      await other.admin("SAVE MYSQL VARIABLES TO DISK");
      await other.admin("SAVE ADMIN VARIABLES TO DISK");
      await other.kill9();
      await other.start();
      expect(await other.admin(uuid)).toEqual([name]);
      expect(await other.admin("SELECT * FROM disk.stamp")).toEqual([{ name: "a", value: "1" }]);
      expect((await failure(other.admin("SELECT * FROM scratch"))).sqlMessage).toContain("no such table");
      expect(
        await other.admin("SELECT variable_name FROM global_variables WHERE variable_name LIKE 'own-%'"),
      ).toEqual([{ variable_name: "own-disk" }]);
      await other.close();
    });

    it("is what PROXYSQL SHUTDOWN leaves to others", async () => {
      const other = await startProxySql({ kind, variables: { "mysql-monitor_enabled": "false" } });
      await failure(other.admin("PROXYSQL SHUTDOWN"));
      expect(await other.exited).toEqual({ code: 0, signal: null });
      await other.close();
    });
  });
}
