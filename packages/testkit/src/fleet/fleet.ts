import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { programs } from "../primacy/programs.js";
import type { Elsewhere } from "../process.js";
import { removeFolder } from "../remove-folder.js";
import { type WatcherProcess, startWatcher } from "../primacy/watcher.js";
import { type WriterRun, runWriter } from "../primacy/writer.js";
import type { Hooks } from "../orchestrator-standin/hook-lists.js";
import { type Account, accounts } from "../servers/mariadb-accounts.js";
import { type MariaDb, type MariaDbKind, type MariaDbOptions, startMariaDb } from "../servers/mariadb.js";
import { type Orchestrator, startOrchestrator } from "../servers/orchestrator.js";
import { type ProxySql, proxySqlAccounts, startProxySql } from "../servers/proxysql.js";
import { type FleetCluster, type Routing, initialRows } from "./plan.js";

/** A Consul to be used: the real one, or its stand-in. */
export interface FleetConsul {
  /** `http://host:port` */
  readonly address: string;
  close(): Promise<void>;
}

export interface FleetOptions {
  routing: Routing;
  /** Number of database servers of each cluster, by the cluster's name. */
  clusters: Readonly<Record<string, number>>;
  proxies: number;
  /** Default: real ones. */
  databaseKind?: MariaDbKind;
  proxySqlKind: "stand-in" | "real";
  orchestratorKind: "stand-in" | "real";
  consul: FleetConsul;
  /** Orchestrator's hook lists that call the writer (default: the post hooks). */
  hooks?: readonly (
    | "PreGracefulTakeover"
    | "PreFailover"
    | "PostMasterFailover"
    | "PostUnsuccessfulFailover"
    | "PostGracefulTakeover"
  )[];
  /** More variables of every ProxySQL. */
  variables?: Readonly<Record<string, string>>;
  /** More fields of every layout: policies. */
  layout?: Readonly<Record<string, unknown>>;
  /** More variables of the writer, as a hook and by hand. */
  writerVariables?: Readonly<Record<string, string>>;
  /** Where a ProxySQL and its watcher run, if not here. The first has index 0. */
  proxyElsewhere?: (index: number) => Elsewhere | undefined;
  /** More options of a database server. The first of a cluster has index 0. */
  database?: (cluster: string, index: number) => Partial<MariaDbOptions>;
  /** Where a watcher finds Consul, if not where everybody does: one address, or several with commas. The first has index 0. */
  watcherConsul?: (index: number) => string;
  /** More variables of a watcher, which is beside this ProxySQL. */
  watcherVariables?: (index: number, proxysql: ProxySql) => Promise<Record<string, string>>;
  /** More keys of Orchestrator's configuration. */
  orchestratorConfiguration?: Readonly<Record<string, unknown>>;
  /** Told what is being started, for whoever waits. */
  onProgress?: (what: string) => void;
}

/** A cluster of a running fleet. The first of `databases` began as its master. */
export interface RunningCluster extends FleetCluster {
  readonly databases: readonly MariaDb[];
}

const FIRST_ACCOUNT: Account = accounts.app;

/** A machine that stands still for seconds must not decide what a takeover comes to. Seconds. */
const PATIENCE = {
  writer: { PRIMACY_DEADLINE: "30" },
  orchestrator: { MySQLConnectTimeoutSeconds: 10, MySQLDiscoveryReadTimeoutSeconds: 15 },
} as const;

/** Databases with replication, ProxySQLs, an Orchestrator, and either Primacy or ProxySQL's own monitor. */
export class Fleet {
  readonly clusters: RunningCluster[] = [];
  readonly proxies: ProxySql[] = [];
  readonly watchers: WatcherProcess[] = [];
  #orchestrator: Orchestrator | undefined;

  private constructor(
    readonly options: FleetOptions,
    readonly folder: string,
  ) {}

  static async start(options: FleetOptions): Promise<Fleet> {
    const fleet = new Fleet(options, await mkdtemp(join(tmpdir(), "primacy-fleet-")));
    try {
      await fleet.#start();
    } catch (error) {
      await fleet.close();
      throw error;
    }
    return fleet;
  }

  get orchestrator(): Orchestrator {
    if (this.#orchestrator === undefined) throw new Error("Orchestrator does not run");
    return this.#orchestrator;
  }

  cluster(name: string): RunningCluster {
    const found = this.clusters.find((one) => one.name === name);
    if (found === undefined) throw new Error(`no cluster ${name}`);
    return found;
  }

  /** The environment in which the writer finds Consul and its spool. */
  get writerEnvironment(): Record<string, string> {
    return {
      CONSUL_HTTP_ADDR: this.options.consul.address,
      PRIMACY_SPOOL: join(this.folder, "spool"),
      ...PATIENCE.writer,
      ...this.options.writerVariables,
    };
  }

  async writer(...args: string[]): Promise<WriterRun> {
    return await runWriter(args, this.writerEnvironment);
  }

  async close(): Promise<void> {
    await this.#orchestrator?.close();
    for (const watcher of this.watchers) await watcher.close();
    for (const proxy of this.proxies) await proxy.close();
    for (const { databases } of this.clusters) await Promise.all(databases.map(async (one) => one.close()));
    await removeFolder(this.folder);
  }

  async #start(): Promise<void> {
    const say = this.options.onProgress ?? (() => undefined);
    let index = 0;
    for (const [name, size] of Object.entries(this.options.clusters)) {
      say(`${String(size)} database servers of cluster ${name}`);
      this.clusters.push(await startCluster(name, size, index, this.options));
      index += 1;
    }
    say(`${String(this.options.proxies)} ProxySQLs`);
    await this.#startProxies();
    if (this.options.routing === "primacy") {
      say("Primacy: layout, first record, watchers");
      for (const cluster of this.clusters) await this.#bootstrap(cluster);
      await this.#startWatchers();
    }
    say("Orchestrator");
    this.#orchestrator = await startOrchestrator({
      kind: this.options.orchestratorKind,
      clusters: this.clusters.map(({ name, databases }) => ({ alias: name, servers: databases })),
      hooks: this.options.routing === "primacy" ? this.#hooks() : {},
      configuration: { ...PATIENCE.orchestrator, ...this.options.orchestratorConfiguration },
      env: { ...process.env, ...this.writerEnvironment },
    });
  }

  async #startProxies(): Promise<void> {
    const { proxySqlKind, routing, variables = {} } = this.options;
    const clusters = this.clusters.map((one) => ({ ...one, servers: one.databases }));
    for (let index = 0; index < this.options.proxies; index += 1) {
      this.proxies.push(
        await startProxySql({
          kind: proxySqlKind,
          elsewhere: this.options.proxyElsewhere?.(index),
          ...initialRows(clusters, routing),
          variables: {
            "mysql-monitor_enabled": String(routing === "read_only monitor"),
            "mysql-query_retries_on_failure": "0",
            ...variables,
          },
        }),
      );
    }
  }

  async #bootstrap({ name, writer, reader, databases }: RunningCluster): Promise<void> {
    const file = join(this.folder, `${name}.json`);
    const servers = databases.map(({ host, port }) => ({ host, port }));
    const layout = { cluster: name, hostgroups: { writer, reader }, servers, ...this.options.layout };
    await writeFile(file, JSON.stringify(layout));
    const [master] = databases;
    await succeeded(this.writer("layout", "apply", file, "--yes"));
    await succeeded(this.writer("bootstrap", name, "--master", master?.address ?? "", "--yes"));
  }

  async #startWatchers(): Promise<void> {
    const names = this.clusters.map((one) => one.name);
    for (const [index, proxysql] of this.proxies.entries()) {
      const watcher = await startWatcher({
        proxy: `proxy${String(index + 1)}`,
        clusters: names,
        admin: { host: "127.0.0.1", port: proxysql.adminPort, ...proxySqlAccounts.admin },
        consul: [this.options.watcherConsul?.(index) ?? this.options.consul.address],
        elsewhere: this.options.proxyElsewhere?.(index),
        env: (await this.options.watcherVariables?.(index, proxysql)) ?? {},
      });
      this.watchers.push(watcher);
      for (const name of names) await watcher.waitForGeneration(name, 1);
    }
  }

  #hooks(): Hooks {
    const names = this.options.hooks ?? ["PostMasterFailover", "PostUnsuccessfulFailover"];
    const environment = Object.entries(this.writerEnvironment).map(([key, value]) => `${key}='${value}'`);
    return Object.fromEntries(
      names.map((name) => [
        `${name}Processes`,
        [`${environment.join(" ")} '${process.execPath}' '${programs.writer}' hook ${name}`],
      ]),
    );
  }
}

async function startCluster(
  name: string,
  size: number,
  index: number,
  options: FleetOptions,
): Promise<RunningCluster> {
  const databases: MariaDb[] = [];
  for (let id = 1; id <= size; id += 1) {
    const own = { serverId: index * 10 + id, readOnly: id > 1, ...options.database?.(name, id - 1) };
    databases.push(await startMariaDb({ kind: options.databaseKind ?? "real", ...own }));
  }
  const [master, ...replicas] = databases;
  if (master === undefined) throw new RangeError(`cluster ${name} has no server`);
  const account = index === 0 ? FIRST_ACCOUNT : { user: `app_${name}`, password: `app_${name}-password` };
  for (const replica of replicas) await replica.replicateFrom(master);
  if (index > 0) {
    await master.query(`CREATE USER '${account.user}'@'%' IDENTIFIED BY '${account.password}'`);
    await master.query(`GRANT ALL PRIVILEGES ON app.* TO '${account.user}'@'%'`);
  }
  for (const replica of replicas) await replica.catchUpWith(master);
  return { name, writer: 10 + index, reader: 20 + index, account, databases };
}

async function succeeded(running: Promise<WriterRun>): Promise<void> {
  const run = await running;
  if (run.code !== 0)
    throw new Error(`the writer ended with ${String(run.code)}: ${run.stderr}${run.stdout}`);
}
