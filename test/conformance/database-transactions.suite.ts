import { accounts, pause } from "@primacy/testkit";
import type { Connection } from "mysql2/promise";
import { describe, expect, it } from "vitest";
import { databaseContext, type StartDatabase } from "./database.context.js";

const READ_ONLY = {
  errno: 1290,
  sqlState: "HY000",
  message: "The MariaDB server is running with the --read-only option so it cannot execute this statement",
};

/** Who sees what when, what read_only stops, and what KILL ends. */
export function databaseTransactionsSuite(start: StartDatabase): void {
  const database = databaseContext(start);

  describe("a transaction", () => {
    it("is seen by others once it is committed, and by itself before", async () => {
      const [writer, reader] = [await database.connect(), await database.connect()];
      const [begun] = await writer.query("START TRANSACTION");
      expect(begun).toMatchObject({ serverStatus: 3 });
      await writer.query(`INSERT INTO notes (id) VALUES (${database.id})`);
      const seen = async (by: Connection) =>
        (await by.query(`SELECT id FROM notes WHERE id = ${database.id}`))[0];
      expect(await seen(writer)).toEqual([{ id: database.id }]);
      expect(await seen(reader)).toEqual([]);
      const [committed] = await writer.query("COMMIT");
      expect(committed).toMatchObject({ serverStatus: 2 });
      expect(await seen(reader)).toEqual([{ id: database.id }]);
    });

    it("sees nothing that is committed after its first read", async () => {
      const reader = await database.connect();
      await reader.query("BEGIN");
      const read = async () => (await reader.query(`SELECT id FROM notes WHERE id = ${database.id}`))[0];
      expect(await read()).toEqual([]);
      await database.server.query(`INSERT INTO app.notes (id) VALUES (${database.id})`);
      expect(await read()).toEqual([]);
      await reader.query("COMMIT");
      expect(await read()).toEqual([{ id: database.id }]);
    });

    it("is gone when it is rolled back, or its session ends", async () => {
      const session = await database.connect();
      await session.query("BEGIN");
      await session.query(`INSERT INTO notes (id) VALUES (${database.id})`);
      await session.query("ROLLBACK");
      await session.query("BEGIN");
      await session.query(`INSERT INTO notes (id) VALUES (${database.id})`);
      await session.end();
      expect(await database.count(database.id)).toBe(0);
    });

    it("begins by itself without autocommit, and is committed when that is switched on again", async () => {
      const session = await database.connect();
      const [off] = await session.query("SET autocommit=0");
      expect((off as { serverStatus: number }).serverStatus & 3).toBe(0);
      const [inserted] = await session.query(`INSERT INTO notes (id) VALUES (${database.id})`);
      expect(inserted).toMatchObject({ serverStatus: 1 });
      expect(await database.count(database.id)).toBe(0);
      await session.query("SET autocommit=1");
      expect(await database.count(database.id)).toBe(1);
    });

    it("is committed by what defines something, and by the next one", async () => {
      const session = await database.connect();
      await session.query("BEGIN");
      await session.query(`INSERT INTO notes (id) VALUES (${database.id})`);
      await session.query("BEGIN");
      await session.query(`INSERT INTO notes (id) VALUES (${database.id})`);
      await session.query("CREATE TABLE IF NOT EXISTS notes (id INT)");
      await session.query("ROLLBACK");
      expect(await database.count(database.id)).toBe(2);
    });

    it("stays open after a statement that failed", async () => {
      const session = await database.connect();
      await session.query("BEGIN");
      await session.query(`INSERT INTO notes (id) VALUES (${database.id})`);
      await expect(session.query("INSERT INTO notes (id) VALUES (NULL)")).rejects.toMatchObject({
        errno: 1048,
      });
      await session.query("COMMIT");
      expect(await database.count(database.id)).toBe(1);
    });
  });

  describe("read_only", () => {
    it("binds an application and nobody who is allowed to write all the same", async () => {
      await database.run(accounts.orchestrator, "SET GLOBAL read_only = 1");
      const insert = `INSERT INTO app.notes (id) VALUES (${database.id})`;
      await expect(database.run(accounts.app, insert, "app")).rejects.toMatchObject(READ_ONLY);
      await expect(database.run(accounts.app, "CREATE TABLE app.no (id INT)", "app")).rejects.toMatchObject(
        READ_ONLY,
      );
      expect(await database.run(accounts.app, "SELECT @@read_only AS ro", "app")).toEqual([{ ro: 1 }]);
      await database.server.query(insert);
      expect(await database.count(database.id)).toBe(1);
    });

    it("stops a transaction that wrote before at its COMMIT, and rolls it back", async () => {
      const session = await database.connect();
      await session.query("BEGIN");
      await session.query(`INSERT INTO notes (id) VALUES (${database.id})`);
      await database.server.query("SET GLOBAL read_only=1");
      await expect(session.query("COMMIT")).rejects.toMatchObject(READ_ONLY);
      await database.server.query("SET GLOBAL read_only=0");
      expect(await database.count(database.id)).toBe(0);
      await session.query("BEGIN");
      await session.query("COMMIT");
    });
  });

  describe("KILL", () => {
    const idOf = async (session: Connection): Promise<number> => {
      const [rows] = await session.query("SELECT CONNECTION_ID() AS id");
      return Number((rows as { id: number }[])[0]?.id);
    };

    it("ends a session with its transaction, for who owns it or is allowed to", async () => {
      const [victim, owner] = [await database.connect(), await database.connect()];
      const ended = new Promise((resolve) => victim.once("end", resolve));
      const id = await idOf(victim);
      await victim.query("BEGIN");
      await victim.query(`INSERT INTO notes (id) VALUES (${database.id})`);
      const stranger = await database.connect(accounts.monitor, "");
      await expect(stranger.query(`KILL ${id}`)).rejects.toMatchObject({
        errno: 1095,
        message: `You are not owner of thread ${id}`,
      });
      await owner.query(`KILL CONNECTION ${id}`);
      await ended;
      expect(await database.count(database.id)).toBe(0);
    });

    it("QUERY interrupts a statement that waits, and leaves the session", async () => {
      const session = await database.connect(accounts.root, "");
      const id = await idOf(session);
      const interrupted = session.query("SELECT MASTER_GTID_WAIT('0-1-999999', 20) AS r").then(
        () => "answered",
        (error: unknown) => (error as { errno?: number }).errno,
      );
      // KILL QUERY may come before the statement: then it interrupts nothing, and another one does.
      let ended: unknown;
      do {
        await database.run(accounts.root, `KILL QUERY ${id}`);
        ended = await Promise.race([interrupted, pause(100)]);
      } while (ended === undefined);
      expect(ended).toBe(1317);
      await session.ping();
    });
  });
}
