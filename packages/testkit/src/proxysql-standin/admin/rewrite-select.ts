import { PROXYSQL_VERSION } from "../version.js";
import type { AdminStatement } from "./statement.js";

/**
 * Questions that clients ask when they connect; ProxySQL answers them from a list (lib/ProxySQL_Admin.cpp:4680-4890).
 * The comparisons are of beginnings, so what follows is not looked at.
 */
export function rewriteSelect(text: string, isAdmin: boolean): AdminStatement | undefined {
  const lower = text.toLowerCase();
  if (lower === "select @@version_comment limit 1") return sql("SELECT '(ProxySQL Admin Module)'");
  if (lower === "select current_user()") return { kind: "current user", column: "current_user()" };
  if (lower === "select user()") return { kind: "current user", column: "user()" };
  if (lower === "select database()") return sql(`SELECT "${isAdmin ? "admin" : "stats"}" AS 'DATABASE()'`);
  if (lower.startsWith("select @@sql_mode")) return sql("SELECT \"\" as '@@sql_mode'");
  if (lower.startsWith("select connection_id()")) return sql("SELECT 0 AS 'CONNECTION_ID()'");
  if (lower.startsWith("select @@version")) return sql(`SELECT '${PROXYSQL_VERSION}' AS '@@version'`);
  if (lower.startsWith("select version()")) return sql(`SELECT '${PROXYSQL_VERSION}' AS 'version()'`);
  return variable(text);
}

/** SELECT @@name: from global_variables and stats_mysql_global, whatever follows the name being appended. */
function variable(text: string): AdminStatement | undefined {
  const [start, name] = /^SELECT @@([0-9A-Za-z_-]+) */i.exec(text) ?? [];
  if (start === undefined) return undefined;
  const from = (table: string): string =>
    `SELECT variable_value AS '@@${name}' FROM ${table} WHERE variable_name='${name}' COLLATE NOCASE`;
  const query = `${from("global_variables")} UNION ALL ${from("stats.stats_mysql_global")}`;
  return sql(`${query} ${text.slice(start.length)}`.trim());
}

function sql(text: string): AdminStatement {
  return { kind: "sql", sql: text };
}
