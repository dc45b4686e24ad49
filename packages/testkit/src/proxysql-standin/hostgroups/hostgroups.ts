import { commit, type Committed, purge } from "./commit.js";
import { isOffline, onlineServers } from "./offline.js";
import { pick } from "./pick.js";
import { type Pooled, Pool } from "./pool.js";
import { type ReadOnlyCheck, readOnlyAction, type ReplicationPair } from "./read-only-action.js";
import type { RuntimeServer, ServerRow } from "./server.js";
import { afterConnectError, afterFailedPings, type ShunSettings } from "./shun.js";

/** Limits of a hostgroup from mysql_hostgroup_attributes. */
export interface HostgroupAttributes {
  readonly hostgroup_id: number;
  readonly max_num_online_servers: number;
}

/** What a LOAD MYSQL SERVERS puts in force. */
export interface Layout {
  readonly rows: readonly ServerRow[];
  readonly pairs: readonly ReplicationPair[];
  readonly attributes: readonly HostgroupAttributes[];
}

/** Clock, chance and variables that the hostgroups depend on. */
export interface HostgroupsOptions {
  /** Unix second. */
  now: () => number;
  random: () => number;
  settings: () => ShunSettings;
}

const UNLIMITED = 1_000_000;

/** The servers in force with their connections (ProxySQL's MySQL_HostGroups_Manager): decides by the pure functions. */
export class Hostgroups<C extends Pooled> {
  readonly pool = new Pool<C>();
  /** Grows with every LOAD, but not with the monitor's changes (Servers_table_version). */
  tableVersion = 0;
  #servers: readonly RuntimeServer[] = [];
  #pairs: readonly ReplicationPair[] = [];
  #attributes: readonly HostgroupAttributes[] = [];
  #lastId = 0;
  #closed = false;
  readonly #listeners = new Set<() => void>();
  readonly #options: HostgroupsOptions;

  constructor(options: HostgroupsOptions) {
    this.#options = options;
  }

  get servers(): readonly RuntimeServer[] {
    return this.#servers;
  }

  get pairs(): readonly ReplicationPair[] {
    return this.#pairs;
  }

  server(id: number): RuntimeServer | undefined {
    return this.#servers.find((server) => server.id === id);
  }

  /** Calls `listener` after every change of the servers in force. @returns what ends that. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  load(layout: Layout): void {
    this.#pairs = layout.pairs;
    this.#attributes = layout.attributes;
    this.tableVersion += 1;
    this.#apply(commit(this.#servers, layout.rows, this.pool.connectionsOf, this.#newId));
  }

  /** What the monitor read. @returns true when that changed something. */
  applyReadOnly(check: ReadOnlyCheck, writerIsAlsoReader: boolean): boolean {
    const options = { writerIsAlsoReader, newId: this.#newId };
    const changed = readOnlyAction(this.#servers, this.#pairs, check, options);
    if (!changed) return false;
    this.#apply(changed);
    this.purge();
    return true;
  }

  applyFailedPings(hostname: string, port: number): void {
    const { now, settings } = this.#options;
    const dead = this.#servers.filter((server) => server.hostname === hostname && server.port === port);
    this.#apply({
      servers: this.#servers.map((server) =>
        dead.includes(server) ? afterFailedPings(server, now(), settings()) : server,
      ),
      dropFree: dead.filter((server) => server.status !== "OFFLINE_HARD").map((server) => server.id),
    });
  }

  applyConnectError(serverId: number, errno: number): void {
    const { now, settings } = this.#options;
    this.pool.counters(serverId).connectErrors += 1;
    this.#servers = this.#servers.map((server) =>
      server.id === serverId ? afterConnectError(server, errno, now(), settings()) : server,
    );
  }

  /** The server for the next connection of a hostgroup, or undefined when there is none now. */
  pick(hostgroup: number): RuntimeServer | undefined {
    const { server, servers } = pick(this.#servers, {
      hostgroup,
      connectionsOf: this.pool.connectionsOf,
      now: this.#options.now(),
      settings: this.#options.settings(),
      maxOnlineServers: this.#maxOnline(hostgroup),
      chance: this.#options.random(),
    });
    this.#servers = servers;
    return server;
  }

  /** True when a connection to the server must not be used any more; also for a server that is gone. */
  isOffline(serverId: number): boolean {
    const server = this.server(serverId);
    if (!server) return true;
    const online = onlineServers(this.#servers, server.hostgroup_id);
    return isOffline(server, online > this.#maxOnline(server.hostgroup_id));
  }

  /** A session is done with the connection: it is free for the next one if its server is ONLINE. */
  release(connection: C): void {
    if (!this.#closed && this.server(connection.serverId)?.status === "ONLINE") {
      this.pool.addFree(connection);
    } else {
      this.pool.forget(connection);
      connection.quit();
    }
  }

  /** Ends the free connections to servers that are not ONLINE, and those beyond mysql-free_connections_pct. */
  dropIdle(freeConnectionsPercent: number): void {
    for (const server of this.#servers) {
      const keep = Math.floor((freeConnectionsPercent * server.max_connections) / 100);
      this.pool.dropFree(server.id, server.status === "ONLINE" ? keep : 0);
    }
  }

  /** Ends the free connections, and those that are still in use as soon as their session is done with them. */
  close(): void {
    this.#closed = true;
    for (const connection of this.pool.free()) connection.quit();
  }

  /** Forgets OFFLINE_HARD servers without connections. */
  purge(): void {
    this.#servers = purge(this.#servers, this.pool.connectionsOf);
    this.pool.prune(new Set(this.#servers.map((server) => server.id)));
  }

  #newId = (): number => {
    this.#lastId += 1;
    return this.#lastId;
  };

  #apply(change: Committed): void {
    this.#servers = change.servers;
    for (const id of change.dropFree) this.pool.dropFree(id);
    for (const listener of this.#listeners) listener();
  }

  #maxOnline(hostgroup: number): number {
    const row = this.#attributes.find((attributes) => attributes.hostgroup_id === hostgroup);
    return row?.max_num_online_servers ?? UNLIMITED;
  }
}
