import type { Server } from "@primacy/contract";
import type { Mark } from "../admission.js";
import type { RowStatus, Step } from "../plan.js";
import { type Hostgroups, type ServerRow, mayBeWritten } from "../rows.js";
import { integer, quote } from "./quote.js";

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

/**
 * Every row of both hostgroups in one statement, the only unit that is atomic on the admin port.
 *
 * With `openUntilSeconds`, rows of the writer hostgroup that let writes through do so only while ProxySQL's own clock
 * has not come that far: a watcher may be stopped between deciding and sending for as long as you like.
 */
export function updateStatuses(
  writerHostgroup: number,
  rows: readonly RowStatus[],
  openUntilSeconds: number | null,
): string {
  const inTime = openUntilSeconds === null ? "" : ` AND ${unixNow} < ${integer(openUntilSeconds)}`;
  const cases = rows.map((row) => {
    const opens = row.hostgroup === writerHostgroup && mayBeWritten(row);
    return (
      `WHEN hostgroup_id=${integer(row.hostgroup)} AND hostname=${quote(row.host)} AND port=${integer(row.port)}` +
      `${opens ? inTime : ""} THEN ${quote(row.status)}`
    );
  });
  const hostgroups = [...new Set([writerHostgroup, ...rows.map((row) => row.hostgroup)])];
  // A row that somebody put into the writer hostgroup since we looked is out as well.
  return (
    `UPDATE mysql_servers SET status = CASE ${cases.join(" ")} ` +
    `WHEN hostgroup_id=${integer(writerHostgroup)} THEN 'OFFLINE_HARD' ELSE status END ` +
    `WHERE hostgroup_id IN (${hostgroups.map(integer).join(", ")})`
  );
}

const unixNow = "CAST(strftime('%s','now') AS INTEGER)";

/** Nobody takes writes in these hostgroups: what the watcher and the guard do without a lease. A LOAD must follow. */
export function fenceHostgroups(writerHostgroups: readonly number[]): string {
  return (
    "UPDATE mysql_servers SET status='OFFLINE_HARD' WHERE status<>'OFFLINE_HARD' AND " +
    `hostgroup_id IN (${writerHostgroups.map(integer).join(", ")})`
  );
}

/** Is there anything to fence, now or at the next LOAD? Two numbers, `memory` and `runtime`. */
export function countUnfenced(writerHostgroups: readonly number[]): string {
  const where = `WHERE status<>'OFFLINE_HARD' AND hostgroup_id IN (${writerHostgroups.map(integer).join(", ")})`;
  return (
    `SELECT (SELECT COUNT(*) FROM mysql_servers ${where}) AS memory, ` +
    `(SELECT COUNT(*) FROM runtime_mysql_servers ${where}) AS runtime`
  );
}

export function countUnfencedOnDisk(writerHostgroups: readonly number[]): string {
  return (
    "SELECT COUNT(*) AS disk FROM disk.mysql_servers WHERE status<>'OFFLINE_HARD' AND " +
    `hostgroup_id IN (${writerHostgroups.map(integer).join(", ")})`
  );
}

/**
 * Straight into the disk's table: `SAVE MYSQL SERVERS TO DISK` would copy the memory, which has the writer. ProxySQL
 * reads that table when it starts and at LOAD … FROM DISK only (2.7.1, observed).
 */
function fenceDisk(writerHostgroup: number): string {
  return (
    "UPDATE disk.mysql_servers SET status='OFFLINE_HARD' WHERE status<>'OFFLINE_HARD' AND " +
    `hostgroup_id=${integer(writerHostgroup)}`
  );
}

/** What SAVE does, for rows of these hostgroups only, and with nobody in the writer hostgroup. */
function saveFenced({ writer, reader }: Hostgroups): readonly string[] {
  const columns = Object.keys(SERVER_COLUMNS).map((column) =>
    column === "status"
      ? `CASE WHEN hostgroup_id=${integer(writer)} THEN 'OFFLINE_HARD' ELSE status END`
      : column,
  );
  const hostgroups = reader === null ? [writer] : [writer, reader];
  const where = `WHERE hostgroup_id IN (${hostgroups.map(integer).join(", ")})`;
  return [
    `DELETE FROM disk.mysql_servers ${where} AND (hostgroup_id, hostname, port) NOT IN ` +
      "(SELECT hostgroup_id, hostname, port FROM main.mysql_servers)",
    `INSERT OR REPLACE INTO disk.mysql_servers (${COLUMN_LIST}) SELECT ${columns.join(", ")} ` +
      `FROM main.mysql_servers ${where}`,
  ];
}

/** The client sessions that hold a connection to one of these servers, also idle ones and fast_forward (2.7.1, observed). */
export function selectSessions(hostgroup: number, servers: readonly Server[]): string {
  const those = servers.map((one) => `(srv_host=${quote(one.host)} AND srv_port=${integer(one.port)})`);
  return (
    `SELECT SessionID FROM stats_mysql_processlist WHERE hostgroup=${integer(hostgroup)} ` +
    `AND (${those.join(" OR ")})`
  );
}

/**
 * The client sessions that may hold a connection of this hostgroup without showing it. Of a session the process list has
 * only the hostgroup that it used last (2.7.1, MySQL_Threads_Handler::SQL3_Processlist): behind a read on another one,
 * the connection with its temporary table or its lock is not seen. Whoever is at this hostgroup now hides none, nor who
 * has said nothing yet (-1), nor who rests on an idle thread (`--idle-threads`: numbered behind `mysql-threads`; only who
 * holds no connection goes there). Those whose statement runs elsewhere are left until it has ended, save on the
 * cluster's own readers.
 *
 * @param foreign hostgroups of other clusters
 */
export function selectHiddenSessions(
  hostgroup: number,
  reader: number | null,
  foreign: readonly number[],
): string {
  const idle = reader === null ? "srv_host IS NULL" : `(srv_host IS NULL OR hostgroup=${integer(reader)})`;
  const not = [hostgroup, ...foreign].map(integer).join(", ");
  return (
    `SELECT SessionID FROM stats_mysql_processlist WHERE ${idle} AND hostgroup>=0 AND hostgroup NOT IN (${not}) AND ` +
    "ThreadID < (SELECT CAST(variable_value AS INTEGER) FROM global_variables WHERE variable_name='mysql-threads')"
  );
}

/** The `fast_forward` sessions of these hostgroups, but for those at these servers. */
export function selectFastForward(hostgroups: readonly number[], except: readonly Server[]): string {
  const not = except.map((one) => ` AND NOT (srv_host=${quote(one.host)} AND srv_port=${integer(one.port)})`);
  return (
    "SELECT SessionID FROM stats_mysql_processlist WHERE command='Fast forward' AND " +
    `hostgroup IN (${hostgroups.map(integer).join(", ")})${not.join("")}`
  );
}

/** Ends a client session; a statement of it that runs is killed on its server too, where that is not OFFLINE_HARD. */
export function killSession(sessionId: number): string {
  return `KILL CONNECTION ${integer(sessionId)}`;
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

/** The statements of a step, in order. `verify` only reads; the kills read the sessions that they then kill. */
export function statementsOf(step: Step, cluster: string, mark: Mark): readonly string[] {
  switch (step.kind) {
    case "kill":
      return [selectSessions(step.hostgroup, step.servers)];
    case "kill-fast-forward":
      return [selectFastForward([step.hostgroup], step.except)];
    case "fence-disk":
      return [fenceDisk(step.writerHostgroup)];
    case "insert":
      return [insertServer(step.row)];
    case "update":
      return [updateStatuses(step.writerHostgroup, step.rows, step.openUntilSeconds)];
    case "load":
      return [LOAD_SERVERS];
    case "verify":
      return [SELECT_LAYER.runtime];
    case "stamp":
      return [CREATE_STAMPS, writeStamp(cluster, mark)];
    case "save":
      return [SAVE_SERVERS];
    case "save-fenced":
      return saveFenced(step.hostgroups);
  }
}
