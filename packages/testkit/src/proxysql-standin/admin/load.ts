import type { Core } from "../core.js";
import { countedRows } from "../hostgroups/checksum.js";
import { parseServerRow, type ServerRow } from "../hostgroups/server.js";
import { parseRules } from "../traffic/rules.js";
import { parseUsers, runtimeUserRows } from "../traffic/users.js";
import { serverTables } from "../schema/servers.js";
import { tableName } from "../schema/tables.js";
import type { Module } from "./move.js";

type Row = Readonly<Record<string, string | null>>;

/** The tables of the modules that are tables. */
export const MODULE_TABLES: Readonly<Partial<Record<Module, readonly string[]>>> = {
  "MYSQL SERVERS": serverTables.map(tableName),
  "MYSQL USERS": ["mysql_users"],
  "MYSQL QUERY RULES": ["mysql_query_rules", "mysql_query_rules_fast_routing"],
  "MYSQL FIREWALL": [
    "mysql_firewall_whitelist_users",
    "mysql_firewall_whitelist_rules",
    "mysql_firewall_whitelist_sqli_fingerprints",
  ],
  "PROXYSQL SERVERS": ["proxysql_servers"],
  SCHEDULER: ["scheduler"],
  RESTAPI: ["restapi_routes"],
};

/** Variables that another ProxySQL of a cluster need not have too. */
const NOT_COUNTED = new Set([
  "mysql-threads",
  "mysql-interfaces",
  "admin-mysql_ifaces",
  "admin-telnet_admin_ifaces",
  "admin-telnet_stats_ifaces",
  "admin-restapi_enabled",
  "admin-restapi_port",
  "admin-web_enabled",
  "admin-web_port",
]);

/** LOAD <module> TO RUNTIME: puts the rows of memory in force. There is no way to say that it went wrong. */
export function loadToRuntime(core: Core, module: Module): void {
  switch (module) {
    case "MYSQL SERVERS":
      return loadServers(core);
    case "MYSQL USERS":
      return loadUsers(core);
    case "MYSQL QUERY RULES":
      return loadRules(core);
    case "MYSQL VARIABLES":
      return loadVariables(core, "mysql-");
    case "ADMIN VARIABLES":
      return loadVariables(core, "admin-");
    case "PROXYSQL SERVERS":
      keep(core, module);
      return core.checksums.loaded("proxysql_servers", values(core.inForce.get("proxysql_servers")));
    case "SCHEDULER":
      keep(core, module);
      return core.scheduler.load(core.inForce.get("scheduler") ?? []);
    case "MYSQL FIREWALL":
    case "RESTAPI":
      return keep(core, module);
  }
}

/** One LOAD publishes the servers and all tables around them, whoever has edited them. */
function loadServers(core: Core): void {
  keep(core, "MYSQL SERVERS");
  const rows = memory(core, "mysql_servers").map(parseServerRow);
  const pairs = usablePairs(core.inForce.get("mysql_replication_hostgroups") ?? []);
  core.inForce.set("mysql_replication_hostgroups", pairs);
  core.hostgroups.load({
    rows,
    pairs: pairs.map((row) => ({
      writer_hostgroup: Number(row["writer_hostgroup"]),
      reader_hostgroup: Number(row["reader_hostgroup"]),
    })),
    attributes: (core.inForce.get("mysql_hostgroup_attributes") ?? []).map((row) => ({
      hostgroup_id: Number(row["hostgroup_id"]),
      max_num_online_servers: Number(row["max_num_online_servers"]),
    })),
  });
  core.checksums.loaded("mysql_servers_v2", configuredRows(core, rows));
  core.checksums.loaded("mysql_servers", countedRows(core.hostgroups.servers));
}

/** mysql_servers_v2 counts what was configured: the servers and the tables around them. */
function configuredRows(core: Core, rows: readonly ServerRow[]): unknown[][] {
  const around = (MODULE_TABLES["MYSQL SERVERS"] ?? []).filter((table) => table !== "mysql_servers");
  return [...countedRows(rows), ...around.flatMap((table) => values(core.inForce.get(table)))];
}

/** A pair whose writers are another pair's readers is skipped, with a line in the log. */
function usablePairs(rows: readonly Row[]): readonly Row[] {
  const readers = new Set(rows.map((row) => row["reader_hostgroup"]));
  return rows.filter((row) => !readers.has(row["writer_hostgroup"] ?? ""));
}

function loadUsers(core: Core): void {
  const rows = memory(core, "mysql_users");
  core.proxy.users = parseUsers(rows);
  core.inForce.set("mysql_users", rows);
  core.checksums.loaded("mysql_users", runtimeUserRows(rows));
}

function loadRules(core: Core): void {
  keep(core, "MYSQL QUERY RULES");
  const active = (core.inForce.get("mysql_query_rules") ?? []).filter((row) => row["active"] === "1");
  core.inForce.set("mysql_query_rules", active);
  core.proxy.rules = parseRules(active);
  core.checksums.loaded("mysql_query_rules", values(active));
}

/**
 * Puts the variables of a module in force. A value that can't be set is taken back in memory, and a row with a name that
 * ProxySQL does not know is deleted there (lib/ProxySQL_Admin.cpp:7421).
 */
function loadVariables(core: Core, prefix: "admin-" | "mysql-"): void {
  const { layers, variables } = core;
  const sql = `SELECT variable_name, variable_value FROM global_variables WHERE variable_name LIKE '${prefix}%'`;
  for (const row of layers.select(sql)) {
    const name = row["variable_name"] ?? "";
    if (variables.set(name, row["variable_value"] ?? "")) continue;
    if (variables.has(name))
      layers.run("INSERT OR REPLACE INTO global_variables VALUES (?, ?)", [name, variables.text(name)]);
    else layers.run("DELETE FROM global_variables WHERE variable_name = ?", [name]);
  }
  const counted = variables.list(prefix).filter(([name]) => !NOT_COUNTED.has(name));
  core.checksums.loaded(prefix === "admin-" ? "admin_variables" : "mysql_variables", counted);
}

function keep(core: Core, module: Module): void {
  for (const table of MODULE_TABLES[module] ?? []) core.inForce.set(table, memory(core, table));
}

function memory(core: Core, table: string): Row[] {
  return core.layers.select(`SELECT * FROM main.${table}`);
}

function values(rows: readonly Row[] | undefined): (string | null)[][] {
  return (rows ?? []).map((row) => Object.values(row));
}
