import type { Row } from "../database/session.js";

/** A session as SHOW PROCESSLIST has it. */
export interface ClientSession {
  readonly id: number;
  readonly user: string;
  readonly command: string;
}

/** Whose sessions are left alone, besides the server's own. */
export interface Kept {
  /** CONNECTION_ID() of our own sessions. */
  readonly ids: readonly number[];
  /** Accounts, by user: ours and Orchestrator's. */
  readonly users: readonly string[];
}

/**
 * Users that are no account: replication's and the server's own threads, the event scheduler, plugins of MySQL. Whoever
 * has not logged in yet is nobody; once logged in, the session finds the server read-only.
 */
const NO_CLIENTS: ReadonlySet<string> = new Set([
  "system user",
  "event_scheduler",
  "mysql.session",
  "mariadb.sys",
  "unauthenticated user",
]);

/**
 * Binlog Dump (also "Binlog Dump GTID"): a replica reads here; Slave_IO, Slave_SQL, Slave_worker: MariaDB's replication
 * threads; Daemon: the server's own. Killed: it is told already and rolls back; it will not run another statement.
 */
const NO_CLIENT_COMMANDS = /^(?:Binlog Dump|Slave_|Daemon|Killed)/i;

/** The sessions that could write: pure. */
export function clientSessions(rows: readonly Row[], kept: Kept): ClientSession[] {
  return rows
    .map((row) => ({
      id: Number(row["Id"]),
      user: String(row["User"] ?? ""),
      command: String(row["Command"] ?? ""),
    }))
    .filter(
      ({ id, user, command }) =>
        Number.isSafeInteger(id) &&
        id > 0 &&
        !kept.ids.includes(id) &&
        !kept.users.includes(user) &&
        !NO_CLIENTS.has(user) &&
        !NO_CLIENT_COMMANDS.test(command),
    );
}
