import { connect } from "node:net";
import { accounts, proxySqlAccounts } from "@primacy/testkit";
import { createConnection } from "mysql2/promise";
import { beforeEach, describe, expect, it } from "vitest";
import { adminContext, failure, type Kind } from "./proxysql.context.js";
import { greetingOf } from "./proxysql-greeting.js";

/** What ProxySQL 2.7.1 answers on its admin port, seen on the real one; a watcher is built on it. */
export function proxySqlAdminSuite(kind: Kind): void {
  const admin = adminContext(kind);
  const { rows, write, errorOf } = admin;

  beforeEach(async () => {
    await write("DELETE FROM mysql_servers");
  });

  describe("a session", () => {
    it("is greeted by protocol 10, a version that is not ProxySQL's, and mysql_native_password", async () => {
      for (const port of [admin.proxysql.adminPort, admin.proxysql.port])
        expect(await greetingOf(port)).toMatchObject({
          protocol: 10,
          serverVersion: "8.0.11",
          charset: 33,
          plugin: "mysql_native_password",
          multiStatements: true,
          connectWithDb: true,
          tls: true,
        });
    });

    it("may be on TLS, with a certificate that ProxySQL made itself, on both ports", async () => {
      const ssl = { rejectUnauthorized: false };
      const host = "127.0.0.1";
      const { adminPort, port } = admin.proxysql;
      const other = await createConnection({ host, port: adminPort, ...proxySqlAccounts.admin, ssl });
      expect((await other.query("SELECT 1 AS a"))[0]).toEqual([{ a: "1" }]);
      other.destroy();
      expect(await failure(createConnection({ host, port, user: "x", password: "x", ssl }))).toMatchObject({
        errno: 1045,
      });
      expect(
        await failure(
          createConnection({
            host,
            port: adminPort,
            ...proxySqlAccounts.admin,
            ssl: { rejectUnauthorized: true },
          }),
        ),
      ).toMatchObject({
        code: expect.stringMatching(/SELF_SIGNED|UNABLE_TO_VERIFY|HANDSHAKE_SSL/) as string,
      });
    });

    it("is refused to `admin`, by that name, from any other address than this host's own", async () => {
      const { adminPort } = admin.proxysql;
      const stream = () => connect({ host: "127.0.0.1", port: adminPort, localAddress: "127.0.0.2" });
      expect(await failure(createConnection({ ...proxySqlAccounts.admin, stream }))).toMatchObject({
        errno: 1040,
        sqlState: "42000",
        sqlMessage: "User 'admin' can only connect locally",
      });
    });

    it("is refused with a wrong password, in ProxySQL's own words", async () => {
      const refused = await failure(admin.proxysql.connectAdmin({ user: "admin", password: "wrong" }));
      expect(refused).toMatchObject({
        errno: 1045,
        sqlState: "28000",
        sqlMessage: "ProxySQL Error: Access denied for user 'admin'@'127.0.0.1' (using password: YES)",
      });
    });

    it("is told whether a password was given", async () => {
      const refused = await failure(admin.proxysql.connectAdmin({ user: "x", password: "" }));
      expect(refused.sqlMessage).toContain("(using password: NO)");
    });

    it("may name any database", async () => {
      const other = await admin.proxysql.connectAdmin();
      await other.query("USE nosuch");
      expect((await other.query("SELECT DATABASE()"))[0]).toEqual([{ "DATABASE()": "admin" }]);
      other.destroy();
    });

    it.each([
      ["a user of the statistics", proxySqlAccounts.stats],
      ["the monitor's user", accounts.monitor],
    ])("of %s sees the statistics only", async (_who, account) => {
      const stats = await admin.proxysql.connectAdmin(account);
      const [tables] = await stats.query("SHOW TABLES");
      expect(tables).toContainEqual({ tables: "stats_mysql_connection_pool" });
      expect(tables).not.toContainEqual({ tables: "mysql_servers" });
      for (const table of ["mysql_servers", "runtime_mysql_servers", "runtime_checksums_values"])
        expect(await errorOf(`SELECT * FROM ${table}`, stats)).toMatchObject({
          errno: 1045,
          sqlMessage: `ProxySQL Admin Error: no such table: ${table}`,
        });
      expect(await errorOf("LOAD MYSQL SERVERS TO RUNTIME", stats)).toMatchObject({
        sqlMessage: 'ProxySQL Admin Error: near "LOAD": syntax error',
      });
      stats.destroy();
    });
  });

  describe("what it says of itself", () => {
    it.each([
      ["SELECT @@version", { "@@version": "2.7.1-16-g2726c27" }],
      ["SELECT version()", { "version()": "2.7.1-16-g2726c27" }],
      ["select @@version_comment limit 1", { "'(ProxySQL Admin Module)'": "(ProxySQL Admin Module)" }],
      ["SELECT @@version_comment", { "@@version": "2.7.1-16-g2726c27" }],
      ["SELECT connection_id()", { "CONNECTION_ID()": "0" }],
      ["SELECT DATABASE()", { "DATABASE()": "admin" }],
      ["SELECT @@mysql-threads", { "@@mysql-threads": "2" }],
    ])("%s", async (sql, expected) => {
      expect(await rows(sql)).toEqual([expected]);
    });

    it("answers an unknown @@variable with no row, and several with a syntax error", async () => {
      expect(await rows("SELECT @@anything_unknown")).toEqual([]);
      expect(await errorOf("SELECT @@max_allowed_packet, @@wait_timeout")).toMatchObject({
        sqlMessage: 'ProxySQL Admin Error: near ",": syntax error',
      });
    });

    it("has variables named admin-… and mysql-… only", async () => {
      expect(await rows("SHOW VARIABLES LIKE 'version'")).toEqual([]);
      expect(await rows("SHOW VARIABLES LIKE 'mysql-server_version'")).toEqual([
        { Variable_name: "mysql-server_version", Value: "8.0.11" },
      ]);
    });

    it("lists its databases and 38 tables", async () => {
      const databases = await rows("SHOW DATABASES");
      expect(databases.map((row) => row["name"])).toEqual(
        expect.arrayContaining(["main", "disk", "stats", "monitor", "stats_history"]),
      );
      expect(Object.keys(databases[0]!)).toEqual(["seq", "name", "file"]);
      const tables = (await rows("SHOW TABLES")).map((row) => row["tables"]);
      expect(tables).toHaveLength(38);
      expect(tables).toEqual(
        expect.arrayContaining([
          "mysql_servers",
          "runtime_mysql_servers",
          "runtime_checksums_values",
          "scheduler",
        ]),
      );
      const disk = (await rows("SHOW TABLES FROM disk")).map((row) => row["tables"]);
      expect(disk).toContain("mysql_servers");
      expect(disk).not.toContain("runtime_mysql_servers");
    });

    it.each(["SHOW STATUS", "SHOW WARNINGS"])("does not know %s", async (sql) => {
      expect(await errorOf(sql)).toMatchObject({
        sqlMessage: 'ProxySQL Admin Error: near "SHOW": syntax error',
      });
    });

    it.each(["NOW()", "SLEEP(1)"])("has no function %s", async (call) => {
      const name = call.slice(0, call.indexOf("("));
      expect(await errorOf(`SELECT ${call}`)).toMatchObject({
        sqlMessage: `ProxySQL Admin Error: no such function: ${name}`,
      });
    });

    it("shows the text of a table with a line for each column, and nothing for an unknown table", async () => {
      for (const table of ["mysql_servers", "main.mysql_servers", "disk.mysql_servers", "`mysql_servers`"])
        expect(await rows(`SHOW CREATE TABLE ${table}`)).toEqual([
          { table: "mysql_servers", "Create Table": MYSQL_SERVERS },
        ]);
      const [runtime] = await rows("SHOW CREATE TABLE runtime_mysql_servers");
      expect(runtime?.["Create Table"]).toBe(MYSQL_SERVERS.replace("mysql_servers", "runtime_mysql_servers"));
      expect(await rows("SHOW CREATE TABLE nosuch")).toEqual([]);
    });
  });

  describe("values and types", () => {
    it("come as VAR_STRING without database and table, NULL as NULL", async () => {
      await write("INSERT INTO mysql_servers (hostgroup_id, hostname) VALUES (10, 'db1')");
      const [found, fields] = await admin.session.query(
        "SELECT port, weight, NULL AS none FROM mysql_servers",
      );
      expect(found).toEqual([{ port: "3306", weight: "1", none: null }]);
      for (const field of fields)
        expect(field).toMatchObject({ columnType: 253, characterSet: 33, table: "", db: "" });
    });

    it("are stored as SQLite stores them, whatever the column's type", async () => {
      await write("INSERT INTO mysql_servers (hostgroup_id, hostname) VALUES ('abc', 'db1')");
      expect(await rows("SELECT hostgroup_id FROM mysql_servers")).toEqual([{ hostgroup_id: "abc" }]);
    });

    it("keep backslashes; only a doubled quote is a quote", async () => {
      const comment = 'it\'s a \\ and "this"';
      await write(
        `INSERT INTO mysql_servers (hostgroup_id, hostname, comment) VALUES (10, 'db1', '${comment.replaceAll("'", "''")}')`,
      );
      expect(await rows("SELECT comment FROM mysql_servers")).toEqual([{ comment }]);
    });

    it("must not be filled in by the client: its escapes are not SQLite's", async () => {
      await write("INSERT INTO mysql_servers (hostgroup_id, hostname) VALUES (10, 'db1'), (10, 'db2')");
      const sql = "SELECT hostname FROM mysql_servers WHERE hostname = ?";
      const [all] = await admin.session.query(sql, ["db1' OR 1=1 -- "]);
      expect(all).toHaveLength(2);
    });

    it("take double quotes and backticks for names, and an unknown name for a text", async () => {
      await write('INSERT INTO "mysql_servers" (`hostgroup_id`, hostname) VALUES (10, "db1")');
      expect(await rows('SELECT "hostname" FROM `mysql_servers`')).toEqual([{ hostname: "db1" }]);
    });
  });

  describe("what has changed", () => {
    const insert = "INSERT INTO mysql_servers (hostgroup_id, hostname) VALUES (10, 'db1'), (10, 'db2')";

    it("counts the rows matched, and never names an insert id", async () => {
      expect(await write(insert)).toMatchObject({ affectedRows: 2, insertId: 0 });
      expect((await write("UPDATE mysql_servers SET weight = 1")).affectedRows).toBe(2);
      expect((await write("UPDATE mysql_servers SET weight = 1 WHERE hostname = 'none'")).affectedRows).toBe(
        0,
      );
    });

    it("is the number of before where a statement changes no rows", async () => {
      await write(insert);
      expect((await write("CREATE TABLE scratch (a)")).affectedRows).toBe(2);
      expect((await write("DROP TABLE scratch")).affectedRows).toBe(2);
    });

    it("says autocommit and no backslash escapes, and never a transaction", async () => {
      await write("BEGIN");
      expect((await write(insert)).serverStatus).toBe(0x202);
    });

    it("is a whole statement or nothing", async () => {
      const [duplicate] = [`${insert}, (10, 'db1')`];
      expect(await errorOf(duplicate)).toMatchObject({ sqlMessage: UNIQUE });
      expect(await rows("SELECT * FROM mysql_servers")).toEqual([]);
    });

    it("can swap two roles at once", async () => {
      await write("INSERT INTO mysql_servers (hostgroup_id, hostname) VALUES (10, 'db1'), (20, 'db2')");
      await write("UPDATE mysql_servers SET hostgroup_id = CASE hostname WHEN 'db1' THEN 20 ELSE 10 END");
      expect(await rows("SELECT hostgroup_id, hostname FROM mysql_servers ORDER BY 1")).toEqual([
        { hostgroup_id: "10", hostname: "db2" },
        { hostgroup_id: "20", hostname: "db1" },
      ]);
    });

    it("in a runtime table is said to be done and is not", async () => {
      expect((await write("DELETE FROM runtime_mysql_servers WHERE 1=1")).affectedRows).toBe(0);
      await write(insert);
      await write("LOAD MYSQL SERVERS TO RUNTIME");
      expect((await write("DELETE FROM runtime_mysql_servers")).affectedRows).toBe(2);
      expect(await rows("SELECT * FROM runtime_mysql_servers")).toHaveLength(2);
    });
  });
}

const UNIQUE =
  "ProxySQL Admin Error: UNIQUE constraint failed: mysql_servers.hostgroup_id, mysql_servers.hostname, mysql_servers.port";

const MYSQL_SERVERS = `CREATE TABLE mysql_servers (
    hostgroup_id INT CHECK (hostgroup_id>=0) NOT NULL DEFAULT 0,
    hostname VARCHAR NOT NULL,
    port INT CHECK (port >= 0 AND port <= 65535) NOT NULL DEFAULT 3306,
    gtid_port INT CHECK ((gtid_port <> port OR gtid_port=0) AND gtid_port >= 0 AND gtid_port <= 65535) NOT NULL DEFAULT 0,
    status VARCHAR CHECK (UPPER(status) IN ('ONLINE','SHUNNED','OFFLINE_SOFT', 'OFFLINE_HARD')) NOT NULL DEFAULT 'ONLINE',
    weight INT CHECK (weight >= 0 AND weight <=10000000) NOT NULL DEFAULT 1,
    compression INT CHECK (compression IN(0,1)) NOT NULL DEFAULT 0,
    max_connections INT CHECK (max_connections >=0) NOT NULL DEFAULT 1000,
    max_replication_lag INT CHECK (max_replication_lag >= 0 AND max_replication_lag <= 126144000) NOT NULL DEFAULT 0,
    use_ssl INT CHECK (use_ssl IN(0,1)) NOT NULL DEFAULT 0,
    max_latency_ms INT UNSIGNED CHECK (max_latency_ms>=0) NOT NULL DEFAULT 0,
    comment VARCHAR NOT NULL DEFAULT '',
    PRIMARY KEY (hostgroup_id, hostname, port) )`;
