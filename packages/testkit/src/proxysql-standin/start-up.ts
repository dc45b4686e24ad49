import { randomUUID } from "node:crypto";
import { type Configuration, CONFIGURATION_TABLES, type ConfigurationRow } from "./configuration.js";
import type { Core } from "./core.js";
import { diskTables, tableName } from "./schema/tables.js";
import { loadToRuntime } from "./admin/load.js";
import type { Module } from "./admin/move.js";

const MODULES: readonly Module[] = [
  "ADMIN VARIABLES",
  "MYSQL VARIABLES",
  "MYSQL USERS",
  "MYSQL QUERY RULES",
  "MYSQL SERVERS",
  "PROXYSQL SERVERS",
  "SCHEDULER",
  "MYSQL FIREWALL",
  "RESTAPI",
];

/**
 * What ProxySQL does at a start: memory comes from disk, the configuration counts only when there was no disk yet, and
 * everything is put in force once, which makes every version 1 (lib/ProxySQL_Admin.cpp:6540-6692).
 */
export function fillLayers(core: Core, configuration: Configuration): void {
  const { layers, variables } = core;
  for (const [name, value] of [...variables.list("admin-"), ...variables.list("mysql-")]) {
    layers.run("INSERT OR IGNORE INTO disk.global_variables VALUES (?, ?)", [name, value]);
    layers.run("INSERT INTO main.global_variables VALUES (?, ?)", [name, value]);
  }
  for (const table of saved()) layers.run(`INSERT OR REPLACE INTO main.${table} SELECT * FROM disk.${table}`);
  if (!layers.hadDisk) {
    configure(core, configuration);
    for (const table of saved())
      layers.run(`INSERT OR REPLACE INTO disk.${table} SELECT * FROM main.${table}`);
  }
  // The name of this ProxySQL in a cluster, made once and kept.
  layers.run("INSERT OR IGNORE INTO disk.global_settings VALUES ('uuid', ?)", [randomUUID()]);
  for (const module of MODULES) loadToRuntime(core, module);
  variables.started();
  layers.persist();
}

function configure(core: Core, configuration: Configuration): void {
  for (const [name, value] of Object.entries(configuration.variables))
    core.layers.run("INSERT OR REPLACE INTO global_variables VALUES (?, ?)", [name, value]);
  for (const table of CONFIGURATION_TABLES)
    for (const row of configuration.tables[table] ?? []) insert(core, table, row);
}

function insert(core: Core, table: string, row: ConfigurationRow): void {
  const columns = Object.keys(row);
  const marks = columns.map(() => "?").join(",");
  core.layers.run(
    `INSERT OR REPLACE INTO main.${table} (${columns.join(",")}) VALUES (${marks})`,
    Object.values(row),
  );
}

function saved(): string[] {
  return diskTables.map(tableName).filter((table) => table !== "global_settings");
}
