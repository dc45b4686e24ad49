import type { Core } from "../core.js";
import { COLUMNS, type RuntimeServer, shownStatus } from "../hostgroups/server.js";
import { runtimeUserRows } from "../traffic/users.js";
import { MODULE_TABLES } from "./load.js";
import type { StoredValue } from "./sqlite.js";
import { connectionPoolRows, freeConnectionRows, globalStatusRows, processlistRows } from "./stats.js";

type Refresh = (core: Core) => void;

/** Tables that are filled just before a statement that mentions them, and how. */
const STATISTICS: readonly (readonly [mention: string, Refresh])[] = [
  ["stats_mysql_connection_pool", refreshConnectionPool],
  ["stats_mysql_free_connections", fillWith("stats.stats_mysql_free_connections", freeConnectionRows)],
  ["stats_mysql_global", refreshGlobalStatus],
];

const RUNTIME: readonly (readonly [mentions: readonly string[], Refresh])[] = [
  [["global_variables"], refreshVariables],
  [(MODULE_TABLES["MYSQL SERVERS"] ?? []).map((table) => `runtime_${table}`), refreshServers],
  [["runtime_mysql_users"], refreshUsers],
  [["runtime_checksums_values"], fillWith("runtime_checksums_values", (core) => core.checksums.rows())],
  ...[
    "mysql_query_rules",
    "mysql_query_rules_fast_routing",
    "scheduler",
    "proxysql_servers",
    "restapi_routes",
  ].map((table) => [[`runtime_${table}`], refreshKept(table)] as const),
];

/**
 * Fills the tables that the statement mentions. The comparison is of the text and of lower case only, so an upper-case
 * name reads what was there before, and a mention in a comment fills the table as well (lib/ProxySQL_Admin.cpp:3155).
 */
export function refreshMentioned(core: Core, text: string, isAdmin: boolean): void {
  if (text.toLowerCase().includes("processlist"))
    fillWith("stats.stats_mysql_processlist", processlistRows)(core);
  for (const [mention, refresh] of STATISTICS) if (text.includes(mention)) refresh(core);
  if (!isAdmin) return;
  for (const [mentions, refresh] of RUNTIME)
    if (mentions.some((mention) => text.includes(mention))) refresh(core);
}

/** Also done by statements that ask for the status without naming its table. */
export function refreshGlobalStatus(core: Core): void {
  core.layers.fill("stats.stats_mysql_global", globalStatusRows(core));
}

/** The servers in force as runtime_mysql_servers shows them; reading it forgets those that have drained. */
export function runtimeServerRows(core: Core): StoredValue[][] {
  core.hostgroups.purge();
  return [...core.hostgroups.servers]
    .sort(byKey)
    .map((server) => COLUMNS.map((column) => shown(server, column)));
}

function refreshServers(core: Core): void {
  core.layers.fill("runtime_mysql_servers", runtimeServerRows(core));
  for (const table of MODULE_TABLES["MYSQL SERVERS"] ?? [])
    if (table !== "mysql_servers") refreshKept(table)(core);
}

function refreshUsers(core: Core): void {
  core.layers.fill("runtime_mysql_users", runtimeUserRows(core.inForce.get("mysql_users") ?? []));
}

/** Reading variables also puts back those that were deleted in memory. */
function refreshVariables(core: Core): void {
  const rows = [...core.variables.list("admin-"), ...core.variables.list("mysql-")];
  core.layers.fill("runtime_global_variables", rows);
  core.layers.run("INSERT OR IGNORE INTO global_variables SELECT * FROM runtime_global_variables");
}

/** Looking at the pool ends the free connections to servers that are not ONLINE. */
function refreshConnectionPool(core: Core): void {
  for (const server of core.hostgroups.servers)
    if (server.status !== "ONLINE") core.hostgroups.pool.dropFree(server.id);
  const rows = connectionPoolRows(core);
  core.layers.fill("stats.stats_mysql_connection_pool", rows);
  core.layers.fill("stats.stats_mysql_connection_pool_reset", rows);
}

function refreshKept(table: string): Refresh {
  return fillWith(`runtime_${table}`, (core) =>
    (core.inForce.get(table) ?? []).map((row) => Object.values(row)),
  );
}

function fillWith(table: string, rows: (core: Core) => readonly (readonly StoredValue[])[]): Refresh {
  return (core) => core.layers.fill(table, rows(core));
}

function shown(server: RuntimeServer, column: (typeof COLUMNS)[number]): StoredValue {
  return column === "status" ? shownStatus(server.status) : server[column];
}

function byKey(left: RuntimeServer, right: RuntimeServer): number {
  if (left.hostgroup_id !== right.hostgroup_id) return left.hostgroup_id - right.hostgroup_id;
  if (left.hostname !== right.hostname) return left.hostname < right.hostname ? -1 : 1;
  return left.port - right.port;
}
