import { type Move, parseMove } from "./move.js";
import { rewriteSelect } from "./rewrite-select.js";
import { rewriteShow } from "./rewrite-show.js";

/** What the admin port does with a statement. */
export type AdminStatement =
  /** The whole process dies: an unsigned length runs below zero (2.7.1 lib/ProxySQL_Admin.cpp:3762; issue 4716). */
  | { kind: "crash" }
  /** Answered OK, and nothing is done. */
  | { kind: "ignore" }
  | { kind: "move"; move: Move }
  | { kind: "set"; variable: string; value: string }
  | { kind: "kill connection"; session: number }
  | { kind: "command"; command: Command }
  | { kind: "read_only"; asShow: boolean }
  | { kind: "current user"; column: string }
  | { kind: "sql"; sql: string };

/** PROXYSQL … */
export type Command = (typeof COMMANDS)[number];

const COMMANDS = [
  "READONLY",
  "READWRITE",
  "PAUSE",
  "RESUME",
  "START",
  "SHUTDOWN",
  "SHUTDOWN SLOW",
  "KILL",
  "FLUSH LOGS",
  "FLUSH QUERY CACHE",
  "FLUSH MYSQL CLIENT HOSTS",
  "FLUSH CONFIGDB",
] as const;

/** Whatever begins with one of these is answered OK without being looked at (issue 1047). */
const IGNORED = [
  "BEGIN",
  "START TRANSACTION",
  "COMMIT",
  "ROLLBACK",
  "SET character_set_results",
  "SET SQL_AUTO_IS_NULL",
  "SET NAMES",
  "SET AUTOCOMMIT",
];

/** As {@link IGNORED}, but not for a user who sees the statistics only. */
const IGNORED_FOR_ADMIN = ["USE ", "LOCK TABLES", "UNLOCK TABLES"];

/**
 * Decides what a statement is, in the order in which ProxySQL 2.7.1 looks (lib/ProxySQL_Admin.cpp,
 * admin_session_handler). Nearly everything is found by comparing the beginning or the whole of the text, so a leading
 * comment hides a command from it.
 */
export function parseStatement(text: string, isAdmin: boolean): AdminStatement {
  const squeezed = squeeze(text);
  if (squeezed !== "" && /^[; ]+$/.test(squeezed)) return { kind: "crash" };
  const bare = squeezed.replace(/[; ]+$/, "");
  if (startsWith(bare, "SHOW GLOBAL VARIABLES LIKE 'read_only'")) return { kind: "read_only", asShow: true };
  if (startsWith(bare, "SELECT @@global.read_only")) return { kind: "read_only", asShow: false };
  const known = (isAdmin ? adminOnly(bare) : undefined) ?? (isIgnored(bare) ? { kind: "ignore" } : undefined);
  return known ?? queryOrSet(text, bare, isAdmin);
}

/** Blanks at the ends go, runs of blanks become one. */
export function squeeze(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}

function adminOnly(bare: string): AdminStatement | undefined {
  if (startsWith(bare, "PROXYSQL ")) {
    const command = COMMANDS.find((name) => `PROXYSQL ${name}` === bare.toUpperCase());
    return command && { kind: "command", command };
  }
  const move = parseMove(bare);
  if (move) return { kind: "move", move };
  if (startsWith(bare, "KILL CONNECTION "))
    return { kind: "kill connection", session: Number.parseInt(bare.slice(16), 10) || 0 };
  return IGNORED_FOR_ADMIN.some((start) => startsWith(bare, start)) ? { kind: "ignore" } : undefined;
}

function isIgnored(bare: string): boolean {
  return IGNORED.some((start) => startsWith(bare, start));
}

function queryOrSet(text: string, bare: string, isAdmin: boolean): AdminStatement {
  const select = rewriteSelect(bare, isAdmin);
  if (select) return select;
  if (startsWith(bare, "SET ")) return parseSet(bare);
  return { kind: "sql", sql: rewriteShow(bare) ?? text };
}

/** The value goes unchanged into "UPDATE global_variables SET variable_value=<value>". */
function parseSet(bare: string): AdminStatement {
  const [, variable = "", value = ""] = /^SET ([^=]*)=?(.*)$/i.exec(bare) ?? [];
  return { kind: "set", variable: variable.trim(), value };
}

function startsWith(text: string, start: string): boolean {
  return text.slice(0, start.length).toLowerCase() === start.toLowerCase();
}
