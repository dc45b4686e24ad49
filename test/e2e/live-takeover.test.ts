import {
  Fleet,
  type FleetOptions,
  type Load,
  type LoadReport,
  type MariaDb,
  type OracleVerdict,
  SEMI_SYNCHRONOUS,
  countReadsAfter,
  createLoadTable,
  findServer,
  judge,
  serverForTests,
  startConsul,
  startLoad,
  waitUntil,
} from "@primacy/testkit";
import { afterEach, describe, expect, test } from "vitest";

const TESTS = "takeovers under load on real database servers";
const isReady =
  serverForTests("mariadb", TESTS) !== undefined && serverForTests("consul", TESTS) !== undefined;
const kindOf = (name: "proxysql" | "orchestrator"): "stand-in" | "real" =>
  typeof findServer(name) === "string" ? "stand-in" : "real";

/** Of a test: its own waits come first. */
const LIMIT = { timeout: 600_000 };

let fleet: Fleet | undefined;
let load: Load | undefined;

afterEach(async () => {
  await load?.stop();
  await fleet?.close();
  await fleet?.options.consul.close();
  load = undefined;
  fleet = undefined;
});

async function startFleet(options: Partial<FleetOptions> = {}): Promise<Fleet> {
  const consul = await startConsul();
  fleet = await Fleet.start({
    routing: "primacy",
    clusters: { main: 3, shop: 2 },
    proxies: 3,
    proxySqlKind: kindOf("proxysql"),
    orchestratorKind: kindOf("orchestrator"),
    // What is acknowledged must be there after a kill: what else is lost is not the takeover's doing.
    database: () => ({ extra: SEMI_SYNCHRONOUS }),
    consul: { address: consul.httpAddr, close: async () => consul.close() },
    ...options,
  });
  for (const { databases } of fleet.clusters) {
    await createLoadTable(databases[0]!);
    for (const replica of databases.slice(1)) await replica.catchUpWith(databases[0]!);
  }
  return fleet;
}

/** Clients through every proxy, until `enough` writes have been acknowledged. */
async function underLoad(on: Fleet, cluster: string, enough = 200): Promise<Load> {
  const { account } = on.cluster(cluster);
  const running = startLoad({
    targets: on.proxies.map(({ port }, index) => ({
      host: "127.0.0.1",
      port,
      ...account,
      name: `proxy${index + 1}`,
    })),
    maxDurationMs: 600_000,
  });
  await more(running, enough);
  return running;
}

async function more(running: Load, writes: number): Promise<void> {
  const before = running.snapshot().acknowledged;
  await waitUntil(() => running.snapshot().acknowledged >= before + writes, {
    timeoutMs: 200_000,
    what: `${writes} more acknowledged writes`,
  });
}

async function everywhere(on: Fleet, cluster: string, generation: number): Promise<void> {
  for (const watcher of on.watchers) await watcher.waitForGeneration(cluster, generation, 60_000);
}

/** The server that each ProxySQL lets take writes; all must agree. One that is shunned is tried again. */
async function writerOf(on: Fleet, cluster: string): Promise<MariaDb> {
  return await onlyServer(on, cluster, "status<>'OFFLINE_HARD'");
}

async function onlyServer(on: Fleet, cluster: string, which: string): Promise<MariaDb> {
  const { writer, databases } = on.cluster(cluster);
  const ports = await Promise.all(
    on.proxies.map(async (proxy) => {
      const rows = await proxy.admin(
        `SELECT port FROM runtime_mysql_servers WHERE hostgroup_id=${writer} AND ${which}`,
      );
      return rows.map((row) => row["port"]).join(" and ");
    }),
  );
  expect(new Set(ports).size, ports.join(", ")).toBe(1);
  const found = databases.find((one) => String(one.port) === ports[0]);
  if (found === undefined) throw new Error(`writes go to ${ports[0]}`);
  return found;
}

async function verdictOf(
  on: Fleet,
  report: LoadReport,
  master: MariaDb,
  switchedAtMs: number,
): Promise<OracleVerdict> {
  const { databases } = on.cluster("main");
  return await judge({ load: report, servers: databases, finalMaster: master, switchedAtMs });
}

describe.runIf(isReady)("takeovers under load, through three ProxySQLs and two clusters", LIMIT, () => {
  test("planned: no write anywhere else, none lost, and the other cluster is not touched", async () => {
    const on = await startFleet();
    load = await underLoad(on, "main");
    const [old] = on.cluster("main").databases;
    await on.orchestrator.waitForReplication("main");
    const answer = await on.orchestrator.gracefulTakeover("main");
    expect(answer.status, JSON.stringify(answer.body)).toBe(200);
    await everywhere(on, "main", 2);
    const switchedAtMs = Date.now();
    const master = await writerOf(on, "main");
    expect(master.address).not.toBe(old!.address);
    await more(load, 200);
    const report = await load.stop();
    await old!.catchUpWith(master).catch(() => undefined);
    const verdict = await verdictOf(on, report, master, switchedAtMs);
    expect(verdict).toMatchObject({ lost: [], strays: [], duplicates: [] });
    expect((await writerOf(on, "shop")).address).toBe(on.cluster("shop").databases[0]!.address);
  });

  test("dead master, and the old one comes back writable: it gets no write and no read", async () => {
    const on = await startFleet();
    load = await underLoad(on, "main");
    const [old, ...others] = on.cluster("main").databases as [MariaDb, ...MariaDb[]];
    await old.kill9();
    await everywhere(on, "main", 2);
    const switchedAtMs = Date.now();
    const master = await writerOf(on, "main");
    await more(load, 200);
    await old.start(false);
    const returnedAtMs = Date.now();
    await waitUntil(async () => Number((await old.query("SELECT @@read_only AS ro"))[0]?.["ro"]) === 0, {
      timeoutMs: 60_000,
      what: "the old master, writable",
    });
    // Time enough for ProxySQL's shunned servers to be tried again (10 s) and for Orchestrator to look.
    await more(load, 2500);
    const report = await load.stop();
    for (const replica of others.filter((one) => one !== master)) await replica.catchUpWith(master);
    const verdict = await verdictOf(on, report, master, switchedAtMs);
    expect(verdict).toMatchObject({ lost: [], strays: [], duplicates: [] });
    expect(countReadsAfter(report, returnedAtMs)[old.serverId] ?? 0).toBe(0);
    expect((await writerOf(on, "main")).address).toBe(master.address);
  });
});

describe.runIf(isReady)("the fight of sysown/proxysql#3186", LIMIT, () => {
  test("the same story under ProxySQL's own monitor does write to the old master: the oracle sees it", async () => {
    const on = await startFleet({ routing: "read_only monitor", clusters: { main: 3 }, proxies: 1 });
    const writerNow = async () => onlyServer(on, "main", "status='ONLINE'");
    await waitUntil(writerNow, {
      timeoutMs: 60_000,
      what: "the monitor to find the master",
    });
    load = await underLoad(on, "main");
    const [old, ...others] = on.cluster("main").databases as [MariaDb, ...MariaDb[]];
    await old.kill9();
    const master = await waitUntil(
      async () => {
        const writer = await writerNow();
        return writer === old ? undefined : writer;
      },
      { timeoutMs: 60_000, what: "another writer" },
    );
    const switchedAtMs = Date.now();
    await old.start(false);
    const { writer } = on.cluster("main");
    await waitUntil(
      async () =>
        (
          await on.proxies[0]!.admin(
            `SELECT port FROM runtime_mysql_servers WHERE hostgroup_id=${writer} AND status='ONLINE'`,
          )
        ).length === 2,
      { timeoutMs: 60_000, what: "two servers that take writes" },
    );
    await more(load, 100);
    const report = await load.stop();
    for (const replica of others.filter((one) => one !== master)) await replica.catchUpWith(master);
    const verdict = await verdictOf(on, report, master, switchedAtMs);
    expect(verdict.strays.length).toBeGreaterThan(0);
    expect(verdict.lost.length).toBeGreaterThan(0);
  });
});
