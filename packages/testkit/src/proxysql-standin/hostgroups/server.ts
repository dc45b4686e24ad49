/** Status of a server in force. The last one is never in the tables that an administrator writes. */
export type ServerStatus = "ONLINE" | "SHUNNED" | "OFFLINE_SOFT" | "OFFLINE_HARD" | "SHUNNED_REPLICATION_LAG";

/** A row of mysql_servers, with its columns' names. */
export interface ServerRow {
  readonly hostgroup_id: number;
  readonly hostname: string;
  readonly port: number;
  readonly gtid_port: number;
  readonly status: ServerStatus;
  readonly weight: number;
  readonly compression: number;
  readonly max_connections: number;
  readonly max_replication_lag: number;
  readonly use_ssl: number;
  readonly max_latency_ms: number;
  readonly comment: string;
}

/** A server in force (ProxySQL's MySrvC). Connections belong to the `id`, so they follow it through changes. */
export interface RuntimeServer extends ServerRow {
  readonly id: number;
  /** Shunned by ProxySQL itself, so it may come back by itself. */
  readonly shunnedAutomatically: boolean;
  /** Shunned for failing pings: connections in use are dropped too. */
  readonly killAll: boolean;
  /** Unix second of the last error on connecting. */
  readonly lastErrorAt: number;
  /** Errors within that second. */
  readonly errorsThen: number;
}

/** How many connections a server has, in use and free. */
export interface Connections {
  readonly used: number;
  readonly free: number;
}

export type ConnectionsOf = (id: number) => Connections;

export const COLUMNS = [
  "hostgroup_id",
  "hostname",
  "port",
  "gtid_port",
  "status",
  "weight",
  "compression",
  "max_connections",
  "max_replication_lag",
  "use_ssl",
  "max_latency_ms",
  "comment",
] as const;

/** A row of mysql_servers as SQLite gives it (texts). A text where a number belongs counts as C's atoi counts it. */
export function parseServerRow(record: Readonly<Record<string, string | null>>): ServerRow {
  const text = (column: string): string => record[column] ?? "";
  const number = (column: string): number => Number.parseInt(text(column), 10) || 0;
  return {
    hostgroup_id: number("hostgroup_id"),
    hostname: text("hostname"),
    port: number("port"),
    gtid_port: number("gtid_port"),
    status: parseStatus(text("status")),
    weight: number("weight"),
    compression: number("compression"),
    max_connections: number("max_connections"),
    max_replication_lag: number("max_replication_lag"),
    use_ssl: number("use_ssl"),
    max_latency_ms: number("max_latency_ms"),
    comment: text("comment"),
  };
}

/** The same server in the same hostgroup. */
export function sameServer(left: ServerRow, right: ServerRow): boolean {
  return (
    left.hostgroup_id === right.hostgroup_id && left.hostname === right.hostname && left.port === right.port
  );
}

export function newServer(row: ServerRow, id: number): RuntimeServer {
  return { ...row, id, shunnedAutomatically: false, killAll: false, lastErrorAt: 0, errorsThen: 0 };
}

/** As runtime_mysql_servers shows it. */
export function shownStatus(status: ServerStatus): ServerStatus {
  return status === "SHUNNED_REPLICATION_LAG" ? "SHUNNED" : status;
}

function parseStatus(text: string): ServerStatus {
  const upper = text.toUpperCase();
  if (upper === "SHUNNED" || upper === "OFFLINE_SOFT" || upper === "OFFLINE_HARD") return upper;
  return "ONLINE";
}
