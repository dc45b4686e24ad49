import { startProxySql } from "@primacy/testkit";
import { createConnection } from "mysql2/promise";
import { beforeEach, describe, expect, it } from "vitest";
import { adminContext, failure, type Kind } from "./proxysql.context.js";

/** How ProxySQL 2.7.1 takes a statement on its admin port: what it leaves out, refuses, and dies of. */
export function proxySqlStatementsSuite(kind: Kind): void {
  const admin = adminContext(kind);
  const { rows, write, errorOf } = admin;
  const insert = (name: string) =>
    `INSERT INTO mysql_servers (hostgroup_id, hostname) VALUES (10, '${name}')`;
  const names = async () =>
    (await rows("SELECT hostname FROM mysql_servers ORDER BY 1")).map((row) => row["hostname"]);
  const inForce = async () =>
    (await rows("SELECT hostname FROM runtime_mysql_servers ORDER BY 1")).map((row) => row["hostname"]);

  beforeEach(async () => {
    await write("DELETE FROM mysql_servers");
    await write("LOAD MYSQL SERVERS TO RUNTIME");
  });

  describe("transactions", () => {
    it.each([
      "BEGIN",
      "BEGIN GARBAGE HERE",
      "START TRANSACTION",
      "COMMIT",
      "ROLLBACK",
      "ROLLBACK TO s1",
      "SET AUTOCOMMIT=0",
      "set autocommit = 1",
    ])("%s is answered OK", async (sql) => {
      expect((await write(sql)).affectedRows).toBe(0);
    });

    it("do not exist: others see the rows at once, ROLLBACK takes nothing back", async () => {
      const other = await admin.proxysql.connectAdmin();
      await write("BEGIN");
      await write(insert("db1"));
      expect((await other.query("SELECT hostname FROM mysql_servers"))[0]).toEqual([{ hostname: "db1" }]);
      await other.query("LOAD MYSQL SERVERS TO RUNTIME");
      await write("ROLLBACK");
      expect(await inForce()).toEqual(["db1"]);
      other.destroy();
    });
  });

  describe("several statements in one text", () => {
    it("are one: the first", async () => {
      expect((await write(`${insert("db1")}; ${insert("db2")}`)).affectedRows).toBe(1);
      expect(await names()).toEqual(["db1"]);
      await write("DELETE FROM mysql_servers; LOAD MYSQL SERVERS TO RUNTIME");
      expect(await names()).toEqual([]);
      await write(`BEGIN; ${insert("db3")}; COMMIT`);
      expect(await names()).toEqual([]);
    });

    it("are one even where the client asked for several", async () => {
      const other = await createConnection({
        host: "127.0.0.1",
        port: admin.proxysql.adminPort,
        user: "admin",
        password: "admin-password",
        multipleStatements: true,
      });
      await other.query(`${insert("db1")}; ${insert("db2")}`);
      expect(await names()).toEqual(["db1"]);
      other.destroy();
    });

    it("are none where the first is a LOAD", async () => {
      expect(await errorOf("LOAD MYSQL SERVERS TO RUNTIME; SAVE MYSQL SERVERS TO DISK")).toMatchObject({
        sqlMessage: 'ProxySQL Admin Error: near "LOAD": syntax error',
      });
    });
  });

  describe("LOAD", () => {
    it.each([
      "LOAD MYSQL SERVERS TO RUNTIME",
      "LOAD MYSQL SERVERS TO RUN",
      "LOAD MYSQL SERVERS FROM MEMORY",
      "LOAD MYSQL SERVERS FROM MEM",
      "load mysql servers to runtime",
      "  LOAD   MYSQL\nSERVERS\tTO RUNTIME ; ",
    ])("is %j", async (sql) => {
      await write(insert("db1"));
      const { affectedRows, info } = await write(sql);
      expect({ affectedRows, info }).toEqual({ affectedRows: 0, info: "" });
      expect(await inForce()).toEqual(["db1"]);
    });

    it.each([
      "LOAD MYSQL SERVERS",
      "LOAD MYSQL SERVERS TO NOWHERE",
      "LOAD NOSUCH TO RUNTIME",
      "/* c */ LOAD MYSQL SERVERS TO RUNTIME",
      "LOAD MYSQL SERVERS TO RUNTIME -- tail",
    ])("is not %j", async (sql) => {
      await write(insert("db1"));
      expect(await errorOf(sql)).toMatchObject({
        errno: 1045,
        sqlState: "28000",
        sqlMessage: 'ProxySQL Admin Error: near "LOAD": syntax error',
      });
      expect(await inForce()).toEqual([]);
    });

    it("makes a hostgroup empty without a word", async () => {
      await write(insert("db1"));
      await write("LOAD MYSQL SERVERS TO RUNTIME");
      await write("DELETE FROM mysql_servers");
      await write("LOAD MYSQL SERVERS TO RUNTIME");
      expect(await inForce()).toEqual([]);
    });
  });

  describe("errors", () => {
    it.each([
      ["SELECT * FROM nosuch", "no such table: nosuch"],
      ["SELECT x FROM mysql_servers", "no such column: x"],
      ["INSERT INTO mysql_servers (x) VALUES (1)", "table mysql_servers has no column named x"],
      ["SELEC 1", 'near "SELEC": syntax error'],
      ["INSERT INTO mysql_servers (hostgroup_id, hostname) VALUES (1)", "1 values for 2 columns"],
      [
        "INSERT INTO mysql_servers (hostgroup_id, hostname, status) VALUES (1, 'a', 'GONE')",
        "CHECK constraint failed: UPPER(status) IN ('ONLINE','SHUNNED','OFFLINE_SOFT', 'OFFLINE_HARD')",
      ],
      [
        "INSERT INTO mysql_servers (hostgroup_id, hostname, port) VALUES (1, 'a', 70000)",
        "CHECK constraint failed: port >= 0 AND port <= 65535",
      ],
      [
        "INSERT INTO mysql_servers (hostgroup_id, hostname, port) VALUES (1, 'a', 'abc')",
        "CHECK constraint failed: port >= 0 AND port <= 65535",
      ],
      [
        "INSERT INTO mysql_servers (hostgroup_id, hostname) VALUES (1, NULL)",
        "NOT NULL constraint failed: mysql_servers.hostname",
      ],
      [
        "INSERT IGNORE INTO mysql_servers (hostgroup_id, hostname) VALUES (1, 'a')",
        'near "IGNORE": syntax error',
      ],
      ["TRUNCATE mysql_servers", 'near "TRUNCATE": syntax error'],
      ["KILL CONNECTION 999999", "Unknown thread id: 999999"],
      ["SAVE MYSQL SERVERS", 'near "SAVE": syntax error'],
      ["SELECT 'it''s", "unrecognized token: \"'it''s\""],
      ["# comment", 'unrecognized token: "#"'],
      ["", "not an error"],
      [" ", "not an error"],
    ])("%j: %s", async (sql, text) => {
      expect(await errorOf(sql)).toMatchObject({
        errno: 1045,
        sqlState: "28000",
        sqlMessage: `ProxySQL Admin Error: ${text}`,
      });
    });

    it.each(["/* c */ SELECT 1 AS a", "SELECT 1 AS a;;", "SELECT 1 AS a -- tail"])(
      "%j is none",
      async (sql) => {
        expect(await rows(sql)).toEqual([{ a: "1" }]);
      },
    );

    it.each([
      "REPLACE INTO mysql_servers (hostgroup_id, hostname) VALUES (10, 'db1')",
      "INSERT OR REPLACE INTO mysql_servers (hostgroup_id, hostname) VALUES (10, 'db1')",
      "INSERT OR IGNORE INTO mysql_servers (hostgroup_id, hostname) VALUES (10, 'db1')",
      "INSERT INTO mysql_servers (hostgroup_id, hostname) VALUES (10, 'db1') ON CONFLICT DO UPDATE SET weight = 5",
    ])("%s is SQLite, and none", async (sql) => {
      await write(insert("db1"));
      await write(sql);
      expect(await names()).toEqual(["db1"]);
    });

    it("an unknown variable is none either: the text of the OK says it", async () => {
      expect((await write("SET nosuch=1")).info).toBe("ERROR: Unknown global variable: 'nosuch'.");
      expect((await write("SET mysql-max_connections='abc'")).affectedRows).toBe(1);
    });
  });

  describe("commands of the protocol", () => {
    it("refuses prepared statements, and the session goes on", async () => {
      expect(await failure(admin.session.execute("SELECT 1 AS a"))).toMatchObject({
        errno: 1045,
        sqlState: "28000",
        sqlMessage: "Command not supported",
      });
      expect(await rows("SELECT 1 AS a")).toEqual([{ a: "1" }]);
    });

    it("answers a ping", async () => {
      await admin.session.ping();
    });

    it("refuses COM_RESET_CONNECTION", async () => {
      const other = await admin.proxysql.connectAdmin();
      expect(await failure(other.reset())).toMatchObject({
        errno: 1047,
        sqlState: "28000",
        sqlMessage: "Received unsupported 'COM_RESET_CONNECTION' for session type 'PROXYSQL_SESSION_ADMIN'",
      });
      other.destroy();
    });

    it("never answers COM_CHANGE_USER", async () => {
      const other = await admin.proxysql.connectAdmin();
      let answered = false;
      const settle = () => (answered = true);
      void other.changeUser({ user: "admin", password: "admin-password" }).then(settle, settle);
      // Something else that is sent afterwards and answered shows that ProxySQL had its turn.
      await rows("SELECT 1");
      await rows("SELECT 1");
      expect(answered).toBe(false);
      other.destroy();
    });
  });

  it.each([";", ";;;", " ; "])("dies of %j, and everybody's session with it", async (sql) => {
    const victim = await startProxySql({ kind, variables: { "mysql-monitor_enabled": "false" } });
    const [first, second] = [await victim.connectAdmin(), await victim.connectAdmin()];
    expect(await failure(first.query(sql))).toMatchObject({ code: "PROTOCOL_CONNECTION_LOST" });
    expect(await victim.exited).toEqual({ code: null, signal: "SIGSEGV" });
    await failure(second.query("SELECT 1"));
    await victim.close();
  });
}
