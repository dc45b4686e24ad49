import { createLoadTable, type MariaDb } from "@primacy/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { StartDatabase } from "./database.context.js";
import { INSERT, notes, positions, RUNS, status } from "./database-replication.context.js";

/**
 * A promotion in Orchestrator's statements, the old master's return, and what becomes of a server that writes on its own.
 * Each test goes on from where the last one ended.
 */
export function databasePromotionSuite(start: StartDatabase): void {
  let [a, b, c] = [] as unknown as [MariaDb, MariaDb, MariaDb];

  beforeAll(async () => {
    [a, b, c] = await Promise.all([
      start({ serverId: 1 }),
      start({ serverId: 2, readOnly: true }),
      start({ serverId: 3, readOnly: true }),
    ]);
    await a.query("CREATE TABLE app.notes (id INT UNSIGNED NOT NULL)");
    await createLoadTable(a);
    await a.query(`${INSERT} (1)`);
    for (const replica of [b, c]) await replica.replicateFrom(a);
    for (const replica of [b, c]) await replica.catchUpWith(a);
  });
  afterAll(async () => {
    await Promise.all([a, b, c].map(async (server) => server?.close()));
  });

  describe("a promotion, as Orchestrator does it", () => {
    it("makes a master of a replica, and moves the other one below it", async () => {
      await a.kill9();
      for (const replica of [b, c]) await replica.query("STOP SLAVE");
      await b.query("CHANGE MASTER TO MASTER_HOST='_'");
      expect(await b.replicaStatus()).toMatchObject({
        Master_Host: "_",
        Master_Log_File: "",
        Using_Gtid: "Slave_Pos",
      });
      await b.query("RESET SLAVE ALL");
      expect(await b.replicaStatus()).toBeUndefined();
      await b.query("SET GLOBAL read_only = 0");
      await c.query(`CHANGE MASTER TO MASTER_HOST='${b.host}', MASTER_PORT=${b.port}`);
      await c.query("START SLAVE");
      const before = await positions(b);
      const app = await b.connect();
      await app.query(`${INSERT} (20)`);
      await app.end();
      expect(await positions(b)).toMatchObject({
        slave: before["slave"],
        binlog: "0-2-5",
        current: "0-2-5",
      });
      await c.catchUpWith(b);
      expect(await notes(c)).toEqual([1, 20]);
      await status(c, { ...RUNS, Master_Port: b.port, Master_Server_Id: 2, Master_User: "repl" });
    });

    it("leaves the old master as it was: when it comes back it takes writes, and knows nothing", async () => {
      await a.start(false);
      expect(await a.query("SELECT @@read_only AS ro")).toEqual([{ ro: 0 }]);
      expect(await a.replicaStatus()).toBeUndefined();
      expect(await notes(a)).toEqual([1]);
    });

    it("takes it back as a replica, once somebody gives it the login", async () => {
      await a.query(
        `CHANGE MASTER TO MASTER_HOST='${b.host}', MASTER_PORT=${b.port}, MASTER_USE_GTID=current_pos`,
      );
      expect(await a.replicaStatus()).toMatchObject({
        Master_User: "",
        Using_Gtid: "Current_Pos",
        Connect_Retry: 60,
      });
      await a.query("START SLAVE");
      const row = await status(a, { Slave_IO_Running: "No", Last_IO_Errno: 1593 });
      expect(row["Last_IO_Error"]).toContain("Invalid (empty) username");
      await a.query("STOP SLAVE");
      await a.query("CHANGE MASTER TO MASTER_USER='repl', MASTER_PASSWORD='repl-password'");
      await a.query("START SLAVE");
      await a.catchUpWith(b);
      expect(await notes(a)).toEqual(await notes(b));
      expect(await positions(a)).toEqual({ binlog: "0-2-5", slave: "0-2-5", current: "0-2-5" });
    });
  });

  describe("a server that wrote on its own", () => {
    it("can't go on from where no master has been", async () => {
      await a.query("STOP SLAVE");
      await a.query(`${INSERT} (30)`);
      expect(await positions(a)).toEqual({ binlog: "0-1-6", slave: "0-2-5", current: "0-1-6" });
      await a.query("START SLAVE");
      const row = await status(a, { Slave_IO_Running: "No", Last_IO_Errno: 1236 });
      expect(row["Last_IO_Error"]).toBe(
        "Got fatal error 1236 from master when reading data from binary log: 'Error: connecting slave requested to " +
          "start from GTID 0-1-6, which is not in the master's binlog'",
      );
      expect(row["Slave_SQL_Running"]).toBe("Yes");
    });

    it("takes no transaction that would not rise (gtid_strict_mode)", async () => {
      await a.query("STOP SLAVE");
      await a.query("CHANGE MASTER TO MASTER_USE_GTID=slave_pos");
      await a.query("START SLAVE");
      await status(a, RUNS);
      await b.query(`${INSERT} (31)`);
      const row = await status(a, { Slave_SQL_Running: "No", Last_SQL_Errno: 1950 });
      expect(row["Last_SQL_Error"]).toBe(
        "An attempt was made to binlog GTID 0-2-6 which would create an out-of-order sequence number with existing " +
          "GTID 0-1-6, and gtid strict mode is enabled",
      );
      expect(row["Slave_IO_Running"]).toBe("Yes");
      expect(await notes(a)).toContain(30);
      expect(await notes(a)).not.toContain(31);
    });

    it("is refused by a master with a password of its own, and by itself", async () => {
      await a.query("STOP SLAVE");
      await a.query("CHANGE MASTER TO MASTER_PASSWORD='wrong'");
      await a.query("START SLAVE");
      const row = await status(a, { Slave_IO_Running: "Connecting", Last_IO_Errno: 1045 });
      expect(row["Last_IO_Error"]).toContain(
        "Access denied for user 'repl'@'127.0.0.1' (using password: YES)",
      );
      await a.query("STOP SLAVE");
      await a.query(
        `CHANGE MASTER TO MASTER_HOST='${a.host}', MASTER_PORT=${a.port}, MASTER_PASSWORD='repl-password'`,
      );
      await a.query("START SLAVE");
      const own = await status(a, { Slave_IO_Running: "No", Last_IO_Errno: 1593 });
      expect(own["Last_IO_Error"]).toContain("master and slave have equal MariaDB server ids");
      await a.query("STOP SLAVE");
      await a.query("RESET SLAVE ALL");
    });
  });

  describe("a master that is demoted", () => {
    const towards = (master: MariaDb): string =>
      `CHANGE MASTER TO MASTER_HOST='${master.host}', MASTER_PORT=${master.port}, MASTER_USER='repl', ` +
      "MASTER_PASSWORD='repl-password', MASTER_USE_GTID=slave_pos";

    it("is given its own transactions back, and does none of them twice", async () => {
      await c.catchUpWith(b);
      await c.query("STOP SLAVE");
      await c.query("RESET SLAVE ALL");
      await c.query("SET GLOBAL read_only=0");
      await b.query("SET GLOBAL read_only=1");
      expect((await positions(b))["slave"]).toBe("0-1-4");
      await b.query(towards(c));
      await b.query("START SLAVE");
      await c.query(`${INSERT} (40)`);
      await b.catchUpWith(c);
      await status(b, RUNS);
      expect(await notes(b)).toEqual([1, 20, 31, 40]);
      expect((await positions(b))["binlog"]).toBe("0-3-7");
    });

    it("counts what it wrote itself as its position where it is told to", async () => {
      await b.query("STOP SLAVE");
      await b.query("RESET SLAVE ALL");
      await b.query("SET GLOBAL read_only=0");
      await b.query(`${INSERT} (41)`);
      expect((await positions(b))["slave"]).toBe("0-3-7");
      await c.query(`${towards(b)}, MASTER_DEMOTE_TO_SLAVE=1`);
      await c.query("START SLAVE");
      await c.catchUpWith(b);
      expect((await positions(c))["slave"]).toBe("0-2-8");
      await c.query("STOP SLAVE");
      await c.query("RESET SLAVE ALL");
      await c.query(`${INSERT} (42)`);
      await c.query(`${towards(b)}, MASTER_DEMOTE_TO_SLAVE=1`);
      expect((await positions(c))["slave"]).toBe("0-3-9");
      await c.query("RESET SLAVE ALL");
    });
  });
}
