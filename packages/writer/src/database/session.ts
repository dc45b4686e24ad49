import type { Server } from "@primacy/contract";

/** One row of a result, its columns by name. */
export type Row = Readonly<Record<string, string | number | null>>;

/** The login on the database servers themselves. */
export interface DatabaseAccount {
  readonly user: string;
  readonly password: string;
  /**
   * - `off`: in the clear, save the password (mysql_native_password scrambles it; for caching_sha2_password the server
   *   gives its public key).
   * - `required`: encrypted, whoever answers.
   * - `verify`: encrypted, and the certificate is by `ca` (or by a CA that Node knows) for this host.
   */
  readonly tls: "off" | "required" | "verify";
  /** PEM. */
  readonly ca: string | undefined;
}

/** A session on one database server. */
export interface DatabaseSession {
  /** CONNECTION_ID() */
  readonly id: number;
  /**
   * One statement; no rows for one that has none.
   * @throws {DatabaseError} A session whose statement timed out is of no more use.
   */
  readonly query: (sql: string, timeoutMs: number) => Promise<readonly Row[]>;
  /** At once: nothing is waited for. */
  readonly close: () => void;
}

/** Opens a session within `timeoutMs`. @throws {DatabaseError} */
export type Connect = (
  server: Server,
  account: DatabaseAccount,
  timeoutMs: number,
) => Promise<DatabaseSession>;

/**
 * - `unreachable`: no connection, or it broke.
 * - `timeout`: no answer in time; what was asked for may have been done.
 * - `denied`: the login, or a privilege.
 * - `refused`: any other error of the server's own.
 */
export type DatabaseErrorCode = "unreachable" | "timeout" | "denied" | "refused";

/** The message is the server's own text in part: see `databaseProblem`. */
export class DatabaseError extends Error {
  override readonly name = "DatabaseError";

  constructor(
    readonly code: DatabaseErrorCode,
    message: string,
    /** The server's error number; undefined where it has said nothing. */
    readonly errno: number | undefined,
    options: ErrorOptions = {},
  ) {
    super(message, options);
  }
}

/** By name: the MySQL client is bundled apart, with a class of its own. */
export function isDatabaseError(error: unknown): error is DatabaseError {
  return error instanceof Error && error.name === "DatabaseError";
}
