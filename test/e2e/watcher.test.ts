import {
  type AdminCut,
  type Cut,
  startAdminCut,
  startProxySql,
  startWatcher,
  waitUntil,
} from "@primacy/testkit";
import { afterEach, describe, expect, test } from "vitest";
import { writersOnDisk } from "./lease.support.js";
import { type World, onlineIn, proxySqlKind, serversOf, startLoneProxySql, startWorld } from "./world.js";

const [db1, db2, db3] = serversOf("127.0.0.1", 3311, 3312, 3313) as [Server, Server, Server];
const MAIN = { name: "main", writer: 10, reader: 20, servers: [db1, db2, db3] };
type Server = { host: string; port: number };

const STATEMENTS = /^(INSERT|UPDATE|LOAD|SAVE|CREATE)/;

let world: World;
const closing: (() => Promise<void>)[] = [];

async function makeWorld(): Promise<World> {
  world = await startWorld([MAIN]);
  closing.push(async () => world.close());
  await world.bootstrap(MAIN, db1);
  return world;
}

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

describe("a watcher that is killed between any two steps", () => {
  test("leaves at most one server that takes writes, and the next one ends where it would have ended", async () => {
    await makeWorld();
    const proxysql = await startLoneProxySql();
    const cut = await startAdminCut({ host: "127.0.0.1", port: proxysql.adminPort });
    closing.push(async () => cut.close());
    const { watcher } = await world.addProxy(proxysql, "proxy1", cut.port);
    let [outgoing, successor] = [db1, db2];
    for (const where of ["before", "after"] as const) {
      for (let step = 0; ; step += 1) {
        const reached = killAtStatement(cut, step, where, () => watcher.kill9());
        const hook = await world.hook("PostMasterFailover", { cluster: "main", failed: outgoing, successor });
        expect(hook.code, hook.stderr).toBe(0);
        const { generation } = await world.record("main");
        const killed = await reached(world, generation);
        expect((await onlineIn(proxysql, 10)).length).toBeLessThanOrEqual(1);
        // Whoever loads what the dead watcher left behind must not make a second writer of it.
        await proxysql.admin("LOAD MYSQL SERVERS TO RUNTIME");
        expect((await onlineIn(proxysql, 10)).length).toBeLessThanOrEqual(1);
        if (killed) await watcher.start();
        await watcher.waitForGeneration("main", generation);
        expect(await onlineIn(proxysql, 10)).toEqual([`${successor.host}:${successor.port}`]);
        [outgoing, successor] = [successor, outgoing];
        if (!killed) break;
        expect(step).toBeLessThan(20);
      }
    }
  });
});

/** Kills at the n-th statement that changes something; answers whether it came to that before all was acknowledged. */
function killAtStatement(
  cut: AdminCut,
  n: number,
  where: Cut,
  kill: () => Promise<unknown>,
): (here: World, generation: number) => Promise<boolean> {
  let seen = 0;
  let killed: Promise<unknown> | null = null;
  cut.onStatement = (sql) => {
    if (!STATEMENTS.test(sql) || seen++ !== n) return null;
    killed = kill();
    return where;
  };
  return async (here, generation) => {
    const acknowledged = here.acknowledged("main", generation).then(
      () => "acknowledged",
      () => "not acknowledged",
    );
    await waitUntil(
      async () => killed !== null || (await Promise.race([acknowledged, Promise.resolve(null)])),
      {
        timeoutMs: 60_000,
        what: `statement ${n} or the acknowledgement of generation ${generation}`,
      },
    );
    // What the tests do from here on makes statements too.
    cut.onStatement = () => null;
    await killed;
    return killed !== null;
  };
}

describe("ProxySQL", () => {
  test("restarted with an old layout on its disk, it has the record's within seconds, and keeps it", async () => {
    await makeWorld();
    const proxysql = await startLoneProxySql();
    const { watcher } = await world.addProxy(proxysql, "proxy1");
    await proxysql.admin(
      `UPDATE disk.mysql_servers SET status='ONLINE' WHERE hostgroup_id=10 AND port=${db3.port}`,
    );
    await proxysql.admin(
      `UPDATE disk.mysql_servers SET status='OFFLINE_HARD' WHERE hostgroup_id=10 AND port=${db1.port}`,
    );
    await proxysql.kill9();
    await waitUntil(async () => (await watcher.readiness()).proxysql === "down", {
      timeoutMs: 60_000,
      what: "the watcher to miss ProxySQL",
    });
    await proxysql.start();
    await waitUntil(async () => (await onlineIn(proxysql, 10)).join() === "127.0.0.1:3311", {
      timeoutMs: 60_000,
      what: "the record's master in the writer hostgroup",
    });
    await waitUntil(async () => (await watcher.readiness()).ready, { timeoutMs: 60_000, what: "readiness" });
    // The disk comes after the runtime, and it is what the next process begins with.
    await waitUntil(async () => (await writersOnDisk(proxysql, 10)).join() === "127.0.0.1:3311", {
      timeoutMs: 60_000,
      what: "the record's master on the disk",
    });
    await proxysql.restart();
    expect(await onlineIn(proxysql, 10)).toEqual(["127.0.0.1:3311"]);
  });

  test("changed by somebody else, it is put right, and operators' columns and other hostgroups stay", async () => {
    await makeWorld();
    const proxysql = await startLoneProxySql();
    await proxysql.admin(
      "INSERT INTO mysql_servers (hostgroup_id, hostname, port, weight, comment) VALUES (10, '127.0.0.1', 3311, 77, 'it''s mine')",
    );
    await proxysql.admin("INSERT INTO mysql_servers (hostgroup_id, hostname) VALUES (99, 'elsewhere')");
    await proxysql.admin("LOAD MYSQL SERVERS TO RUNTIME");
    const { watcher } = await world.addProxy(proxysql, "proxy1");
    await proxysql.admin("UPDATE mysql_servers SET status='ONLINE' WHERE hostgroup_id=10");
    await proxysql.admin("LOAD MYSQL SERVERS TO RUNTIME");
    await waitUntil(async () => (await onlineIn(proxysql, 10)).join() === "127.0.0.1:3311", {
      timeoutMs: 60_000,
      what: "one writer again",
    });
    const [row] = await proxysql.admin(
      "SELECT weight, comment FROM mysql_servers WHERE hostgroup_id=10 AND port=3311",
    );
    expect(row).toEqual({ weight: "77", comment: "it's mine" });
    expect(await onlineIn(proxysql, 99)).toEqual(["elsewhere:3306"]);
    await waitUntil(
      async () => /drift_total\{cluster="main"\} [1-9]/.test(await (await watcher.get("/metrics")).text()),
      { timeoutMs: 60_000, what: "the drift in the metrics" },
    );
  });

  test("with a wrong password, it is held and said; once the password is right, it is applied", async () => {
    await makeWorld();
    const proxysql = await startLoneProxySql();
    const admin = { host: "127.0.0.1", port: proxysql.adminPort, user: "primacy", password: "hidden-word" };
    const watcher = await startWatcher({
      proxy: "proxy9",
      clusters: ["main"],
      admin,
      consul: [world.consulAddress],
    });
    closing.push(
      async () => proxysql.close(),
      async () => watcher.close(),
    );
    await waitUntil(() => watcher.log.includes("refused user or password"), {
      timeoutMs: 60_000,
      what: "the refusal in the log",
    });
    expect((await watcher.readiness()).ready).toBe(false);
    expect(await onlineIn(proxysql, 10)).toEqual([]);
    await proxysql.admin("SET admin-admin_credentials='admin:admin-password;primacy:hidden-word'");
    await proxysql.admin("LOAD ADMIN VARIABLES TO RUNTIME");
    await watcher.waitForGeneration("main", 1);
    expect(watcher.log).not.toContain("hidden-word");
  });

  test("owned by its own monitor, it is refused with the statement that resolves it, and taken over once that was run", async () => {
    await makeWorld();
    const proxysql = await startProxySql({
      kind: proxySqlKind,
      replicationHostgroups: [{ writer_hostgroup: 10, reader_hostgroup: 20, comment: "" }],
    });
    const admin = { host: "127.0.0.1", port: proxysql.adminPort, user: "admin", password: "admin-password" };
    const watcher = await startWatcher({
      proxy: "proxy9",
      clusters: ["main"],
      admin,
      consul: [world.consulAddress],
    });
    closing.push(
      async () => proxysql.close(),
      async () => watcher.close(),
    );
    await waitUntil(
      () => watcher.log.includes("DELETE FROM mysql_replication_hostgroups WHERE writer_hostgroup=10"),
      {
        timeoutMs: 60_000,
        what: "the conflict in the log",
      },
    );
    expect(await onlineIn(proxysql, 10)).toEqual([]);
    await proxysql.admin("DELETE FROM mysql_replication_hostgroups WHERE writer_hostgroup=10");
    await proxysql.admin("LOAD MYSQL SERVERS TO RUNTIME");
    await watcher.waitForGeneration("main", 1);
    expect(await onlineIn(proxysql, 10)).toEqual(["127.0.0.1:3311"]);
  });

  test("hung, it holds nothing up for ever: the watcher gives up, says so, and comes back", async () => {
    await makeWorld();
    const proxysql = await startLoneProxySql();
    const { watcher } = await world.addProxy(proxysql, "proxy1");
    proxysql.suspend();
    const hook = await world.hook("PostMasterFailover", { cluster: "main", failed: db1, successor: db2 });
    expect(hook.code).toBe(0);
    await waitUntil(() => watcher.log.includes("did not answer in time"), {
      timeoutMs: 60_000,
      what: "the time-out in the log",
    });
    proxysql.resume();
    await watcher.waitForGeneration("main", 2);
    expect(await onlineIn(proxysql, 10)).toEqual(["127.0.0.1:3312"]);
  });
});

describe("Consul", () => {
  test("restarted: the layout is held, the watcher says so, and follows again by itself", async () => {
    await makeWorld();
    if (!("httpAddr" in world.consul)) return;
    const proxysql = await startLoneProxySql();
    const { watcher } = await world.addProxy(proxysql, "proxy1");
    await world.consul.stop();
    await waitUntil(() => watcher.log.includes("holding the layout"), {
      timeoutMs: 60_000,
      what: "holding in the log",
    });
    await proxysql.admin("UPDATE mysql_servers SET status='ONLINE' WHERE hostgroup_id=10");
    await proxysql.admin("LOAD MYSQL SERVERS TO RUNTIME");
    await waitUntil(async () => (await onlineIn(proxysql, 10)).join() === "127.0.0.1:3311", {
      timeoutMs: 60_000,
      what: "drift repaired while Consul is away",
    });
    await world.consul.start();
    const hook = await world.hook("PostMasterFailover", { cluster: "main", failed: db1, successor: db2 });
    expect(hook.code, hook.stderr).toBe(0);
    await watcher.waitForGeneration("main", 2);
    await world.acknowledged("main", 2);
  });

  test("wiped and bootstrapped anew: the other history is refused until an operator accepts it", async () => {
    await makeWorld();
    const proxysql = await startLoneProxySql();
    const { watcher } = await world.addProxy(proxysql, "proxy1");
    const first = await world.record("main");
    const gone = await fetch(`${world.consulAddress}/v1/kv/primacy?recurse=true`, { method: "DELETE" });
    expect(gone.ok).toBe(true);
    await waitUntil(() => watcher.log.includes("nothing lies under the cluster's keys"), {
      timeoutMs: 60_000,
      what: "holding",
    });
    await world.bootstrap(MAIN, db3);
    await waitUntil(() => watcher.log.includes("another history"), {
      timeoutMs: 60_000,
      what: "the refusal",
    });
    expect(await onlineIn(proxysql, 10)).toEqual(["127.0.0.1:3311"]);
    expect((await world.record("main")).incarnation).not.toBe(first.incarnation);
    await proxysql.admin("UPDATE mysql_servers SET status='ONLINE' WHERE hostgroup_id=10");
    await proxysql.admin("LOAD MYSQL SERVERS TO RUNTIME");
    await waitUntil(async () => (await onlineIn(proxysql, 10)).join() === "127.0.0.1:3311", {
      timeoutMs: 60_000,
      what: "drift repaired while the record is refused",
    });
    expect((await watcher.readiness()).clusters[0]?.says).toContain("refused generation 1");
    await accept(watcher.environment, "1");
    watcher.signal("SIGHUP");
    await waitUntil(async () => (await onlineIn(proxysql, 10)).join() === "127.0.0.1:3313", {
      timeoutMs: 60_000,
      what: "the accepted record",
    });
  });
});

async function accept(env: NodeJS.ProcessEnv, generation: string): Promise<void> {
  const { programs, startProcess } = await import("@primacy/testkit");
  const args = [programs.watcher, "accept", "--cluster", "main", "--generation", generation];
  const running = await startProcess({ name: "accept", command: process.execPath, args, env });
  const exit = await running.exited;
  expect(exit.code, running.lastOutput()).toBe(0);
}
