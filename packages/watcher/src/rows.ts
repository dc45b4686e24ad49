import { type Server, makeServer, sameServer } from "@primacy/contract";

/** What an admin row of `mysql_servers` may say. SHUNNED in the runtime is mostly the monitor's own doing. */
export type Status = "ONLINE" | "SHUNNED" | "OFFLINE_SOFT" | "OFFLINE_HARD";

/** A row of `mysql_servers`, in memory, in the runtime or on disk, with the columns of every ProxySQL since 2.0.11. */
export interface ServerRow {
  readonly hostgroup: number;
  /** As it stands in ProxySQL, which compares names byte by byte. */
  readonly host: string;
  readonly port: number;
  readonly gtidPort: number;
  readonly status: Status;
  readonly weight: number;
  readonly compression: number;
  readonly maxConnections: number;
  /** Seconds; 0 = not checked. */
  readonly maxReplicationLag: number;
  readonly useSsl: number;
  readonly maxLatencyMs: number;
  readonly comment: string;
}

/** The two hostgroups of a cluster; `reader` is null where the layout names none. */
export interface Hostgroups {
  readonly writer: number;
  readonly reader: number | null;
}

export function managed(hostgroups: Hostgroups, row: ServerRow): boolean {
  return row.hostgroup === hostgroups.writer || row.hostgroup === hostgroups.reader;
}

/** Is this the row of that server? Host names differ in case only where people wrote them. */
export function rowIs(row: ServerRow, hostgroup: number, server: Server): boolean {
  return row.hostgroup === hostgroup && sameServer(row, server);
}

/** The server that a row speaks of, in the one way in which servers are written: `db1.` is `db1`. */
export function serverOf(row: ServerRow): Server {
  const written = makeServer(row.host, row.port);
  // A Unix socket's path, for one, is left as it is.
  return written.ok ? written.value : { host: row.host, port: row.port };
}

/** The very same row, byte by byte, as ProxySQL's primary key has it. */
export function sameKey(a: ServerRow, b: ServerRow): boolean {
  return a.hostgroup === b.hostgroup && a.host === b.host && a.port === b.port;
}

/** A row that takes, or could at any moment take, new connections: the monitor's SHUNNED ends by itself. */
export function mayTakeConnections(row: ServerRow): boolean {
  return row.status === "ONLINE" || row.status === "SHUNNED";
}

/**
 * Does a runtime row (or its absence) show what an admin row asks for? A row that is OFFLINE_HARD leaves the runtime as
 * soon as no connection is left, and a shunned server is one that was ONLINE (ProxySQL 2.7.1, observed).
 */
export function runtimeShows(wanted: Status, runtime: ServerRow | undefined): boolean {
  const seen = runtime?.status ?? "OFFLINE_HARD";
  if (wanted === "ONLINE" || wanted === "SHUNNED") return seen === "ONLINE" || seen === "SHUNNED";
  return seen === wanted;
}

/** A row on which some session may write: also a draining one, for the sessions that it has. */
export function mayBeWritten(row: Pick<ServerRow, "status">): boolean {
  return row.status !== "OFFLINE_HARD";
}
