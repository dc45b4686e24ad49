import type { Core } from "../core.js";
import { countedRows } from "../hostgroups/checksum.js";
import type { RuntimeServer } from "../hostgroups/server.js";
import { Probe, type ProbeOptions, type ProbeResult, type Target } from "./probe.js";

/** How often it is looked whether something is due. */
const TICK_MS = 20;

const READ_ONLY_QUERIES: Readonly<Record<string, string>> = {
  read_only: "SELECT @@global.read_only read_only",
  innodb_read_only: "SELECT @@global.innodb_read_only read_only",
  super_read_only: "SELECT @@global.super_read_only read_only",
  "read_only&innodb_read_only": "SELECT @@global.read_only&@@global.innodb_read_only read_only",
  "read_only|innodb_read_only": "SELECT @@global.read_only|@@global.innodb_read_only read_only",
};

/**
 * ProxySQL's monitor: pings every server and shuns those that do not answer, and moves the servers of
 * mysql_replication_hostgroups between writers and readers by their read_only.
 */
export class Monitor {
  readonly #core: Core;
  readonly #pings = new Probe();
  readonly #checks = new Probe();
  readonly #failedPings = new Map<string, number>();
  readonly #timeouts = new Map<string, number>();
  #lastPing = 0;
  #lastCheck = 0;
  #busy = { ping: false, check: false };
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(core: Core) {
    this.#core = core;
  }

  start(): void {
    this.#timer = setInterval(() => this.#tick(), TICK_MS).unref();
  }

  stop(): void {
    this.#stopped = true;
    clearInterval(this.#timer);
    this.#pings.close();
    this.#checks.close();
  }

  #tick(): void {
    const { variables } = this.#core;
    if (!variables.flag("mysql-monitor_enabled")) return;
    const now = Date.now();
    if (!this.#busy.ping && now - this.#lastPing >= variables.number("mysql-monitor_ping_interval")) {
      this.#lastPing = now;
      this.#busy.ping = true;
      void this.#pingAll().finally(() => (this.#busy.ping = false));
    }
    if (!this.#busy.check && now - this.#lastCheck >= variables.number("mysql-monitor_read_only_interval")) {
      this.#lastCheck = now;
      this.#busy.check = true;
      void this.#checkAll().finally(() => (this.#busy.check = false));
    }
  }

  /** Servers with a row that is not OFFLINE_HARD. */
  async #pingAll(): Promise<void> {
    const servers = this.#core.hostgroups.servers.filter((server) => server.status !== "OFFLINE_HARD");
    const options = this.#options("mysql-monitor_ping_timeout");
    await Promise.all(
      targets(servers).map(async (target) => {
        const startedUs = Date.now() * 1000;
        const result = await this.#pings.ask(target, undefined, options);
        if (this.#stopped) return;
        this.#log("mysql_server_ping_log", target, [startedUs, ...outcome(result)]);
        this.#countPing(target, result);
      }),
    );
  }

  #countPing(target: Target, result: ProbeResult): void {
    const { monitorCounters, variables, hostgroups } = this.#core;
    if (result.ok) monitorCounters.pingOk += 1;
    else monitorCounters.pingErr += 1;
    // A server that refuses the login is alive.
    const failed = !result.ok && !result.error.startsWith("Access denied for user");
    const failures = failed ? (this.#failedPings.get(key(target)) ?? 0) + 1 : 0;
    this.#failedPings.set(key(target), failures);
    if (failures >= variables.number("mysql-monitor_ping_max_failures"))
      hostgroups.applyFailedPings(target.hostname, target.port);
  }

  /** Servers of replication hostgroups that are not OFFLINE_SOFT or OFFLINE_HARD (lib/MySQL_Monitor.cpp:3427). */
  async #checkAll(): Promise<void> {
    const { hostgroups, variables } = this.#core;
    const groups = new Set(
      hostgroups.pairs.flatMap((pair) => [pair.writer_hostgroup, pair.reader_hostgroup]),
    );
    const servers = hostgroups.servers.filter(
      (server) =>
        groups.has(server.hostgroup_id) &&
        server.status !== "OFFLINE_SOFT" &&
        server.status !== "OFFLINE_HARD",
    );
    const maxFailures = variables.number("mysql-monitor_ping_max_failures");
    const answering = targets(servers).filter(
      (target) => (this.#failedPings.get(key(target)) ?? 0) < maxFailures,
    );
    await Promise.all(answering.map((target) => this.#check(target, this.#query())));
  }

  async #check(target: Target, query: string): Promise<void> {
    const { monitorCounters, hostgroups, variables, checksums } = this.#core;
    const startedUs = Date.now() * 1000;
    const result = await this.#checks.ask(target, query, this.#options("mysql-monitor_read_only_timeout"));
    if (this.#stopped) return;
    const readOnly = this.#readOnly(target, result);
    const value = result.ok ? result.value : undefined;
    const [took, error] = outcome(result);
    this.#log("mysql_server_read_only_log", target, [startedUs, took, value ?? null, error]);
    if (result.ok) monitorCounters.readOnlyOk += 1;
    else monitorCounters.readOnlyErr += 1;
    if (readOnly === undefined || !variables.flag("mysql-monitor_enabled")) return;
    const writerIsAlsoReader = variables.flag("mysql-monitor_writer_is_also_reader");
    if (hostgroups.applyReadOnly({ ...target, readOnly }, writerIsAlsoReader))
      checksums.changed("mysql_servers", countedRows(hostgroups.servers));
  }

  /** Only timeouts count as an answer: after some in a row the server is taken for read-only. */
  #readOnly(target: Target, result: ProbeResult): boolean | undefined {
    if (result.ok) {
      this.#timeouts.delete(key(target));
      return result.value === undefined ? undefined : result.value !== "0" && result.value !== "OFF";
    }
    if (!result.error.startsWith("timeout")) return undefined;
    const timeouts = (this.#timeouts.get(key(target)) ?? 0) + 1;
    this.#timeouts.set(key(target), timeouts);
    const enough = this.#core.variables.number("mysql-monitor_read_only_max_timeout_count");
    return timeouts >= enough ? true : undefined;
  }

  #query(): string {
    const [pair] = this.#core.inForce.get("mysql_replication_hostgroups") ?? [];
    const type = (pair?.["check_type"] ?? "read_only").toLowerCase();
    return READ_ONLY_QUERIES[type] ?? "SELECT @@global.read_only read_only";
  }

  #options(timeout: "mysql-monitor_ping_timeout" | "mysql-monitor_read_only_timeout"): ProbeOptions {
    const { variables } = this.#core;
    return {
      user: variables.text("mysql-monitor_username"),
      password: variables.text("mysql-monitor_password"),
      timeoutMs: variables.number(timeout),
    };
  }

  #log(table: string, target: Target, values: readonly (string | number | null)[]): void {
    const row = [target.hostname, target.port, ...values];
    const marks = row.map(() => "?").join(",");
    const oldest = (Date.now() - this.#core.variables.number("mysql-monitor_history")) * 1000;
    this.#core.layers.run(`DELETE FROM monitor.${table} WHERE time_start_us < ?`, [oldest]);
    this.#core.layers.run(`INSERT OR REPLACE INTO monitor.${table} VALUES (${marks})`, row);
  }
}

/** Success time in microseconds (0 for a failure) and the error. */
function outcome(result: ProbeResult): [number, string | null] {
  return result.ok ? [Math.max(1, result.tookMs * 1000), null] : [0, result.error];
}

function targets(servers: readonly RuntimeServer[]): Target[] {
  const byName = new Map(servers.map((server) => [key(server), server]));
  return [...byName.values()].map(({ hostname, port }) => ({ hostname, port }));
}

function key(target: Target): string {
  return `${target.hostname}:${target.port}`;
}
