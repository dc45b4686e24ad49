import type { Mark } from "../admission.js";
import type { RowStatus, Step } from "../plan.js";
import type { ServerRow } from "../rows.js";

/**
 * A text as SQLite reads it: quotes doubled, backslashes left alone. mysql2's placeholders and `escape` write MySQL's
 * escapes, which SQLite does not know: an injection on the admin port (ProxySQL 2.7.1, observed).
 */
export function quote(text: string): string {
  if (text.includes("\u0000")) throw new RangeError("a text with a NUL byte cannot stand in a statement");
  return `'${text.replaceAll("'", "''")}'`;
}

function integer(value: number): string {
  if (!Number.isSafeInteger(value)) throw new RangeError(`${String(value)} is not a whole number`);
  return String(value);
}

/** Column of `mysql_servers` → property of {@link ServerRow}. */
export const SERVER_COLUMNS = {
  hostgroup_id: "hostgroup",
  hostname: "host",
  port: "port",
  gtid_port: "gtidPort",
  status: "status",
  weight: "weight",
  compression: "compression",
  max_connections: "maxConnections",
  max_replication_lag: "maxReplicationLag",
  use_ssl: "useSsl",
  max_latency_ms: "maxLatencyMs",
  comment: "comment",
} as const satisfies Record<string, keyof ServerRow>;

const COLUMN_LIST = Object.keys(SERVER_COLUMNS).join(", ");

/**
 * `runtime_mysql_servers` is made anew when a query's text names it in lower case (ProxySQL 2.7.1,
 * GenericRefreshStatistics): so the names stand here as they must.
 */
export const SELECT_LAYER = {
  memory: `SELECT ${COLUMN_LIST} FROM mysql_servers`,
  runtime: `SELECT ${COLUMN_LIST} FROM runtime_mysql_servers`,
  disk: `SELECT ${COLUMN_LIST} FROM disk.mysql_servers`,
} as const;

export const LOAD_SERVERS = "LOAD MYSQL SERVERS TO RUNTIME";
export const SAVE_SERVERS = "SAVE MYSQL SERVERS TO DISK";

/** A standing row. OR IGNORE: if somebody was quicker, the next pass sees their row. */
export function insertServer(row: ServerRow): string {
  const values = Object.values(SERVER_COLUMNS).map((property) => {
    const value = row[property];
    return typeof value === "number" ? integer(value) : quote(value);
  });
  return `INSERT OR IGNORE INTO mysql_servers (${COLUMN_LIST}) VALUES (${values.join(", ")})`;
}

/** Every row of both hostgroups in one statement, the only unit that is atomic on the admin port. */
export function updateStatuses(writerHostgroup: number, rows: readonly RowStatus[]): string {
  const cases = rows.map(
    (row) =>
      `WHEN hostgroup_id=${integer(row.hostgroup)} AND hostname=${quote(row.host)} AND port=${integer(row.port)} ` +
      `THEN ${quote(row.status)}`,
  );
  const hostgroups = [...new Set([writerHostgroup, ...rows.map((row) => row.hostgroup)])];
  // A row that somebody put into the writer hostgroup since we looked is out as well.
  return (
    `UPDATE mysql_servers SET status = CASE ${cases.join(" ")} ` +
    `WHEN hostgroup_id=${integer(writerHostgroup)} THEN 'OFFLINE_HARD' ELSE status END ` +
    `WHERE hostgroup_id IN (${hostgroups.map(integer).join(", ")})`
  );
}

/**
 * The stamp lies in a table of our own in the attached disk database: written to proxysql.db at once, never read,
 * copied, altered or dropped by ProxySQL, in no checksum, and no ProxySQL Cluster pulls it (2.7.1,
 * ProxySQL_Admin.cpp: ATTACH DATABASE … AS disk; LOAD and SAVE copy named tables only). It is lost by `--initial`.
 */
export const CREATE_STAMPS =
  "CREATE TABLE IF NOT EXISTS disk.primacy_stamp (cluster VARCHAR NOT NULL PRIMARY KEY, generation INT NOT NULL, " +
  "incarnation VARCHAR NOT NULL, hash VARCHAR NOT NULL)";

export const SELECT_STAMPS = "SELECT cluster, generation, incarnation, hash FROM disk.primacy_stamp";

export function writeStamp(cluster: string, mark: Mark): string {
  return (
    "INSERT OR REPLACE INTO disk.primacy_stamp (cluster, generation, incarnation, hash) VALUES " +
    `(${quote(cluster)}, ${integer(mark.generation)}, ${quote(mark.incarnation)}, ${quote(mark.hash)})`
  );
}

export function deleteStamp(cluster: string): string {
  return `DELETE FROM disk.primacy_stamp WHERE cluster=${quote(cluster)}`;
}

/** The statements of a step, in order. `verify` only reads. */
export function statementsOf(step: Step, cluster: string, mark: Mark): readonly string[] {
  switch (step.kind) {
    case "insert":
      return [insertServer(step.row)];
    case "update":
      return [updateStatuses(step.writerHostgroup, step.rows)];
    case "load":
      return [LOAD_SERVERS];
    case "verify":
      return [SELECT_LAYER.runtime];
    case "stamp":
      return [CREATE_STAMPS, writeStamp(cluster, mark)];
    case "save":
      return [SAVE_SERVERS];
  }
}
