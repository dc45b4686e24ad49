import { AdminPort } from "./admin/port.js";
import { Checksums } from "./admin/checksums.js";
import { Layers } from "./admin/layers.js";
import { Variables } from "./admin/variables.js";
import type { Configuration } from "./configuration.js";
import type { Core } from "./core.js";
import { Hostgroups } from "./hostgroups/hostgroups.js";
import { Monitor } from "./monitor/monitor.js";
import { Scheduler } from "./scheduler/scheduler.js";
import { fillLayers } from "./start-up.js";
import type { Backend } from "./traffic/backend.js";
import { TrafficPort } from "./traffic/port.js";
import type { Proxy } from "./traffic/proxy.js";

/** What a stand-in is started with. */
export interface StandInOptions {
  /** Where proxysql.db is kept; without it nothing survives the end. */
  dataDir?: string;
  /** Looked at only while there is no proxysql.db. The ports are in it, too. */
  configuration: Configuration;
  /** Called when a statement ends the stand-in: PROXYSQL SHUTDOWN ("exit"), or one that crashes ProxySQL ("crash"). */
  onEnd?: (how: "exit" | "crash") => void;
  log?: (line: string) => void;
  random?: () => number;
}

/**
 * A stand-in for ProxySQL 2.7.1: the same protocol, tables, layers and quirks on the admin port, real forwarding with
 * multiplexing on the traffic port, monitor and scheduler. Compared with the real one by the conformance suites.
 *
 * Left out: ProxySQL Cluster, CHECKSUM, SELECT CONFIG and LOAD … FROM CONFIG, the monitors of group replication, Galera and Aurora, replication lag, the query cache,
 * digests and most counters of the statistics, compression, and prepared statements with long data.
 */
export class ProxySqlStandIn {
  adminPort = 0;
  port = 0;
  readonly #core: Core;
  readonly #admin: AdminPort;
  readonly #monitor: Monitor;
  #ended = false;
  #lastConnectionId = 0;
  readonly #onEnd: (how: "exit" | "crash") => void;

  private constructor(layers: Layers, options: StandInOptions) {
    this.#onEnd = options.onEnd ?? ((): void => undefined);
    const variables = new Variables();
    const now = (): number => Math.floor(Date.now() / 1000);
    const hostgroups = new Hostgroups<Backend>({
      now,
      random: options.random ?? Math.random,
      settings: () => shunSettings(variables),
    });
    const log = options.log ?? ((): void => undefined);
    const proxy: Proxy = { variables, hostgroups, log, users: [], rules: [] };
    const traffic = new TrafficPort(proxy, this.#nextConnectionId);
    this.#core = {
      layers,
      variables,
      hostgroups,
      proxy,
      traffic,
      checksums: new Checksums(now),
      scheduler: new Scheduler(log),
      inForce: new Map(),
      monitorCounters: { readOnlyOk: 0, readOnlyErr: 0, pingOk: 0, pingErr: 0 },
      startedAt: Date.now(),
      end: (how) => this.#end(how),
      resume: async () => void (await this.#listenTraffic(this.port)),
    };
    this.#admin = new AdminPort(this.#core, this.#nextConnectionId);
    this.#monitor = new Monitor(this.#core);
  }

  static async start(options: StandInOptions): Promise<ProxySqlStandIn> {
    const layers = await Layers.open(options.dataDir);
    const standIn = new ProxySqlStandIn(layers, options);
    fillLayers(standIn.#core, options.configuration);
    await standIn.#listen();
    return standIn;
  }

  /** Closes everything at once, as when the process is killed. */
  stop(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#monitor.stop();
    this.#core.scheduler.stop();
    this.#core.traffic.close();
    this.#admin.close();
    this.#core.layers.close();
  }

  async #listen(): Promise<void> {
    const { variables } = this.#core;
    const admin = firstInterface(variables.text("admin-mysql_ifaces"));
    this.port = await this.#listenTraffic(firstInterface(variables.text("mysql-interfaces")).port);
    this.adminPort = await this.#admin.listen(admin.host, admin.port);
    this.#monitor.start();
  }

  #listenTraffic(port: number): Promise<number> {
    const { host } = firstInterface(this.#core.variables.text("mysql-interfaces"));
    return this.#core.traffic.listen(host, port);
  }

  #end(how: "exit" | "crash"): void {
    this.stop();
    this.#onEnd(how);
  }

  #nextConnectionId = (): number => {
    this.#lastConnectionId += 1;
    return this.#lastConnectionId;
  };
}

/** "127.0.0.1:6032;…": the first of them. */
function firstInterface(text: string): { host: string; port: number } {
  const [first = ""] = text.split(";");
  const colon = first.lastIndexOf(":");
  return { host: first.slice(0, colon), port: Number(first.slice(colon + 1)) };
}

function shunSettings(variables: Variables) {
  return {
    onFailures: variables.number("mysql-shun_on_failures"),
    connectRetries: variables.number("mysql-connect_retries_on_failure"),
    recoverySeconds: variables.number("mysql-shun_recovery_time_sec"),
    connectTimeoutMaxMs: variables.number("mysql-connect_timeout_server_max"),
    pingIntervalMs: variables.flag("mysql-monitor_enabled")
      ? variables.number("mysql-monitor_ping_interval")
      : undefined,
  };
}
