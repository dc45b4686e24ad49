import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FleetOptions } from "../fleet/fleet.js";
import { Takeovers } from "../fleet/takeovers.js";
import { createLoadTable } from "../load/table.js";
import type { Direction } from "../network/link.js";
import { NetworkNamespace } from "../network/namespace.js";
import { guardVariables } from "../primacy/guard.js";
import type { WatcherProcess } from "../primacy/watcher.js";
import { removeFolder } from "../remove-folder.js";
import { type Consul, startConsul } from "../servers/consul.js";
import { type MariaDb, SEMI_SYNCHRONOUS } from "../servers/mariadb.js";
import type { ProxySql } from "../servers/proxysql.js";
import { waitUntil } from "../wait-until.js";

/** The shortest lease that the layout takes, seconds. */
export const LEASE_SECONDS = 4;
/** Sessions that hold on to their connection are cut after this, seconds. */
const DRAIN_SECONDS = 1;
/** The far site's. */
const FAR = { proxy: 2, database: 0 } as const;
const WRITER = 10;

/** Ends the time in which Orchestrator does not fail the cluster over again. */
export const ACKNOWLEDGE = "ack-recovery/cluster/alias/main?comment=seen";

type Purpose = "consul" | "databases" | "clients";

/**
 * A cluster in two places. Near: three Consul servers, Orchestrator, two ProxySQLs with their watchers and two database
 * servers. Far, in a network namespace of its own: a ProxySQL with its watcher, and a database server, which is the first
 * master. Between them three links, cut one by one: to Consul, between the databases, and that of clients and tests.
 */
export class TwoSites {
  private constructor(
    readonly takeovers: Takeovers,
    readonly consul: Consul,
    private readonly namespace: NetworkNamespace<Purpose>,
    private readonly folder: string,
  ) {}

  static async start(): Promise<TwoSites> {
    const namespace = NetworkNamespace.create("consul", "databases", "clients");
    const folder = await mkdtemp(join(tmpdir(), "primacy-two-sites-"));
    let consul: Consul | undefined;
    try {
      consul = await startConsul({ servers: 3, alsoAt: namespace.links.consul.outsideAddress });
      const takeovers = await Takeovers.start(twoSites(namespace, consul, folder), consul);
      const sites = new TwoSites(takeovers, consul, namespace, folder);
      await createLoadTable(sites.farDatabase);
      return sites;
    } catch (error) {
      await consul?.close();
      namespace.remove();
      await removeFolder(folder);
      throw error;
    }
  }

  get proxies(): readonly ProxySql[] {
    return this.takeovers.fleet.proxies;
  }

  get farDatabase(): MariaDb {
    return this.#database(FAR.database);
  }

  get nearDatabases(): readonly [MariaDb, MariaDb] {
    return [this.#database(1), this.#database(2)];
  }

  #database(index: number): MariaDb {
    const found = this.takeovers.databases[index];
    if (found === undefined) throw new RangeError(`there is no database server ${String(index)}`);
    return found;
  }

  watcherOf(index: number): WatcherProcess {
    const watcher = this.takeovers.fleet.watchers[index];
    if (watcher === undefined) throw new RangeError(`there is no proxy ${String(index)}`);
    return watcher;
  }

  /** Cuts the far site off: from Consul, or from the near site's databases. Nobody is told. */
  cut(links: readonly Exclude<Purpose, "clients">[], direction: Direction = "both"): void {
    for (const link of links) this.namespace.links[link].cut(direction);
  }

  mend(): void {
    for (const link of ["consul", "databases"] as const) this.namespace.links[link].mend();
  }

  /** May any server take writes, as this proxy has it? One that is only shunned is tried again. */
  async mayWrite(proxysql: ProxySql): Promise<boolean> {
    const rows = await proxysql.admin(
      `SELECT 1 FROM runtime_mysql_servers WHERE hostgroup_id=${String(WRITER)} AND status<>'OFFLINE_HARD'`,
    );
    return rows.length > 0;
  }

  /** Takes the lease away from the cluster, and waits until nobody acts by one. */
  async keepWithoutConsul(): Promise<void> {
    const { fleet } = this.takeovers;
    const file = join(this.folder, "keep.json");
    const servers = this.takeovers.databases.map(({ host, port }) => ({ host, port }));
    const policies = { drainSeconds: DRAIN_SECONDS, onConsulLoss: "keep" };
    await writeFile(
      file,
      JSON.stringify({ cluster: "main", hostgroups: { writer: WRITER, reader: 20 }, servers, ...policies }),
    );
    const applied = await fleet.writer("layout", "apply", file, "--yes");
    if (applied.code !== 0) throw new Error(applied.stderr);
    for (const proxysql of this.proxies) {
      await waitUntil(async () => (await proxysql.admin("SELECT id FROM runtime_scheduler")).length === 0, {
        timeoutMs: 60_000,
        what: "a scheduler without the guard",
      });
    }
  }

  /** Makes this server the master, unless it is: a planned takeover with nothing broken. */
  async moveTo(server: MariaDb): Promise<void> {
    const { takeovers } = this;
    if ((await takeovers.master()) === server) return;
    const { orchestrator } = takeovers.fleet;
    await orchestrator.waitForReplication("main");
    const { status, body } = await orchestrator.gracefulTakeover("main", server);
    if (status !== 200) throw new Error(JSON.stringify(body));
    const { generation } = await takeovers.record();
    await takeovers.everywhere(generation);
    await orchestrator.api(ACKNOWLEDGE);
  }

  async close(): Promise<void> {
    await this.takeovers.close();
    this.namespace.remove();
    await removeFolder(this.folder);
  }
}

function twoSites(
  { name, links }: NetworkNamespace<Purpose>,
  consul: Consul,
  folder: string,
): Partial<FleetOptions> {
  const near = consul.httpAddrs.join(",");
  return {
    consul: { address: near, close: async () => consul.close() },
    layout: { onConsulLoss: "lease", leaseSeconds: LEASE_SECONDS, drainSeconds: DRAIN_SECONDS },
    database: (_cluster, index) => ({
      extra: SEMI_SYNCHRONOUS,
      ...(index === FAR.database
        ? { host: links.databases.insideAddress, namespace: name }
        : { host: links.databases.outsideAddress }),
    }),
    proxyElsewhere: (index) =>
      index === FAR.proxy ? { namespace: name, address: links.clients.insideAddress } : undefined,
    watcherConsul: (index) => (index === FAR.proxy ? consul.httpAddrsElsewhere.join(",") : near),
    watcherVariables: async (_index, proxysql) => guardVariables(folder, proxysql),
    // A hook that waits for a lease takes longer than the kit's usual period: a second recovery would begin meanwhile.
    orchestratorConfiguration: { RecoveryPeriodBlockSeconds: 60 },
  };
}
