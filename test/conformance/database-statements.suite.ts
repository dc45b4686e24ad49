import { type Account, accounts } from "@primacy/testkit";
import { describe, expect, it } from "vitest";
import { databaseContext, type StartDatabase } from "./database.context.js";

/** Logins, variables and rows. */
export function databaseStatementsSuite(start: StartDatabase): void {
  const database = databaseContext(start);

  describe("a login", () => {
    it.each<[string, Account, string, [number, string]]>([
      [
        "a wrong password",
        { user: "app", password: "wrong" },
        "app",
        [1045, "'app'@'127.0.0.1' (using password: YES)"],
      ],
      ["no password", { user: "app", password: "" }, "app", [1045, "'app'@'127.0.0.1' (using password: NO)"]],
      ["an unknown user", { user: "nobody", password: "x" }, "app", [1045, "'nobody'@'127.0.0.1'"]],
      ["a database that is not its own", accounts.app, "mysql", [1044, "'app'@'%' to database 'mysql'"]],
      [
        "a database without any privilege there",
        accounts.monitor,
        "app",
        [1044, "'monitor'@'%' to database 'app'"],
      ],
      ["a database that does not exist", accounts.root, "nowhere", [1049, "Unknown database 'nowhere'"]],
    ])("is refused with %s", async (_what, account, name, error) => {
      await expect(database.server.connect(account, name)).rejects.toMatchObject({
        errno: error[0],
        message: expect.stringContaining(error[1]) as string,
      });
    });

    it("says who and where it is", async () => {
      expect(
        await database.run(
          accounts.app,
          "SELECT USER() AS who, CURRENT_USER() AS account, DATABASE() AS place",
          "app",
        ),
      ).toEqual([{ who: "app@127.0.0.1", account: "app@%", place: "app" }]);
      expect(await database.run(accounts.root, "SELECT DATABASE() AS place")).toEqual([{ place: null }]);
    });
  });

  it("tells its variables", async () => {
    expect(
      await database.server.query(
        "SELECT @@server_id AS id, @@port AS port, @@global.read_only AS ro, @@log_bin AS log_bin, " +
          "@@log_slave_updates AS updates, @@binlog_format AS format, @@gtid_strict_mode AS strict_mode",
      ),
    ).toEqual([
      { id: 7, port: database.server.port, ro: 0, log_bin: 1, updates: 1, format: "ROW", strict_mode: 1 },
    ]);
    expect(await database.server.query("SHOW GLOBAL VARIABLES LIKE 'read_only'")).toEqual([
      { Variable_name: "read_only", Value: "OFF" },
    ]);
    const [version] = await database.server.query("SELECT @@global.version AS version");
    expect(String(version?.["version"])).toContain("MariaDB");
    expect(await database.server.query("SHOW GLOBAL STATUS LIKE 'Uptime'")).toMatchObject([
      { Variable_name: "Uptime" },
    ]);
  });

  it("answers what Orchestrator and ProxySQL are made to ask it", async () => {
    const alias = `SELECT CASE WHEN @@global.port IN (1, ${database.server.port}) THEN 'main' ELSE '' END`;
    expect(Object.values((await database.server.query(alias))[0]!)).toEqual(["main"]);
    expect(await database.server.query("SELECT 'repl', 'secret'")).toEqual([
      { repl: "repl", secret: "secret" },
    ]);
    expect(await database.run(accounts.monitor, "SELECT @@global.read_only read_only")).toEqual([
      { read_only: 0 },
    ]);
    await (await database.connect(accounts.monitor, "")).ping();
  });

  it("stores the load's rows with who executed them and when", async () => {
    const before = Date.now();
    const insert = "INSERT INTO app.load_rows (id, proxy, client, kind) VALUES (1, 'p', 'c', 'autocommit')";
    expect(await database.run(accounts.app, insert, "app")).toMatchObject({
      affectedRows: 1,
      warningStatus: 0,
    });
    const [row] = await database.server.query(
      "SELECT id, server_id, CAST(UNIX_TIMESTAMP(at) * 1000 AS UNSIGNED) AS at_ms FROM app.load_rows",
    );
    expect(row).toEqual({ id: 1, server_id: 7, at_ms: expect.any(Number) as number });
    expect(Number(row?.["at_ms"])).toBeGreaterThanOrEqual(before - 1);
    expect(Number(row?.["at_ms"])).toBeLessThanOrEqual(Date.now() + 1);
    expect(await database.run(accounts.app, "SELECT app.answered_by() AS server_id", "app")).toEqual([
      { server_id: 7 },
    ]);
    expect(
      await database.server.query("SELECT COUNT(*) AS n FROM app.load_rows WHERE server_id = @@server_id"),
    ).toEqual([{ n: 1 }]);
  });

  it("reads rows in the order that was asked for", async () => {
    await database.server.query(
      `INSERT INTO app.notes (id, note) VALUES (${database.id + 2}, 'b'), (${database.id + 10}, NULL), (${database.id + 1}, 'a')`,
    );
    expect(
      await database.server.query(
        `SELECT id - ${database.id} AS n, note FROM app.notes WHERE id >= ${database.id} ORDER BY id DESC LIMIT 2`,
      ),
    ).toEqual([
      { n: 10, note: null },
      { n: 2, note: "b" },
    ]);
    expect(
      await database.server.query(
        `SELECT * FROM app.notes WHERE id >= ${database.id} AND note IS NOT NULL ORDER BY note`,
      ),
    ).toEqual([
      { id: database.id + 1, note: "a" },
      { id: database.id + 2, note: "b" },
    ]);
  });
}
