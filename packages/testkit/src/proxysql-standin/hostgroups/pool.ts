import type { Connections } from "./server.js";

/** A connection to a backend server, as the pool sees it. */
export interface Pooled {
  /** The `id` of the server in force. */
  readonly serverId: number;
  readonly user: string;
  /** Says goodbye to the server. */
  quit(): void;
}

/** What stats_mysql_connection_pool counts of a server. */
export interface ServerCounters {
  connectionsOk: number;
  connectErrors: number;
  maxUsed: number;
  queries: number;
  bytesSent: number;
  bytesReceived: number;
}

/** The connections to the servers: in use by a client's session, or free for the next one. */
export class Pool<C extends Pooled> {
  readonly #used = new Map<number, Set<C>>();
  readonly #free = new Map<number, C[]>();
  readonly #counters = new Map<number, ServerCounters>();

  connectionsOf = (serverId: number): Connections => ({
    used: this.#used.get(serverId)?.size ?? 0,
    free: this.#free.get(serverId)?.length ?? 0,
  });

  counters(serverId: number): ServerCounters {
    let counters = this.#counters.get(serverId);
    if (!counters) {
      counters = {
        connectionsOk: 0,
        connectErrors: 0,
        maxUsed: 0,
        queries: 0,
        bytesSent: 0,
        bytesReceived: 0,
      };
      this.#counters.set(serverId, counters);
    }
    return counters;
  }

  /** Takes a free connection of that user, the one that was used last. */
  take(serverId: number, user: string): C | undefined {
    const free = this.#free.get(serverId) ?? [];
    const index = free.findLastIndex((connection) => connection.user === user);
    const [connection] = index === -1 ? [] : free.splice(index, 1);
    if (connection) this.addUsed(connection);
    return connection;
  }

  addUsed(connection: C): void {
    const used = this.#used.get(connection.serverId) ?? new Set();
    this.#used.set(connection.serverId, used.add(connection));
    const counters = this.counters(connection.serverId);
    counters.maxUsed = Math.max(counters.maxUsed, used.size);
  }

  addFree(connection: C): void {
    this.forget(connection);
    const free = this.#free.get(connection.serverId) ?? [];
    free.push(connection);
    this.#free.set(connection.serverId, free);
  }

  /** The connection is gone or belongs to nobody any more. */
  forget(connection: C): void {
    this.#used.get(connection.serverId)?.delete(connection);
    const free = this.#free.get(connection.serverId);
    const index = free?.indexOf(connection) ?? -1;
    if (index !== -1) free?.splice(index, 1);
  }

  /** Ends the free connections of a server beyond `keep`. */
  dropFree(serverId: number, keep = 0): void {
    const free = this.#free.get(serverId) ?? [];
    for (const connection of free.splice(0, Math.max(0, free.length - keep))) connection.quit();
  }

  free(): C[] {
    return [...this.#free.values()].flat();
  }

  /** Forgets the counters of servers that are in force no more. */
  prune(inForce: ReadonlySet<number>): void {
    for (const id of this.#counters.keys()) if (!inForce.has(id)) this.#counters.delete(id);
  }
}
