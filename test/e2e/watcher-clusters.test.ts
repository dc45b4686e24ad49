import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  type AdminCut,
  type WatcherProcess,
  proxySqlAccounts,
  startAdminCut,
  startWatcher,
  waitUntil,
} from "@primacy/testkit";
import { afterEach, describe, expect, test } from "vitest";
import { type World, onlineIn, serversOf, startLoneProxySql, startWorld } from "./world.js";

type Server = { host: string; port: number };

const [db1, db2] = serversOf("127.0.0.1", 3311, 3312) as [Server, Server];
const [db4, db5] = serversOf("127.0.0.1", 3314, 3315) as [Server, Server];
const MAIN = { name: "main", writer: 10, reader: 20, servers: [db1, db2] };
const SHOP = { name: "shop", writer: 30, reader: 40, servers: [db4, db5] };

const closing: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** Until the watcher has read nothing but the drift probe, three times in a row: all comparisons are over. */
async function quiet(cut: AdminCut): Promise<void> {
  let probes = 0;
  cut.onStatement = (sql) => {
    probes = sql.includes("runtime_checksums_values") ? probes + 1 : 0;
    return null;
  };
  await waitUntil(() => probes >= 3, { timeoutMs: 60_000, what: "the watcher to have compared everything" });
}

describe("two clusters on one ProxySQL", () => {
  test("what the LOAD for one of them publishes of the other's is put right at once", async () => {
    const world: World = await startWorld([MAIN, SHOP]);
    closing.push(async () => world.close());
    await world.bootstrap(MAIN, db1);
    await world.bootstrap(SHOP, db4);
    const proxysql = await startLoneProxySql();
    const cut = await startAdminCut({ host: "127.0.0.1", port: proxysql.adminPort });
    closing.push(async () => cut.close());
    await world.addProxy(proxysql, "proxy1", cut.port);
    await quiet(cut);
    // Not loaded: no checksum tells of it, until the other cluster's LOAD takes it along.
    await proxysql.admin("UPDATE mysql_servers SET status='ONLINE' WHERE hostgroup_id=30");
    const hook = await world.hook("PostMasterFailover", { cluster: "main", failed: db1, successor: db2 });
    expect(hook.code, hook.stderr).toBe(0);
    await world.acknowledged("main", 2);
    await waitUntil(async () => (await onlineIn(proxysql, 30)).join() === "127.0.0.1:3314", {
      timeoutMs: 60_000,
      what: "one writer of the other cluster again",
    });
  });

  test("whose layouts name the same hostgroup: it stays with the one that had it, also when the watcher starts anew", async () => {
    const world: World = await startWorld([SHOP, MAIN]);
    closing.push(async () => world.close());
    await world.bootstrap(MAIN, db1);
    await world.bootstrap(SHOP, db4);
    const proxysql = await startLoneProxySql();
    const { watcher } = await world.addProxy(proxysql, "proxy1");
    const file = join(world.folder, "mistaken.json");
    await writeFile(
      file,
      JSON.stringify({ cluster: "shop", hostgroups: { writer: 10, reader: 40 }, servers: SHOP.servers }),
    );
    expect((await world.writer("layout", "apply", file, "--yes")).code).toBe(0);
    for (const round of ["as it runs", "started anew", "and once more"]) {
      await waitUntil(
        async () => {
          const { clusters } = await watcher.readiness();
          const says = Object.fromEntries(clusters.map((one) => [one.cluster, one.says]));
          if (says["shop"]?.includes("cluster main has hostgroups") !== true) throw new Error(says["shop"]);
          return clusters.find((one) => one.cluster === "main")?.ready === true;
        },
        { timeoutMs: 60_000, what: `main to be followed and shop to be refused, ${round}` },
      );
      expect(await onlineIn(proxysql, 10)).toEqual(["127.0.0.1:3311"]);
      await watcher.stop();
      await watcher.start();
    }
  });

  test("SIGHUP: settings that can't be used change nothing; a cluster that is no longer named is gone from everywhere", async () => {
    const world: World = await startWorld([MAIN, SHOP]);
    closing.push(async () => world.close());
    await world.bootstrap(MAIN, db1);
    await world.bootstrap(SHOP, db4);
    const config = join(world.folder, "watcher.yaml");
    await writeFile(config, "clusters: [main, shop]\n");
    const proxysql = await startLoneProxySql();
    closing.push(async () => proxysql.close());
    const watcher = await startWatcher({
      proxy: "proxy1",
      clusters: [],
      admin: { host: "127.0.0.1", port: proxysql.adminPort, ...proxySqlAccounts.admin },
      consul: [world.consulAddress],
      env: { PRIMACY_CONFIG: config },
    });
    closing.push(async () => watcher.close());
    for (const cluster of ["main", "shop"]) await watcher.waitForGeneration(cluster, 1);

    await writeFile(config, "clusters: [main\nno: {yaml");
    watcher.signal("SIGHUP");
    await waitUntil(() => watcher.log.includes("going on with the old ones"), {
      timeoutMs: 60_000,
      what: "the watcher to say that the settings can't be used",
    });
    expect((await watcher.readiness()).clusters.map((one) => one.cluster)).toEqual(["main", "shop"]);
    expect(await clustersInMetrics(watcher)).toEqual(["main", "shop"]);

    await writeFile(config, "clusters: [main]\n");
    watcher.signal("SIGHUP");
    await watcher.waitForGeneration("main", 1);
    await waitUntil(async () => (await clustersInMetrics(watcher)).join() === "main", {
      timeoutMs: 60_000,
      what: "the series of a cluster that is no longer named to go",
    });
    expect((await watcher.readiness()).clusters.map((one) => one.cluster)).toEqual(["main"]);
  });
});

async function clustersInMetrics(watcher: WatcherProcess): Promise<string[]> {
  const text = await (await watcher.get("/metrics")).text();
  return [...new Set([...text.matchAll(/cluster="([^"]+)"/g)].map((match) => match[1] ?? ""))].sort();
}
