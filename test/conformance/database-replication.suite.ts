import { accounts, createLoadTable, judge, type MariaDb, startLoad, waitUntil } from "@primacy/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { StartDatabase } from "./database.context.js";
import { INSERT, notes, positions, RUNS, status } from "./database-replication.context.js";

/** What SHOW SLAVE STATUS has in MariaDB 10.11, among others in later ones. */
const STATUS_COLUMNS =
  `Slave_IO_State Master_Host Master_User Master_Port Connect_Retry Master_Log_File Read_Master_Log_Pos Relay_Log_File
  Relay_Log_Pos Relay_Master_Log_File Slave_IO_Running Slave_SQL_Running Replicate_Do_DB Replicate_Ignore_DB
  Replicate_Do_Table Replicate_Ignore_Table Replicate_Wild_Do_Table Replicate_Wild_Ignore_Table Last_Errno Last_Error
  Skip_Counter Exec_Master_Log_Pos Relay_Log_Space Until_Condition Until_Log_File Until_Log_Pos Master_SSL_Allowed
  Master_SSL_CA_File Master_SSL_CA_Path Master_SSL_Cert Master_SSL_Cipher Master_SSL_Key Seconds_Behind_Master
  Master_SSL_Verify_Server_Cert Last_IO_Errno Last_IO_Error Last_SQL_Errno Last_SQL_Error Replicate_Ignore_Server_Ids
  Master_Server_Id Master_SSL_Crl Master_SSL_Crlpath Using_Gtid Gtid_IO_Pos Replicate_Do_Domain_Ids
  Replicate_Ignore_Domain_Ids Parallel_Mode SQL_Delay SQL_Remaining_Delay Slave_SQL_Running_State Slave_DDL_Groups
  Slave_Non_Transactional_Groups Slave_Transactional_Groups Replicate_Rewrite_DB`.split(/\s+/);

/** A master and two replicas, in one story: each test goes on from where the last one ended. */
export function databaseReplicationSuite(start: StartDatabase): void {
  let [a, b, c] = [] as unknown as [MariaDb, MariaDb, MariaDb];

  beforeAll(async () => {
    [a, b, c] = await Promise.all([
      start({ serverId: 1 }),
      start({ serverId: 2, readOnly: true }),
      start({ serverId: 3, readOnly: true }),
    ]);
  });
  afterAll(async () => {
    await Promise.all([a, b, c].map(async (server) => server?.close()));
  });

  describe("before there is a master", () => {
    it("a server is nobody's replica, and can't be started as one", async () => {
      expect(await b.query("SHOW SLAVE STATUS")).toEqual([]);
      expect(await b.query("STOP SLAVE")).toEqual([]);
      await expect(b.query("START SLAVE")).rejects.toMatchObject({
        errno: 1200,
        message: "Misconfigured slave: MASTER_HOST was not set; Fix in config file or with CHANGE MASTER TO",
      });
      expect(await positions(a)).toEqual({ binlog: "", slave: "", current: "" });
      expect(await a.query("SELECT MASTER_GTID_WAIT('', 0) AS r")).toEqual([{ r: 0 }]);
      expect(await a.query("SELECT MASTER_GTID_WAIT('0-1-5', 0.05) AS r")).toEqual([{ r: -1 }]);
    });
  });

  describe("replication", () => {
    it("brings tables, functions, accounts and rows, with the names of their transactions", async () => {
      await a.query("CREATE TABLE app.notes (id INT UNSIGNED NOT NULL)");
      await createLoadTable(a);
      await a.query("CREATE USER 'shop'@'%' IDENTIFIED BY 'shop-password'");
      await a.query("GRANT ALL PRIVILEGES ON app.* TO 'shop'@'%'");
      await a.query(`${INSERT} (1)`);
      // Nothing to do, so nothing to replicate.
      await a.query("CREATE TABLE IF NOT EXISTS app.notes (id INT)");
      for (const replica of [b, c]) await replica.replicateFrom(a);
      for (const replica of [b, c]) await replica.catchUpWith(a);
      expect(await positions(a)).toEqual({ binlog: "0-1-6", slave: "", current: "0-1-6" });
      expect(await positions(b)).toEqual({ binlog: "0-1-6", slave: "0-1-6", current: "0-1-6" });
      const session = await b.connect({ user: "shop", password: "shop-password" });
      const [rows] = await session.query("SELECT id FROM notes");
      expect(rows).toEqual([{ id: 1 }]);
      await session.end();
    });

    it("carries what was computed, and not how", async () => {
      await a.query("INSERT INTO app.load_rows (id, proxy, client, kind) VALUES (1, 'p', 'c', 'k')");
      await b.catchUpWith(a);
      const sql = "SELECT server_id, UNIX_TIMESTAMP(at) AS at FROM app.load_rows";
      const [row] = await b.query(sql);
      expect(row?.["server_id"]).toBe(1);
      expect([row]).toEqual(await a.query(sql));
      expect(await b.query("SELECT app.answered_by() AS id")).toEqual([{ id: 2 }]);
    });

    it("has a status by which Orchestrator sees whose replica it is and how far it has come", async () => {
      const [log] = await a.query("SHOW MASTER STATUS");
      // A transaction is there a moment before the status says so.
      const row = await status(b, {
        ...RUNS,
        Slave_IO_State: "Waiting for master to send event",
        Master_Host: a.host,
        Master_Port: a.port,
        Master_User: "repl",
        Master_Log_File: log?.["File"],
        Read_Master_Log_Pos: log?.["Position"],
        Relay_Master_Log_File: log?.["File"],
        Exec_Master_Log_Pos: log?.["Position"],
        Seconds_Behind_Master: 0,
        Last_IO_Errno: 0,
        Last_SQL_Errno: 0,
        Using_Gtid: "Slave_Pos",
        Gtid_IO_Pos: "0-1-7",
        Master_Server_Id: 1,
        SQL_Delay: 0,
      });
      expect(Object.keys(row)).toEqual(expect.arrayContaining(STATUS_COLUMNS));
      const hosts = await a.query("SHOW SLAVE HOSTS");
      expect(
        hosts
          .map((one) => [one["Server_id"], one["Host"], one["Port"], one["Master_id"]])
          .sort((one, other) => Number(one[0]) - Number(other[0])),
      ).toEqual([
        [2, b.host, b.port, 1],
        [3, c.host, c.port, 1],
      ]);
    });

    it("is not changed while it runs", async () => {
      const running = {
        errno: 1198,
        message: "This operation cannot be performed as you have a running slave ''; run STOP SLAVE '' first",
      };
      await expect(b.query("CHANGE MASTER TO MASTER_HOST='_'")).rejects.toMatchObject(running);
      await expect(b.query("RESET SLAVE ALL")).rejects.toMatchObject(running);
      expect(await b.query("START SLAVE")).toEqual([]);
    });

    it("stops and goes on, and has missed nothing", async () => {
      await b.query("STOP SLAVE");
      await status(b, { Slave_IO_Running: "No", Slave_SQL_Running: "No", Seconds_Behind_Master: null });
      await a.query(`${INSERT} (2), (3)`);
      expect(await notes(b)).toEqual([1]);
      await b.query("START SLAVE");
      await b.catchUpWith(a);
      expect(await notes(b)).toEqual([1, 2, 3]);
    });

    it("goes on by itself when the replica was restarted, though it had been stopped", async () => {
      await b.query("STOP SLAVE");
      await b.restart();
      await status(b, RUNS);
      expect(await b.query("SELECT @@read_only AS ro")).toEqual([{ ro: 1 }]);
    });

    it("waits for a master that crashed, and goes on when it is back", async () => {
      const session = await a.connect();
      const lost = new Promise((resolve) => session.once("error", resolve));
      await session.query("BEGIN");
      await session.query(`${INSERT} (4)`);
      await a.query(`${INSERT} (5)`);
      await a.kill9();
      await lost;
      await expect(a.query("SELECT 1")).rejects.toMatchObject({ code: "ECONNREFUSED" });
      const row = await status(b, {
        Slave_IO_Running: "Connecting",
        Last_IO_Errno: 2003,
        Slave_SQL_Running: "Yes",
        Slave_IO_State: "Reconnecting after a failed master event read",
        Seconds_Behind_Master: null,
      });
      expect(row["Last_IO_Error"]).toContain(
        `error reconnecting to master 'repl@${a.address}' - retry-time: 1  maximum-retries: 100000  message: Can't connect`,
      );
      await a.start(true);
      expect(await a.query("SELECT @@read_only AS ro")).toEqual([{ ro: 1 }]);
      await a.query("SET GLOBAL read_only=0");
      await status(b, RUNS);
      await a.query(`${INSERT} (6)`);
      await Promise.all([b.catchUpWith(a), c.catchUpWith(a)]);
      // What was not committed is gone, what was is not.
      expect(await notes(a)).toEqual([1, 2, 3, 5, 6]);
      expect(await notes(b)).toEqual(await notes(a));
      const [log] = await a.query("SHOW MASTER STATUS");
      expect(log?.["File"]).toBe("binlog.000002");
      await status(b, { Master_Log_File: "binlog.000002" });
    });
  });

  it("is what the oracle sees: every acknowledged row on the master, and a row of a replica's own too many", async () => {
    const { host, port } = a;
    const load = startLoad({ targets: [{ host, port, ...accounts.app }], intervalMs: 2 });
    await waitUntil(() => load.snapshot().acknowledged > 100 && load.snapshot().reads > 5, {
      timeoutMs: 30_000,
      what: "100 acknowledged rows",
    });
    const report = await load.stop();
    await Promise.all([b.catchUpWith(a), c.catchUpWith(a)]);
    const judged = { load: report, servers: [a, b, c], finalMaster: a, switchedAtMs: report.startedAtMs };
    const verdict = await judge(judged);
    expect(verdict).toMatchObject({ lost: [], strays: [], duplicates: [], failures: {} });
    expect(verdict.acknowledgedOnMaster).toBe(report.writes.length);
    expect(Object.keys(verdict.readsAfterSwitch)).toEqual(["1"]);
    await c.query("INSERT INTO app.load_rows (id, proxy, client, kind) VALUES (77, 'p', 'c', 'k')");
    const { strays } = await judge(judged);
    expect(strays).toMatchObject([{ id: 77, executedBy: 3, foundOn: 3, why: "not on the master" }]);
  });
}
