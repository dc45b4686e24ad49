import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ConsulStore, consulOptionsFromEnvironment } from "@primacy/consul-store";
import { type MasterRecord, formatServer } from "@primacy/contract";
import {
  type Consul,
  type ConsulStandIn,
  type HookFacts,
  type ProxySql,
  type WatcherProcess,
  type WriterRun,
  findServer,
  hookEnvironment,
  proxySqlAccounts,
  removeFolder,
  runWriter,
  serverForTests,
  startConsul,
  startConsulStandIn,
  startProxySql,
  startWatcher,
  waitUntil,
} from "@primacy/testkit";
import { expect } from "vitest";

export interface Server {
  host: string;
  port: number;
}

/** A cluster as a test describes it. */
export interface ClusterPlan {
  name: string;
  writer: number;
  reader: number;
  servers: readonly Server[];
}

/** The real ProxySQL where PRIMACY_PROXYSQL_BIN names one, else the stand-in. */
export const proxySqlKind = typeof findServer("proxysql") === "string" ? "stand-in" : "real";

/** A ProxySQL before servers that there are not: its monitor, after three failed pings (16 s), would shun them. */
export async function startLoneProxySql(): Promise<ProxySql> {
  return await startProxySql({ kind: proxySqlKind, variables: { "mysql-monitor_enabled": "false" } });
}

/** A ProxySQL and the watcher beside it. */
export interface ProxyPair {
  proxysql: ProxySql;
  watcher: WatcherProcess;
}

/** Consul, ProxySQLs with their watchers, and clusters that have been bootstrapped with the shipped writer. */
export class World {
  readonly folder: string;
  readonly consul: Consul | ConsulStandIn;
  readonly store: ConsulStore;
  readonly pairs: ProxyPair[] = [];

  constructor(
    folder: string,
    consul: Consul | ConsulStandIn,
    readonly clusters: readonly ClusterPlan[],
  ) {
    this.folder = folder;
    this.consul = consul;
    const options = consulOptionsFromEnvironment({ CONSUL_HTTP_ADDR: this.consulAddress });
    if (!options.ok) throw new Error(options.problem);
    this.store = new ConsulStore(options.value);
  }

  get consulAddress(): string {
    return "httpAddr" in this.consul ? this.consul.httpAddr : this.consul.address;
  }

  /** Runs the shipped writer; events that can't be delivered land in this world's own folder. */
  async writer(...args: string[]): Promise<WriterRun> {
    return await this.writerWith({}, ...args);
  }

  async writerWith(env: Record<string, string>, ...args: string[]): Promise<WriterRun> {
    return await runWriter(args, {
      CONSUL_HTTP_ADDR: this.consulAddress,
      PRIMACY_SPOOL: join(this.folder, "spool"),
      // A machine that stands still for the usual 8 s has no part in any of these stories.
      PRIMACY_DEADLINE: "30",
      ...env,
    });
  }

  /** A hook as Orchestrator calls it. */
  async hook(name: string, facts: HookFacts): Promise<WriterRun> {
    return await this.writerWith(hookEnvironment(facts), "hook", name);
  }

  async bootstrap(plan: ClusterPlan, master: Server): Promise<void> {
    const file = join(this.folder, `${plan.name}.json`);
    const { name, writer, reader, servers } = plan;
    await writeFile(file, JSON.stringify({ cluster: name, hostgroups: { writer, reader }, servers }));
    const applied = await this.writer("layout", "apply", file, "--yes");
    expect(applied.code, applied.stderr).toBe(0);
    const made = await this.writer("bootstrap", name, "--master", formatServer(master), "--yes");
    expect(made.code, made.stderr).toBe(0);
  }

  async record(cluster: string): Promise<MasterRecord> {
    const { record } = await this.store.readCluster(cluster, { deadlineMs: 10_000 });
    if (record.kind !== "valid") throw new Error(`the record of ${cluster} is ${record.kind}`);
    return record.value;
  }

  /** Adds a ProxySQL with a watcher for every cluster, and waits until all are applied there. */
  async addProxy(proxysql: ProxySql, proxy: string, adminPort = proxysql.adminPort): Promise<ProxyPair> {
    const watcher = await startWatcher({
      proxy,
      clusters: this.clusters.map((one) => one.name),
      admin: { host: "127.0.0.1", port: adminPort, ...proxySqlAccounts.admin },
      consul: [this.consulAddress],
    });
    const pair = { proxysql, watcher };
    this.pairs.push(pair);
    for (const { name } of this.clusters) await watcher.waitForGeneration(name, 1);
    return pair;
  }

  /** Waits until every proxy has acknowledged this generation as applied. */
  async acknowledged(cluster: string, generation: number, timeoutMs = 60_000): Promise<void> {
    await waitUntil(
      async () => {
        const { acknowledgements } = await this.store.readAcknowledgements(cluster);
        const said = acknowledgements.map(({ proxy, document }) =>
          document.kind === "valid" ? `${proxy} ${document.value.state} ${document.value.generation}` : proxy,
        );
        const all = this.pairs.every(({ watcher }) =>
          said.includes(`${watcher.proxy} applied ${generation}`),
        );
        if (!all) throw new Error(said.join(", "));
        return true;
      },
      { timeoutMs, what: `every proxy to acknowledge generation ${generation} of ${cluster}` },
    );
  }

  async close(): Promise<void> {
    for (const { watcher, proxysql } of this.pairs) {
      await watcher.close();
      await proxysql.close();
    }
    this.store.close();
    await this.consul.close();
    await removeFolder(this.folder);
  }
}

/** The real Consul where it is installed (CI requires it), else the stand-in. */
export async function startWorld(clusters: readonly ClusterPlan[]): Promise<World> {
  const real =
    serverForTests("consul", "end to end on the real Consul (the stand-in takes its place)") !== undefined;
  const consul = real ? await startConsul() : await startConsulStandIn();
  return new World(await mkdtemp(join(tmpdir(), "primacy-world-")), consul, clusters);
}

/** Which servers the runtime lets take writes or reads, as `host:port`. */
export async function onlineIn(proxysql: ProxySql, hostgroup: number): Promise<string[]> {
  const rows = await proxysql.admin(
    `SELECT hostname, port FROM runtime_mysql_servers WHERE hostgroup_id=${hostgroup} AND status='ONLINE'`,
  );
  return rows.map((row) => `${row["hostname"]}:${row["port"]}`).sort();
}

export function serversOf(host: string, ...ports: number[]): Server[] {
  return ports.map((port) => ({ host, port }));
}
