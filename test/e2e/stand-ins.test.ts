import { fileURLToPath } from "node:url";
import {
  createLoadTable,
  Fleet,
  judge,
  type Load,
  type RunningProcess,
  startConsulStandIn,
  startLoad,
  startProcess,
  waitUntil,
} from "@primacy/testkit";
import { afterEach, describe, expect, test } from "vitest";

const DEMO = fileURLToPath(new URL("../../packages/testkit/dist/demo.cjs", import.meta.url));

/** As on a machine where nothing is installed. */
const NOTHING_HERE = {
  PRIMACY_MARIADB_BIN: "/nonexistent/mariadbd",
  PRIMACY_CONSUL_BIN: "/nonexistent/consul",
  PRIMACY_PROXYSQL_BIN: "/nonexistent/proxysql",
  PRIMACY_ORCHESTRATOR_BIN: "/nonexistent/orchestrator",
};

let running: RunningProcess | undefined;
let fleet: Fleet | undefined;
let load: Load | undefined;

afterEach(async () => {
  await running?.kill9();
  await load?.stop();
  await fleet?.close();
  await fleet?.options.consul.close();
  running = undefined;
  load = undefined;
  fleet = undefined;
});

describe("without MariaDB, Consul, ProxySQL and Orchestrator", { timeout: 600_000 }, () => {
  test("the demo says that it runs on stand-ins, and keeps its promise", async () => {
    running = await startProcess({
      name: "the demo",
      command: process.execPath,
      args: [DEMO, "--only-primacy"],
      env: { ...process.env, ...NOTHING_HERE },
    });
    const exit = await running.exited;
    const { stdout } = running;
    expect(exit, running.lastOutput()).toEqual({ code: 0, signal: null });
    for (const title of ["MariaDB", "Consul", "ProxySQL", "Orchestrator"])
      expect(stdout).toMatch(new RegExp(`^  ${title}: a stand-in`, "m"));
    expect(stdout).toMatch(/is back by itself, writable/);
    expect(Number(/^writes acknowledged to clients +(\d+)$/m.exec(stdout)?.[1])).toBeGreaterThan(100);
    expect(stdout).toContain("nothing went to the old master");
  });

  test("a planned takeover carries every write over and leaves the other cluster alone", async () => {
    fleet = await Fleet.start({
      routing: "primacy",
      clusters: { main: 3, shop: 2 },
      proxies: 1,
      databaseKind: "stand-in",
      proxySqlKind: "stand-in",
      orchestratorKind: "stand-in",
      consul: await startConsulStandIn(),
    });
    const { databases, account } = fleet.cluster("main");
    const [old, ...others] = databases;
    await createLoadTable(old!);
    for (const replica of others) await replica.catchUpWith(old!);
    const [proxy] = fleet.proxies;
    load = startLoad({
      targets: [{ host: proxy!.host, port: proxy!.port, ...account }],
      maxDurationMs: 600_000,
    });
    const writes = async (enough: number) => {
      const wanted = load!.snapshot().acknowledged + enough;
      await waitUntil(() => load!.snapshot().acknowledged >= wanted, {
        timeoutMs: 120_000,
        what: `${enough} more acknowledged writes`,
      });
    };
    await writes(100);
    await fleet.orchestrator.waitForReplication("main");
    const { status, body } = await fleet.orchestrator.gracefulTakeover("main");
    expect(status, JSON.stringify(body)).toBe(200);
    await fleet.watchers[0]!.waitForGeneration("main", 2, 60_000);
    const switchedAtMs = Date.now();
    await writes(100);
    const report = await load.stop();
    const states = await Promise.all(
      databases.map(async (one) => (await one.query("SELECT @@read_only AS ro"))[0]?.["ro"]),
    );
    expect(states.filter((ro) => ro === 0)).toHaveLength(1);
    const master = databases[states.indexOf(0)]!;
    expect(master).not.toBe(old);
    for (const replica of databases.filter((one) => one !== master)) await replica.catchUpWith(master);
    const verdict = await judge({ load: report, servers: databases, finalMaster: master, switchedAtMs });
    expect(verdict).toMatchObject({ lost: [], strays: [], duplicates: [] });
    const [shop] = fleet.cluster("shop").databases;
    expect(await shop!.query("SELECT @@read_only AS ro")).toEqual([{ ro: 0 }]);
  });
});
