import { parseLayout } from "@primacy/contract";
import type { DatabaseServer, Row } from "@primacy/testkit";
import { accounts, documentedSql, waitUntil } from "@primacy/testkit";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { lookAtServers, privilegeFindings } from "../../packages/writer/src/check/servers.js";
import { connectMySql } from "../../packages/writer/src/database/mysql-client.js";
import type { Connect } from "../../packages/writer/src/database/session.js";
import { openServer } from "../../packages/writer/src/new-master/open-server.js";
import { type SilenceOrder, silenceOldMaster } from "../../packages/writer/src/old-master/silence.js";
import { realWorld } from "../../packages/writer/src/world.js";

/** The servers on which the suite runs. */
export interface OldMasterKit {
  /** As docs/old-master.md calls them. */
  readonly heading: "MySQL 8.0 and later" | "MariaDB 10.5 and later";
  readonly start: (options: { serverId: number; extra?: string[] }) => Promise<DatabaseServer>;
  /** Makes an account of administrators that read_only alone does not bind. */
  readonly administrator: string;
  /** Has it a super_read_only, which binds them? */
  readonly superReadOnly: boolean;
  /** Makes a former master a replica as Orchestrator does. */
  readonly rejoin: (former: DatabaseServer, master: DatabaseServer) => Promise<void>;
}

const account = { user: "primacy", password: "change-me", tls: "off", ca: undefined } as const;

type Client = Awaited<ReturnType<DatabaseServer["connect"]>>;

export function oldMasterSuite(kit: OldMasterKit): void {
  let master: DatabaseServer;
  let replica: DatabaseServer;
  /** Sessions with the master. */
  const clients: Client[] = [];
  /** Sessions with the replica. */
  const others: Client[] = [];

  beforeAll(async () => {
    [master, replica] = await Promise.all([kit.start({ serverId: 1 }), kit.start({ serverId: 2 })]);
    await replica.replicateFrom(master);
    await master.query("CREATE TABLE app.lines_written (id INT PRIMARY KEY, note VARCHAR(40))");
    await master.query("INSERT INTO app.lines_written VALUES (1, 'one'), (2, 'two')");
    await master.query("CREATE TABLE app.others (id INT PRIMARY KEY)");
    for (const statement of documentedSql(kit.heading, 0)) await master.query(statement);
    await master.query("CREATE USER 'boss'@'%' IDENTIFIED BY 'boss-password'");
    await master.query(`GRANT ${kit.administrator} ON *.* TO 'boss'@'%'`);
    await replicated();
  }, 240_000);

  afterAll(async () => {
    await Promise.all([master?.close(), replica?.close()]);
  });

  beforeEach(async () => {
    await writable(master);
    await replica.query("SET GLOBAL read_only=1");
  });

  afterEach(async () => {
    const ids = clients.map(({ threadId }) => threadId);
    for (const one of [...clients.splice(0), ...others.splice(0)]) one.destroy();
    master.resume();
    // A session of this test must not be one that the next test counts.
    await waitUntil(async () => !(await processes()).some((row) => ids.includes(Number(row["Id"]))), {
      timeoutMs: 60_000,
      what: "the sessions of the test to be gone",
    });
  });

  async function writable(server: DatabaseServer): Promise<void> {
    await server.query(
      kit.superReadOnly ? "SET GLOBAL super_read_only=0, GLOBAL read_only=0" : "SET GLOBAL read_only=0",
    );
  }

  async function client(user = "app"): Promise<Client> {
    const connection = await master.connect(
      { user, password: `${user}-password` },
      user === "app" ? "app" : "",
    );
    clients.push(connection);
    return connection;
  }

  const silence = (order: Partial<SilenceOrder> = {}, connect: Connect = connectMySql, limitMs = 60_000) =>
    silenceOldMaster(
      {
        outgoing: master,
        successor: replica,
        keepUsers: ["orchestrator"],
        deadline: realWorld.elapsed() + limitMs,
        ...order,
      },
      context(connect),
    );

  const context = (connect: Connect = connectMySql) => ({ connect, account, world: realWorld });

  /** Until everything that the master has is on the replica. */
  async function replicated(): Promise<void> {
    const note = `mark ${String(Date.now())}`;
    await master.query(`REPLACE INTO app.lines_written VALUES (0, '${note}')`);
    await waitUntil(
      async () =>
        (await replica.query("SELECT note FROM app.lines_written WHERE id=0"))[0]?.["note"] === note,
      { timeoutMs: 60_000, what: "the replica to catch up" },
    );
  }

  async function processes(): Promise<Row[]> {
    return await master.query("SHOW PROCESSLIST");
  }

  /** What a check finds of the account's privileges on the master. */
  async function missing(openedBy: "orchestrator" | "primacy"): Promise<readonly string[]> {
    const { host, port } = master;
    const layout = parseLayout({
      cluster: "main",
      hostgroups: { writer: 10 },
      servers: [{ host, port }],
      openedBy,
    });
    if (!layout.ok) throw new Error(layout.problem);
    const [seen] = await lookAtServers(layout.value, realWorld.elapsed() + 60_000, context());
    if (seen?.kind !== "reached") throw new Error(JSON.stringify(seen));
    return privilegeFindings("the master", seen, layout.value).map(({ says }) => says);
  }

  const isGone = async (connection: Client): Promise<boolean> =>
    await connection.query("SELECT 1").then(
      () => false,
      () => true,
    );

  it("kills idle sessions, open transactions, running statements and whoever waits for a lock", async () => {
    const idle = await client();
    const holding = await client();
    await holding.query("BEGIN");
    await holding.query("UPDATE lines_written SET note='not committed' WHERE id=1");
    const running = await client();
    const slept = running.query("SELECT SLEEP(60)").catch(() => "killed");
    const waiting = await client();
    const locked = waiting.query("UPDATE lines_written SET note='waited' WHERE id=1").then(
      () => "acknowledged",
      () => "killed",
    );
    const tables = await client();
    await tables.query("LOCK TABLES app.others WRITE");

    const silenced = await silence();

    expect(silenced).toMatchObject({
      kind: "done",
      wasWritable: true,
      proof: { readOnly: true, left: 0, caughtUp: true },
    });
    expect(silenced.kind === "done" && silenced.proof.killed).toBeGreaterThanOrEqual(5);
    for (const one of [idle, holding, running, waiting, tables]) expect(await isGone(one)).toBe(true);
    expect(await slept).toBe("killed");
    // Who waits for a lock may get it from the one that is killed before it, and is told or not. The successor has it.
    const told = await locked;
    const [row] = await master.query("SELECT note FROM app.lines_written WHERE id=1");
    expect(told === "acknowledged" ? ["waited"] : ["one", "waited"]).toContain(row?.["note"]);
    expect(await replica.query("SELECT note FROM app.lines_written WHERE id=1")).toEqual([row]);
    await writable(master);
    await master.query("UPDATE app.lines_written SET note='one' WHERE id=1");
  });

  it("lets replication and Orchestrator live", async () => {
    const orchestrator = await client("orchestrator");
    const before = (await processes()).filter((row) => String(row["Command"]).startsWith("Binlog Dump"));
    expect(before).toHaveLength(1);
    expect(await silence()).toMatchObject({ proof: { left: 0, caughtUp: true } });
    expect(await isGone(orchestrator)).toBe(false);
    const after = (await processes()).filter((row) => String(row["Command"]).startsWith("Binlog Dump"));
    expect(after.map((row) => row["Id"])).toEqual(before.map((row) => row["Id"]));
    await writable(master);
    await replicated();
  });

  it("on a server that is a replica itself, its replication goes on", async () => {
    const silenced = await silence({ outgoing: replica, successor: null });
    expect(silenced).toMatchObject({ kind: "done", proof: { readOnly: true, left: 0, caughtUp: null } });
    await replicated();
    await writable(replica);
    await replica.query("SET GLOBAL read_only=1");
  });

  it("new sessions can't write, without SUPER; with it neither, where there is a super_read_only", async () => {
    await silence();
    const app = await client();
    await expect(app.query("INSERT INTO lines_written VALUES (7, 'no')")).rejects.toMatchObject({
      errno: 1290,
    });
    const boss = await client("boss");
    const written = await boss.query("INSERT INTO app.lines_written VALUES (8, 'by an administrator')").then(
      () => true,
      () => false,
    );
    expect(written).toBe(!kit.superReadOnly);
    await writable(master);
    await master.query("DELETE FROM app.lines_written WHERE id=8");
  });

  it("the account that only silences can't open, and a check tells which privileges it lacks", async () => {
    expect(await missing("orchestrator")).toEqual([]);
    expect(await missing("primacy")).toHaveLength(1);
    const problem = await openServer(replica, [master], realWorld.elapsed() + 60_000, context());
    expect(problem).toMatch(/denied|privilege/i);
    for (const statement of documentedSql(kit.heading, 1)) await master.query(statement);
    expect(await missing("primacy")).toEqual([]);
    await replicated();
  });

  it("the documented account can neither read nor write data", async () => {
    const { user, password } = account;
    const primacy = await master.connect({ user, password }, "");
    clients.push(primacy);
    await expect(primacy.query("SELECT * FROM app.lines_written")).rejects.toMatchObject({ errno: 1142 });
    await expect(primacy.query("DELETE FROM app.lines_written")).rejects.toMatchObject({ errno: 1142 });
    await expect(primacy.query("CREATE DATABASE mine")).rejects.toMatchObject({ errno: 1044 });
  });

  it("a KILL that comes too late stops none of the others", async () => {
    const gone = await client();
    const stays = await client();
    const [row] = (await gone.query("SELECT CONNECTION_ID() AS id"))[0] as { id: number }[];
    const failures: string[] = [];
    const connect: Connect = async (...args) => {
      const session = await connectMySql(...args);
      return {
        ...session,
        query: async (sql, limitMs) => {
          // It ends between our look and our KILL.
          if (sql === `KILL CONNECTION ${String(row?.id)}`) {
            gone.destroy();
            await waitUntil(async () => !(await processes()).some((one) => one["Id"] === row?.id), {
              timeoutMs: 60_000,
              what: "the session to end",
            });
          }
          return await session.query(sql, limitMs).catch((error: unknown) => {
            failures.push(String((error as { errno?: number }).errno));
            throw error;
          });
        },
      };
    };
    expect(await silence({}, connect)).toMatchObject({ proof: { left: 0, killed: 1 }, notes: [] });
    expect(failures).toContain("1094");
    expect(await isGone(stays)).toBe(true);
  });

  it("an account that may not: said, and nothing else breaks", async () => {
    const app = { ...accounts.app, tls: "off", ca: undefined } as const;
    const silenced = await silenceOldMaster(
      { outgoing: master, successor: null, keepUsers: [], deadline: realWorld.elapsed() + 60_000 },
      { connect: connectMySql, account: app, world: realWorld },
    );
    expect(silenced).toMatchObject({ kind: "done", proof: { readOnly: false } });
    expect(silenced.kind === "done" && silenced.notes.join()).toMatch(/Access denied|privilege/);
    const wrong = { ...app, password: "hidden-word" };
    const refused = await silenceOldMaster(
      { outgoing: master, successor: null, keepUsers: [], deadline: realWorld.elapsed() + 60_000 },
      { connect: connectMySql, account: wrong, world: realWorld },
    );
    expect(refused).toMatchObject({ kind: "unreachable" });
    expect(JSON.stringify(refused)).not.toContain("hidden-word");
  });

  it("waits until the successor has executed everything, and says when it hasn't", async () => {
    const applier = await lockedApplier();
    try {
      await master.query("UPDATE app.lines_written SET note='late' WHERE id=2");
      const short = await silence({}, connectMySql, 6000);
      expect(short).toMatchObject({ proof: { readOnly: true, left: 0, caughtUp: false } });
      const longer = silence({}, connectMySql, 90_000);
      await waitUntil(async () => (await replica.query("SHOW PROCESSLIST")).some(isWaiting), {
        timeoutMs: 60_000,
        what: "the wait on the successor",
      });
      await applier.release();
      expect(await longer).toMatchObject({ proof: { caughtUp: true } });
      expect(await replica.query("SELECT note FROM app.lines_written WHERE id=2")).toEqual([
        { note: "late" },
      ]);
    } finally {
      await applier.release();
    }
  });

  const isWaiting = (row: Row) => /WAIT/.test(String(row["Info"]));

  /** Holds up the replica's applier without stopping it. */
  async function lockedApplier(): Promise<{ release: () => Promise<void> }> {
    const session = await replica.connect(accounts.root, "app");
    others.push(session);
    await session.query("BEGIN");
    await session.query("SELECT * FROM lines_written WHERE id=2 FOR UPDATE");
    return {
      release: async () => {
        await session.query("COMMIT").catch(() => undefined);
      },
    };
  }

  it("keeps its deadline with a server that hangs, before and in the middle", async () => {
    master.suspend();
    const hung = await silence({}, connectMySql, 2000);
    expect(hung).toMatchObject({ kind: "unreachable" });
    master.resume();

    let suspended = false;
    const connect: Connect = async (...args) => {
      const session = await connectMySql(...args);
      return {
        ...session,
        query: async (sql, limitMs) => {
          if (!suspended && sql.startsWith("SET GLOBAL")) {
            suspended = true;
            master.suspend();
          }
          return await session.query(sql, limitMs);
        },
      };
    };
    const started = realWorld.elapsed();
    const cut = await silence({}, connect, 5000);
    expect(suspended).toBe(true);
    expect(cut).toMatchObject({ kind: "done", proof: { readOnly: false, caughtUp: null } });
    // A bound against waiting for ever, not a measurement.
    expect(realWorld.elapsed() - started).toBeLessThan(60_000);
    master.resume();
    await waitUntil(async () => await master.query("SELECT 1"), { timeoutMs: 60_000, what: "the master" });
  });

  it("a read_only that waits for somebody who can't be killed does not come true after we have gone", async () => {
    const holder = await client();
    await holder.query("LOCK TABLES others WRITE");
    const silenced = await silence({ successor: null, keepUsers: ["app"] }, connectMySql, 5000);
    expect(silenced).toMatchObject({ kind: "done", proof: { readOnly: false } });
    await holder.query("UNLOCK TABLES");
    await waitUntil(async () => !(await processes()).some((row) => row["User"] === "primacy"), {
      timeoutMs: 60_000,
      what: "our sessions to be gone",
    });
    expect(await master.query("SELECT @@global.read_only AS readOnly")).toEqual([{ readOnly: 0 }]);
  });

  it("the successor has everything where the last to write was itself: A, then B, then A again", async () => {
    // What stands on the master now was written by the replica, as its master.
    await silence();
    await openServer(replica, [master], realWorld.elapsed() + 60_000, context());
    await master.replicateFrom(replica);
    await replica.query("UPDATE app.lines_written SET note='by the other' WHERE id=2");
    await waitUntil(
      async () =>
        (await master.query("SELECT note FROM app.lines_written WHERE id=2"))[0]?.["note"] === "by the other",
      { timeoutMs: 60_000, what: "the former master to catch up" },
    );
    expect(await silence({ outgoing: replica, successor: master })).toMatchObject({
      proof: { caughtUp: true },
    });
    await openServer(master, [replica], realWorld.elapsed() + 60_000, context());
    await kit.rejoin(replica, master);
    expect(await silence({ outgoing: master, successor: replica })).toMatchObject({
      proof: { caughtUp: true },
    });
    await writable(master);
  });

  describe("the new master", () => {
    it("is opened by the documented account: it forgets its master once everything is executed", async () => {
      await replicated();
      const deadline = realWorld.elapsed() + 60_000;
      expect(await openServer(replica, [master], deadline, context())).toBeUndefined();
      expect(await replica.replicaStatus()).toBeUndefined();
      const app = await replica.connect(accounts.app);
      others.push(app);
      await app.query("INSERT INTO lines_written VALUES (99, 'on the new master')");
      // Once more: nothing to do.
      expect(await openServer(replica, [master], deadline, context())).toBeUndefined();
      await app.query("DELETE FROM lines_written WHERE id=99");
    });

    it("that can't be reached is not open", async () => {
      const nowhere = { host: "127.0.0.1", port: 1 };
      expect(await openServer(nowhere, [master], realWorld.elapsed() + 2000, context())).toMatch(
        /127.0.0.1:1/,
      );
    });
  });
}
