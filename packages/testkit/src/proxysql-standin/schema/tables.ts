import { otherTables } from "./other.js";
import { serverTables } from "./servers.js";

const CHECKSUMS =
  "CREATE TABLE runtime_checksums_values (name VARCHAR NOT NULL , version INT NOT NULL , epoch INT NOT NULL , checksum VARCHAR NOT NULL , PRIMARY KEY (name))";

const GLOBAL_SETTINGS =
  "CREATE TABLE global_settings (variable_name VARCHAR NOT NULL PRIMARY KEY , variable_value VARCHAR NOT NULL)";

/** Tables without a runtime twin. */
const MEMORY_ONLY = new Set(["mysql_collations"]);

const memoryTables = [...serverTables, ...otherTables];

/** The tables of `main`: what the administrator edits, and with "runtime_" in front what is in force. */
export const mainTables: readonly string[] = [
  ...memoryTables,
  ...memoryTables.filter((text) => !MEMORY_ONLY.has(tableName(text))).map(runtimeTwin),
  CHECKSUMS,
];

/** The tables of `disk`, which is the file proxysql.db. */
export const diskTables: readonly string[] = [
  ...memoryTables.filter((text) => tableName(text) !== "coredump_filters"),
  GLOBAL_SETTINGS,
];

/** The name in "CREATE TABLE name (…". */
export function tableName(createTable: string): string {
  return /^CREATE TABLE (\w+)/.exec(createTable)?.[1] ?? "";
}

function runtimeTwin(createTable: string): string {
  return createTable.replace("CREATE TABLE ", "CREATE TABLE runtime_");
}
