import type {
  Configuration,
  ConfigurationRow,
  ConfigurationTable,
} from "../proxysql-standin/configuration.js";

/** Names in proxysql.cnf that are not those of the table's columns. */
const RENAMED: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  mysql_servers: { hostname: "address", hostgroup_id: "hostgroup" },
};

/** The text of a proxysql.cnf (libconfig) with the same contents. */
export function configurationFile(configuration: Configuration, dataDir: string): string {
  const group = (prefix: string): string => {
    const lines = Object.entries(configuration.variables)
      .filter(([name]) => name.startsWith(`${prefix}-`))
      .map(([name, value]) => `  ${name.slice(prefix.length + 1)}=${quoted(value)}\n`);
    return `${prefix}_variables=\n{\n${lines.join("")}}\n`;
  };
  const tables = Object.entries(configuration.tables) as [ConfigurationTable, readonly ConfigurationRow[]][];
  return [
    `datadir=${quoted(dataDir)}\n`,
    group("admin"),
    group("mysql"),
    ...tables.map(
      ([table, rows]) => `${table}=\n(\n${rows.map((row) => entry(table, row)).join(",\n")}\n)\n`,
    ),
  ].join("\n");
}

function entry(table: string, row: ConfigurationRow): string {
  const fields = Object.entries(row)
    .filter(([, value]) => value !== null)
    .map(([column, value]) => {
      const name = RENAMED[table]?.[column] ?? column;
      return `${name}=${typeof value === "number" ? value : quoted(String(value))}`;
    });
  return `  { ${fields.join("; ")} }`;
}

function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, "\\$&")}"`;
}
