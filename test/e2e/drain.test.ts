import {
  type MariaDb,
  type ProxySql,
  accounts,
  hookEnvironment,
  recoveryUid,
  serverForTests,
  startMariaDb,
  startProxySql,
  waitUntil,
} from "@primacy/testkit";
import type { Connection } from "mysql2/promise";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { applyLayout, writersBecome } from "./lease.support.js";
import { type World, onlineIn, proxySqlKind, startWorld } from "./world.js";

const there =
  serverForTests("mariadb", "drain and old connections, end to end, on real MariaDB") !== undefined;
const WRITER = 10;
const READER = 20;
const forward = { user: "forward", password: "forward-password" };
/** Long enough to look around in, also where the machine stands still meanwhile; short enough to wait for. */
const DRAIN_SECONDS = 16;

describe.runIf(there)("sessions of an outgoing master", () => {
  let db1: MariaDb;
  let db2: MariaDb;
  let world: World;
  let proxysql: ProxySql;
  const sessions: Connection[] = [];
  const plan = () => ({ name: "main", writer: WRITER, reader: READER, servers: [db1, db2].map(serverOf) });

  beforeAll(async () => {
    [db1, db2] = await Promise.all([startMariaDb({ serverId: 1 }), startMariaDb({ serverId: 2 })]);
    for (const db of [db1, db2]) {
      await db.query("CREATE TABLE app.notes (id INT AUTO_INCREMENT PRIMARY KEY, text VARCHAR(100))");
      await db.query(`CREATE USER '${forward.user}'@'%' IDENTIFIED BY '${forward.password}'`);
      await db.query(`GRANT ALL ON app.* TO '${forward.user}'@'%'`);
    }
    world = await startWorld([plan()]);
    await world.bootstrap(plan(), serverOf(db1));
    await applyLayout(world, plan(), { drainSeconds: DRAIN_SECONDS });
    proxysql = await startProxySql({
      kind: proxySqlKind,
      variables: {
        "mysql-monitor_enabled": "false",
        "mysql-query_retries_on_failure": "0",
        "mysql-connect_timeout_server_max": "120000",
      },
      users: [
        { username: accounts.app.user, password: accounts.app.password, default_hostgroup: WRITER },
        { username: forward.user, password: forward.password, default_hostgroup: WRITER, fast_forward: 1 },
      ],
      rules: [{ rule_id: 1, active: 1, match_digest: "^SELECT id", destination_hostgroup: READER, apply: 1 }],
    });
    await world.addProxy(proxysql, "proxy1");
  });
  afterAll(async () => {
    await world?.close();
    await Promise.all([db1?.close(), db2?.close()]);
  });
  afterEach(() => {
    for (const session of sessions.splice(0)) session.destroy();
  });

  async function client(user = accounts.app): Promise<Connection> {
    const session = await proxysql.connectClient(user);
    sessions.push(session);
    return session;
  }

  async function inTransaction(text: string): Promise<Connection> {
    const session = await client();
    await session.query("BEGIN");
    await session.query(`INSERT INTO notes (text) VALUES ('${text}')`);
    return session;
  }

  async function notes(db: MariaDb): Promise<unknown[]> {
    return (await db.query("SELECT text FROM app.notes ORDER BY id")).map((row) => row["text"]);
  }

  /** What the one watcher has acknowledged, as `state connections`. */
  async function acknowledged(): Promise<string> {
    const { acknowledgements } = await world.store.readAcknowledgements("main");
    const [entry] = acknowledgements;
    if (entry?.document.kind !== "valid") return "nothing";
    const { phase, state, connectionsInUse } = entry.document.value;
    return `${phase}: ${state}, ${connectionsInUse} in use`;
  }

  async function becomes(what: string, look: () => Promise<string>, wanted: RegExp): Promise<void> {
    await waitUntil(
      async () => {
        const seen = await look();
        if (!wanted.test(seen)) throw new Error(seen);
        return true;
      },
      { timeoutMs: 60_000, what: `${what} to be ${String(wanted)}` },
    );
  }

  /** Who takes writes now, and the other one. */
  async function now(): Promise<[master: MariaDb, other: MariaDb]> {
    const { master } = await world.record("main");
    return master.port === db1.port ? [db1, db2] : [db2, db1];
  }

  async function heldOn(of: MariaDb): Promise<unknown> {
    const [row] = await proxysql.admin(
      `SELECT ConnUsed FROM stats_mysql_connection_pool WHERE hostgroup=${WRITER} AND srv_port=${of.port}`,
    );
    return row?.["ConnUsed"];
  }

  function facts(failed: MariaDb, successor: MariaDb, command = "") {
    const at = { recoveryUid: recoveryUid(Date.now()), ...(command === "" ? {} : { command }) };
    return { cluster: "main", failed: serverOf(failed), successor: serverOf(successor), ...at };
  }

  /** Begins a drain; answers what its hook, which may wait for the proxies, ends with. */
  async function drain(from: MariaDb, to: MariaDb): Promise<{ ended: Promise<number | null> }> {
    const facts0 = { ...facts(from, to, "graceful-master-takeover"), recoveryUid: "" };
    const ended = world.hook("PreGracefulTakeoverProcesses", facts0).then((hook) => hook.code);
    await becomes("the record", async () => (await world.record("main")).phase, /^draining$/);
    return { ended };
  }

  async function open(from: MariaDb, to: MariaDb): Promise<void> {
    const hook = await world.hook("PostMasterFailoverProcesses", facts(from, to));
    expect(hook.code, hook.stdout + hook.stderr).toBe(0);
  }

  const state = (session: Promise<unknown>): Promise<string> =>
    session.then(
      () => "done",
      (error: { code?: string; errno?: number }) => error.code ?? String(error.errno),
    );

  test("a drain lets them finish, kills what is left at its deadline, and reports how many there are", async () => {
    const finishes = await inTransaction("finishes in the drain");
    const lingers = await inTransaction("lingers");
    const bound = await client();
    await bound.query("SET @bound=1");
    const fast = await client(forward);
    await fast.query("SELECT 1");
    const runs = await client();
    const running = state(runs.query("INSERT INTO notes (text) SELECT CONCAT('runs', SLEEP(120))"));
    await becomes(
      "the long statement",
      async () => {
        const sql = "SELECT 1 FROM information_schema.PROCESSLIST WHERE INFO LIKE 'INSERT%SLEEP%'";
        return String((await db1.query(sql)).length);
      },
      /^1$/,
    );

    const { ended } = await drain(db1, db2);
    await becomes("the acknowledgement", acknowledged, /^draining: draining, 5 in use$/);
    await finishes.query("COMMIT");
    await fast.query("INSERT INTO notes (text) VALUES ('fast forward in the drain')");
    const waits = await client();
    const waiting = state(waits.query("INSERT INTO notes (text) VALUES ('waits for the new master')"));

    await becomes("the acknowledgement", acknowledged, /^draining: drained, 0 in use$/);
    expect(await ended).toBe(0);
    expect(await onlineIn(proxysql, WRITER)).toEqual([]);
    expect(await running).toBe("PROTOCOL_CONNECTION_LOST");
    for (const session of [lingers, bound, fast]) {
      expect(await state(session.query("SELECT 1"))).not.toBe("done");
    }
    await open(db1, db2);
    expect(await waiting).toBe("done");
    expect(await notes(db1)).toEqual(["finishes in the drain", "fast forward in the drain"]);
    expect(await notes(db2)).toEqual(["waits for the new master"]);
  });

  test("a former master comes back only after its old transactions are gone: none lives again", async () => {
    const [from, to] = await now();
    const old = await inTransaction("from before");
    await open(from, to);
    await writersBecome(proxysql, WRITER, [to.address]);
    expect(await heldOn(from)).toBe("1");
    await open(to, from);
    await writersBecome(proxysql, WRITER, [from.address]);
    expect(await state(old.query("INSERT INTO notes (text) VALUES ('lives again')"))).not.toBe("done");
    const said = await notes(from);
    expect(said).not.toContain("from before");
    expect(said).not.toContain("lives again");
    const fresh = await client();
    await fresh.query("INSERT INTO notes (text) VALUES ('from now on')");
    expect(await notes(from)).toContain("from now on");
  });

  test("a connection that hides behind a read elsewhere does not keep its master out for good", async () => {
    const [from, to] = await now();
    const hides = await client();
    await hides.query("CREATE TEMPORARY TABLE kept (id INT)");
    await hides.query("SELECT id FROM notes");
    await open(from, to);
    await writersBecome(proxysql, WRITER, [to.address]);
    const waits = await client();
    expect(await heldOn(from)).toBe("1");
    await open(to, from);
    await writersBecome(proxysql, WRITER, [from.address]);
    expect(await state(hides.query("SELECT * FROM kept"))).not.toBe("done");
    expect(await state(waits.query("INSERT INTO notes (text) VALUES ('was at no other hostgroup')"))).toBe(
      "done",
    );
  });

  test("when a fence stands, a fast_forward session writes no more", async () => {
    const [from, to] = await now();
    const fast = await client(forward);
    const writing = (async () => {
      for (;;) await fast.query("INSERT INTO notes (text) VALUES ('fast forward')");
    })();
    const ended = state(writing);
    const written = async () => (await notes(from)).filter((text) => text === "fast forward").length;
    await becomes("what is written", async () => String(await written()), /^[1-9]/);
    // As long as it takes: the usual 5 s may be over before a machine that stood still has gone on.
    const patient = { ...hookEnvironment(facts(from, to)), PRIMACY_WAIT: "60" };
    const fence = await world.writerWith(patient, "hook", "PreFailoverProcesses");
    expect(fence.stdout + fence.stderr).toContain("1 of 1 proxies");
    const atTheFence = await written();
    expect(await ended).not.toBe("done");
    expect(await written()).toBe(atTheFence);
    await open(from, to);
    await writersBecome(proxysql, WRITER, [to.address]);
  });
});

function serverOf({ host, port }: MariaDb): { host: string; port: number } {
  return { host, port };
}
