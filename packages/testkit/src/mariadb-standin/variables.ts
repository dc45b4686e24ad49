import { SqlError } from "./errors.js";
import type { Core } from "./core.js";
import type { Session } from "./session.js";
import type { Value } from "./sql/expression.js";
import type { VariableScope } from "./sql/tokens.js";
import { currentPosition, gtidText } from "./storage/gtid.js";

/** What the stand-in says it is: a MariaDB whose dialect it speaks, and no other. */
export const VERSION = "10.11.19-MariaDB-stand-in-log";
export const VERSION_COMMENT = "a stand-in of Primacy's testkit";

/** A system variable: true and false are shown as ON and OFF, and asked for by @@ as 1 and 0. */
type SystemValue = boolean | number | string;

/** The variables that a server has, by name. */
function serverVariables(core: Core): Readonly<Record<string, SystemValue>> {
  const { identity, log, replica } = core;
  const { serverId, host, port } = identity;
  return {
    server_id: serverId,
    port,
    hostname: host,
    report_host: host,
    report_port: port,
    version: VERSION,
    version_comment: VERSION_COMMENT,
    read_only: core.readOnly,
    innodb_read_only: false,
    log_bin: true,
    log_slave_updates: true,
    binlog_format: "ROW",
    gtid_strict_mode: true,
    gtid_domain_id: 0,
    gtid_binlog_pos: gtidText(log.position),
    gtid_slave_pos: gtidText(replica.position),
    gtid_current_pos: gtidText(currentPosition(serverId, log.position, replica.position)),
    rpl_semi_sync_master_timeout: 10_000,
  };
}

/** Settings of a session that the stand-in keeps and that change no answer of its. */
const SESSION_SETTINGS = new Set([
  "character_set_client",
  "character_set_connection",
  "character_set_results",
  "collation_connection",
  "innodb_lock_wait_timeout",
  "interactive_timeout",
  "lock_wait_timeout",
  "names",
  "net_read_timeout",
  "net_write_timeout",
  "sql_safe_updates",
  "wait_timeout",
]);

/** `@@name` @throws {SqlError} 1193 */
export function readVariable(
  core: Core,
  session: Session,
  name: string,
  scope: VariableScope | undefined,
): Value {
  const own = scope === "global" ? undefined : sessionVariable(session, name);
  const value = own ?? serverVariables(core)[name];
  if (value === undefined) throw unknown(name);
  return typeof value === "boolean" ? Number(value) : value;
}

/** Rows of SHOW VARIABLES. */
export function shownVariables(core: Core, session: Session | undefined): [string, string][] {
  const own = session === undefined ? {} : { autocommit: session.autocommit };
  const all: Record<string, SystemValue> = { ...serverVariables(core), ...own };
  return Object.entries(all)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => [name, typeof value === "boolean" ? onOff(value) : String(value)]);
}

/** A setting of the session that is kept. @throws {SqlError} */
export function keepSetting(core: Core, session: Session, name: string, value: Value): void {
  if (SESSION_SETTINGS.has(name)) session.settings.set(name, value);
  else if (serverVariables(core)[name] === undefined) throw unknown(name);
  else {
    throw new SqlError(1229, `Variable '${name}' is a GLOBAL variable and should be set with SET GLOBAL`);
  }
}

/** 0, 1, ON or OFF. @throws {SqlError} 1231 */
export function flagValue(name: string, value: Value): boolean {
  const word = String(value).toUpperCase();
  if (word === "1" || word === "ON") return true;
  if (word === "0" || word === "OFF") return false;
  throw new SqlError(1231, `Variable '${name}' can't be set to the value of '${String(value)}'`);
}

function sessionVariable(session: Session, name: string): Value | undefined {
  if (name === "autocommit") return Number(session.autocommit);
  return session.settings.get(name);
}

function onOff(value: boolean): string {
  return value ? "ON" : "OFF";
}

function unknown(name: string): SqlError {
  return new SqlError(1193, `Unknown system variable '${name}'`);
}
