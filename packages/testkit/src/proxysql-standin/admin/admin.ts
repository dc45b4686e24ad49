import type { Core } from "../core.js";
import { loadToRuntime, MODULE_TABLES } from "./load.js";
import type { Module, Move } from "./move.js";
import { refreshGlobalStatus, refreshMentioned, runtimeServerRows } from "./refresh.js";
import type { SqlAnswer } from "./sqlite.js";
import { runtimeUserRows } from "../traffic/users.js";
import { type AdminStatement, type Command, parseStatement, squeeze } from "./statement.js";

/** Who sends a statement to the admin port. */
export interface AdminClient {
  readonly user: string;
  readonly address: string;
  /** False for users who see the statistics only. */
  readonly isAdmin: boolean;
}

/** What the admin port answers. */
export type AdminAnswer =
  | SqlAnswer
  | { kind: "rows"; columns: string[]; rows: (string | null)[][]; integers: true }
  | { kind: "ok"; info?: string }
  | { kind: "error"; message: string }
  /** Nothing: the process is going down. */
  | { kind: "silence" };

/** Runs a statement of the admin port. Statements never overlap: ProxySQL holds one mutex around each. */
export async function runAdminStatement(core: Core, text: string, client: AdminClient): Promise<AdminAnswer> {
  const statement = parseStatement(text, client.isAdmin);
  if (statement.kind === "crash") {
    core.end("crash");
    return { kind: "silence" };
  }
  try {
    refreshMentioned(core, squeeze(text), client.isAdmin);
    const answer = await run(core, statement, client);
    if (answer.kind !== "silence") core.layers.persist();
    return answer;
  } catch (error) {
    return { kind: "error", message: error instanceof Error ? error.message : String(error) };
  }
}

async function run(
  core: Core,
  statement: Exclude<AdminStatement, { kind: "crash" }>,
  client: AdminClient,
): Promise<AdminAnswer> {
  switch (statement.kind) {
    case "ignore":
      return { kind: "ok" };
    case "move":
      return move(core, statement.move);
    case "set":
      return setVariable(core, statement.variable, statement.value);
    case "kill connection":
      return killConnection(core, statement.session);
    case "command":
      return command(core, statement.command);
    case "read_only":
      return readOnly(core, statement.asShow);
    case "current user":
      return oneRow([statement.column], [`${client.user}@${client.address}`]);
    case "sql":
      return runSql(core, statement.sql, client.isAdmin);
  }
}

function runSql(core: Core, sql: string, isAdmin: boolean): SqlAnswer {
  if (sql === "PRAGMA DATABASE_LIST") return core.layers.databases(isAdmin);
  if (sql.includes("stats_mysql_global")) refreshGlobalStatus(core);
  if (!isAdmin) return core.layers.runForStats(sql);
  return core.variables.flag("admin-read_only") ? core.layers.runReadOnly(sql) : core.layers.run(sql);
}

/** LOAD and SAVE work in spite of admin-read_only, which only keeps SQLite from writing. */
function move(core: Core, { module, direction }: Move): AdminAnswer {
  switch (direction) {
    case "memory to runtime":
      loadToRuntime(core, module);
      return { kind: "ok" };
    case "disk to memory":
      return copy(core, module, "disk", "main");
    case "memory to disk":
      return copy(core, module, "main", "disk");
    case "runtime to memory":
      runtimeToMemory(core, module);
      return { kind: "ok" };
    case "config to memory":
      return { kind: "error", message: "Config file unknown" };
  }
}

function copy(core: Core, module: Module, from: string, to: string): AdminAnswer {
  for (const table of MODULE_TABLES[module] ?? []) {
    core.layers.run(`DELETE FROM ${to}.${table}`);
    core.layers.run(`INSERT INTO ${to}.${table} SELECT * FROM ${from}.${table}`);
  }
  if (module !== "MYSQL VARIABLES" && module !== "ADMIN VARIABLES") return { kind: "ok" };
  const prefix = module === "MYSQL VARIABLES" ? "mysql" : "admin";
  // Variables are merged, not replaced, and the answer counts them.
  return core.layers.run(
    `INSERT OR REPLACE INTO ${to}.global_variables SELECT * FROM ${from}.global_variables WHERE variable_name LIKE '${prefix}-%'`,
  );
}

function runtimeToMemory(core: Core, module: Module): void {
  const { layers, inForce } = core;
  for (const table of MODULE_TABLES[module] ?? [])
    layers.fill(
      `main.${table}`,
      (inForce.get(table) ?? []).map((row) => Object.values(row)),
    );
  if (module === "MYSQL SERVERS") layers.fill("main.mysql_servers", unshunned(runtimeServerRows(core)));
  if (module === "MYSQL USERS")
    layers.fill("main.mysql_users", runtimeUserRows(inForce.get("mysql_users") ?? []));
  const prefix =
    module === "MYSQL VARIABLES" ? "mysql-" : module === "ADMIN VARIABLES" ? "admin-" : undefined;
  for (const row of prefix === undefined ? [] : core.variables.list(prefix))
    layers.run("INSERT OR REPLACE INTO global_variables VALUES (?, ?)", row);
}

/** SAVE MYSQL SERVERS FROM RUNTIME writes a SHUNNED server as ONLINE. */
function unshunned(rows: (string | number | null)[][]): (string | number | null)[][] {
  return rows.map((row) =>
    row.map((value, column) => (column === 4 && value === "SHUNNED" ? "ONLINE" : value)),
  );
}

/** An unknown variable is no error: the packet is OK and its text says it (lib/ProxySQL_Admin.cpp:1970). */
function setVariable(core: Core, variable: string, value: string): AdminAnswer {
  if (variable === "mysql-init_connect") {
    const hint = "is not configurable using SET command. You must run UPDATE global_variables";
    return { kind: "error", message: `ERROR: Global variable '${variable}' ${hint}` };
  }
  if (!core.variables.has(variable))
    return { kind: "ok", info: `ERROR: Unknown global variable: '${variable}'.` };
  return runSql(
    core,
    `UPDATE global_variables SET variable_value=${value} WHERE variable_name='${variable}'`,
    true,
  );
}

function killConnection(core: Core, id: number): AdminAnswer {
  const session = core.traffic.sessions.get(id);
  if (!session) return { kind: "error", message: `Unknown thread id: ${id}` };
  session.kill();
  return { kind: "ok" };
}

async function command(core: Core, name: Command): Promise<AdminAnswer> {
  const { traffic, variables } = core;
  switch (name) {
    case "READONLY":
    case "READWRITE":
      variables.set("admin-read_only", name === "READONLY" ? "true" : "false");
      return { kind: "ok" };
    case "PAUSE":
      if (traffic.paused) return refusal("is already paused, impossible to pause");
      traffic.pause();
      return { kind: "ok" };
    case "RESUME":
      if (!traffic.paused) return refusal("is not paused, impossible to resume");
      await core.resume();
      return { kind: "ok" };
    case "START":
      return { kind: "error", message: "ProxySQL already started" };
    case "SHUTDOWN":
    case "SHUTDOWN SLOW":
    case "KILL":
      core.end("exit");
      return { kind: "silence" };
    case "FLUSH LOGS":
    case "FLUSH QUERY CACHE":
    case "FLUSH MYSQL CLIENT HOSTS":
    case "FLUSH CONFIGDB":
      return { kind: "ok" };
  }
}

function refusal(what: string): AdminAnswer {
  return { kind: "error", message: `ProxySQL MySQL module ${what}` };
}

function readOnly(core: Core, asShow: boolean): AdminAnswer {
  const on = core.variables.flag("admin-read_only");
  if (asShow) return oneRow(["Variable_name", "Value"], ["read_only", on ? "ON" : "OFF"]);
  // A packet that is written out in ProxySQL's source, the only column of the admin port that is a number.
  return { kind: "rows", columns: ["@@global.read_only"], rows: [[on ? "1" : "0"]], integers: true };
}

function oneRow(columns: string[], row: string[]): AdminAnswer {
  return { kind: "rows", columns, rows: [row] };
}
