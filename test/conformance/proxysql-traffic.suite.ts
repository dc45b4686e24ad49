import { waitUntil } from "@primacy/testkit";
import { describe, expect, it } from "vitest";
import type { Kind } from "./proxysql.context.js";
import { type Client, type Leaving, trafficContext, WRITER } from "./proxysql-traffic.context.js";

const GONE: readonly Leaving[] = ["OFFLINE_HARD", "deleted", "moved"];

/** Statements that wait on the first server while {@link Traffic.lock} holds. */
const READ = "SELECT name FROM whoami LOCK IN SHARE MODE";
const WRITE = "INSERT INTO notes (text) SELECT CONCAT('on ', name) FROM whoami";

/** What clients of ProxySQL 2.7.1 see when the server of their hostgroup goes away; seen on the real one. */
export function proxySqlLeavingSuite(kind: Kind): void {
  const traffic = trafficContext(kind);

  /** Sessions that keep their connection, and how they come to it. */
  const bound: readonly (readonly [string, (client: Client) => Promise<void>])[] = [
    ["a user variable", (client) => client.run("SET @a = 1")],
    ["a question for a system variable", (client) => client.run("SELECT @@port")],
    ["an auto-increment INSERT", (client) => client.run("INSERT INTO notes (text) VALUES ('bound')")],
    [
      "an open transaction",
      async (client) => (await client.run("BEGIN"), client.run("SELECT 1 FROM whoami")),
    ],
    ["a temporary table", (client) => client.run("CREATE TEMPORARY TABLE t (a INT)")],
    ["GET_LOCK", (client) => client.run("SELECT GET_LOCK('a', 1)")],
  ];

  describe("a client that is free (idle, bound to nothing)", () => {
    it.each<Leaving>(["OFFLINE_SOFT", ...GONE])(
      "%s: stays connected and goes to the new server",
      async (how) => {
        const client = await traffic.client();
        expect(await client.where()).toBe("first");
        await traffic.leave(how);
        expect(await client.where()).toBe("second");
      },
    );
  });

  describe("a free connection", () => {
    const shown = async () =>
      (await traffic.proxysql.admin("SELECT status FROM runtime_mysql_servers")).map((row) => row["status"]);

    it("to a row that is OFFLINE_HARD keeps the row in sight until somebody looks at the pool", async () => {
      await (await traffic.client()).where();
      await isFree();
      await traffic.leave("OFFLINE_HARD", { replaced: false });
      expect(await shown()).toEqual(["OFFLINE_HARD"]);
      await traffic.pool(WRITER, traffic.first);
      expect(await shown()).toEqual([]);
    });

    it("to a server whose row is deleted ends with the LOAD", async () => {
      await (await traffic.client()).where();
      await isFree();
      await traffic.leave("deleted", { replaced: false });
      expect(await shown()).toEqual([]);
    });
  });

  describe.each(bound)("a client bound by %s, idle", (_why, bind) => {
    it("OFFLINE_SOFT: goes on with the old server for as long as it likes", async () => {
      const client = await traffic.client();
      await bind(client);
      await traffic.leave("OFFLINE_SOFT");
      expect(await client.where()).toBe("first");
      expect(await client.where()).toBe("first");
      expect(await traffic.pool(WRITER, traffic.first)).toMatchObject({ status: "OFFLINE_SOFT", used: 1 });
    });

    it.each(GONE)("%s: is closed without an error when it next speaks, not before", async (how) => {
      const client = await traffic.client();
      await bind(client);
      await traffic.leave(how);
      expect(await traffic.pool(WRITER, traffic.first)).toEqual({ status: "OFFLINE_HARD", used: 1, free: 0 });
      expect(await client.ending("SELECT 1 FROM whoami")).toBe("closed without an error");
      await waitUntil(async () => (await traffic.pool(WRITER, traffic.first))?.used !== 1, {
        timeoutMs: 60_000,
        what: "the connection to be gone",
      });
    });
  });

  it("a client is bound after an auto-increment INSERT for five statements", async () => {
    const client = await traffic.client();
    await client.run("INSERT INTO notes (text) VALUES ('one')");
    for (let left = 5; left > 0; left--) {
      expect(await traffic.pool(WRITER, traffic.first)).toMatchObject({ used: 1 });
      await client.where();
    }
    await isFree();
  });

  it("SELECT @@version and a text with an @ bind nobody", async () => {
    const client = await traffic.client();
    await client.run("SELECT @@version");
    await client.run("SELECT 'a@b' FROM whoami");
    await isFree();
  });

  describe("an open transaction", () => {
    const begin = async () => {
      const client = await traffic.client();
      await client.run("BEGIN");
      await client.run("INSERT INTO notes (text) VALUES ('in transaction')");
      return client;
    };

    it("OFFLINE_SOFT: goes on, and COMMIT works on the old server", async () => {
      const client = await begin();
      await traffic.leave("OFFLINE_SOFT");
      await client.run("INSERT INTO notes (text) VALUES ('more')");
      await client.run("COMMIT");
      expect(await traffic.notes(traffic.first)).toEqual(["in transaction", "more"]);
    });

    it.each(GONE)("%s: holds its locks until it speaks, and is then rolled back", async (how) => {
      const client = await begin();
      await traffic.leave(how);
      expect(await client.ending("COMMIT")).toBe("closed without an error");
      await waitUntil(async () => (await traffic.notes(traffic.first)).length === 0, LIMIT);
      await waitUntil(async () => (await openTransactions()) === 0, LIMIT);
      expect(await traffic.notes(traffic.first)).toEqual([]);
    });

    it("with a statement running, OFFLINE_SOFT: finishes and commits", async () => {
      const client = await begin();
      const unlock = await traffic.lock();
      const running = client.ending(READ);
      await traffic.running(traffic.first, READ);
      await traffic.leave("OFFLINE_SOFT");
      await unlock();
      expect(await running).toBe("done");
      await client.run("COMMIT");
      expect(await traffic.notes(traffic.first)).toEqual(["in transaction"]);
    });

    it.each(GONE)("with a statement running, %s: is closed at once and rolled back", async (how) => {
      const client = await begin();
      const unlock = await traffic.lock();
      const running = client.ending(READ);
      await traffic.running(traffic.first, READ);
      await traffic.leave(how);
      expect(await running).toBe("closed without an error");
      // The server still runs it: nobody has told it to stop.
      await traffic.running(traffic.first, READ);
      await unlock();
      await waitUntil(async () => (await openTransactions()) === 0, LIMIT);
      expect(await traffic.notes(traffic.first)).toEqual([]);
    });

    it.each(GONE)("%s, and the same row put back while it drains: is usable again", async (how) => {
      const client = await begin();
      await traffic.leave(how);
      await traffic.load([WRITER, traffic.first]);
      await client.run("COMMIT");
      expect(await traffic.notes(traffic.first)).toEqual(["in transaction"]);
    });
  });

  describe("a statement outside of a transaction, running", () => {
    /** Starts it on the first server, where it waits for the lock. */
    const begin = async (sql: string) => {
      const client = await traffic.client();
      const unlock = await traffic.lock();
      const running = sql === READ ? client.rows(sql) : client.ending(sql);
      await traffic.running(traffic.first, sql);
      return { running, unlock };
    };

    it("OFFLINE_SOFT: finishes", async () => {
      const { running, unlock } = await begin(READ);
      await traffic.leave("OFFLINE_SOFT");
      await unlock();
      expect(await running).toEqual([{ name: "first" }]);
    });

    it.each(GONE)(
      "SELECT, %s: is run again on the new server, and the client notices nothing",
      async (how) => {
        const { running } = await begin(READ);
        await traffic.leave(how);
        expect(await running).toEqual([{ name: "second" }]);
      },
    );

    it.each(GONE)("INSERT, %s: takes effect on both servers", async (how) => {
      const { running, unlock } = await begin(WRITE);
      await traffic.leave(how);
      expect(await running).toBe("done");
      expect(await traffic.notes(traffic.second)).toEqual(["on second"]);
      await unlock();
      // The old server was never told to stop.
      await waitUntil(async () => (await traffic.notes(traffic.first)).length === 1, LIMIT);
    });

    it("INSERT, without a server for a moment: waits, and is there twice", async () => {
      const { running, unlock } = await begin(WRITE);
      await traffic.leave("deleted", { replaced: false });
      // A row that is put back sooner is the same server again, and the statement goes on.
      await waitUntil(async () => (await traffic.pool(WRITER, traffic.first))?.used !== 1, LIMIT);
      await traffic.load([WRITER, traffic.first]);
      await traffic.running(traffic.first, WRITE, 2);
      await unlock();
      expect(await running).toBe("done");
      await waitUntil(async () => (await traffic.notes(traffic.first)).length === 2, LIMIT);
    });

    it("INSERT, with a read-only successor: the client is told 1290, and the old server has the row", async () => {
      await traffic.second.query("SET GLOBAL read_only=1");
      const { running, unlock } = await begin(WRITE);
      await traffic.leave("deleted");
      expect(await running).toBe("1290");
      await unlock();
      await waitUntil(async () => (await traffic.notes(traffic.first)).length === 1, LIMIT);
    });

    it("INSERT, with mysql-query_retries_on_failure=0: is closed at once, and the old server has the row", async () => {
      await traffic.setVariable("mysql-query_retries_on_failure", "0");
      const { running, unlock } = await begin(WRITE);
      await traffic.leave("deleted");
      expect(await running).toBe("closed without an error");
      await unlock();
      await waitUntil(async () => (await traffic.notes(traffic.first)).length === 1, LIMIT);
      expect(await traffic.notes(traffic.second)).toEqual([]);
    });
  });

  // INNODB_TRX is not read anew while it is asked more often than ten times a second.
  const LIMIT = { timeoutMs: 60_000, intervalMs: 250, what: "the old server to be done" };

  /** The answer can be there a moment before the connection is back in the pool. */
  async function isFree(): Promise<void> {
    await waitUntil(async () => (await traffic.pool(WRITER, traffic.first))?.used === 0, {
      timeoutMs: 60_000,
      what: "the connection to be free",
    });
  }

  async function openTransactions(): Promise<number> {
    return (await traffic.first.query("SELECT 1 FROM information_schema.INNODB_TRX")).length;
  }
}
