/** What a SET statement asks of the proxy. */
export type SetStatement =
  | { kind: "autocommit"; on: boolean }
  /** Remembered and repeated on every backend connection that the session uses. */
  | { kind: "tracked"; assignments: readonly (readonly [name: string, statement: string])[] }
  /** Not understood: it is sent on, and the session keeps that connection and hostgroup from now on. */
  | { kind: "locks hostgroup" };

/** Session variables that ProxySQL repeats on other connections (its mysql_tracked_variables, the usual ones). */
const TRACKED = new Set([
  "auto_increment_increment",
  "auto_increment_offset",
  "character_set_client",
  "character_set_connection",
  "character_set_results",
  "collation_connection",
  "foreign_key_checks",
  "group_concat_max_len",
  "innodb_lock_wait_timeout",
  "lock_wait_timeout",
  "long_query_time",
  "max_execution_time",
  "max_join_size",
  "optimizer_switch",
  "sql_big_selects",
  "sql_log_bin",
  "sql_mode",
  "sql_safe_updates",
  "sql_select_limit",
  "time_zone",
  "timestamp",
  "transaction_isolation",
  "tx_isolation",
  "unique_checks",
]);

/** Session variables that ProxySQL takes without doing anything. */
const IGNORED = new Set([
  "interactive_timeout",
  "net_buffer_length",
  "net_read_timeout",
  "net_write_timeout",
  "read_buffer_size",
  "read_rnd_buffer_size",
  "wait_timeout",
]);

/** Reads a statement that begins with SET; undefined for any other. */
export function parseSetStatement(statement: string): SetStatement | undefined {
  const text = statement.replace(/[\s;]+$/, "");
  const [, rest] = /^set\s+(.*)$/is.exec(text) ?? [];
  if (rest === undefined) return undefined;
  const autocommit = /^(?:@@session\.|session\s+)?autocommit\s*=\s*(0|1|on|off|true|false)$/i.exec(rest);
  if (autocommit) return { kind: "autocommit", on: /^(1|on|true)$/i.test(autocommit[1] ?? "") };
  if (/^names\s+\S+(\s+collate\s+\S+)?$/i.test(rest)) return tracked([["names", text]]);
  if (/^(session\s+)?transaction\s+isolation\s+level\s/i.test(rest)) return tracked([["isolation", text]]);
  return assignments(rest) ?? { kind: "locks hostgroup" };
}

function assignments(rest: string): SetStatement | undefined {
  const found: [string, string][] = [];
  for (const part of rest.split(/,(?=(?:[^']*'[^']*')*[^']*$)/)) {
    const [, name = "", value = ""] =
      /^\s*(?:@@session\.|@@local\.|@@|session\s+|local\s+)?(\w+)\s*:?=\s*('[^']*'|"[^"]*"|[\w.+-]+)\s*$/i.exec(
        part,
      ) ?? [];
    if (IGNORED.has(name.toLowerCase())) continue;
    if (!TRACKED.has(name.toLowerCase())) return undefined;
    found.push([name.toLowerCase(), `SET SESSION ${name}=${value}`]);
  }
  return tracked(found);
}

function tracked(list: readonly (readonly [string, string])[]): SetStatement {
  return { kind: "tracked", assignments: list };
}
