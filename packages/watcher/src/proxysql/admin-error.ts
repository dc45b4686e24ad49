/** Stable codes of what can go wrong on ProxySQL's admin port. Listed in docs/errors.md. */
export const ADMIN_ERROR_CODES = {
  PROXYSQL_UNREACHABLE: "no connection to the admin port",
  PROXYSQL_TIMEOUT: "the admin port did not answer in time; what was asked may or may not have happened",
  PROXYSQL_LOGIN_REFUSED: "the admin port refused user or password",
  PROXYSQL_READ_ONLY: "the admin port is read-only (admin-read_only, or the stats user)",
  PROXYSQL_DISK_FULL: "ProxySQL cannot write its disk database",
  PROXYSQL_STATEMENT_FAILED: "the admin port refused a statement",
  PROXYSQL_NOT_VERIFIED: "a LOAD was answered with OK and the runtime does not show the layout",
} as const;
export type AdminErrorCode = keyof typeof ADMIN_ERROR_CODES;

export class AdminError extends Error {
  override readonly name = "AdminError";
  constructor(
    readonly code: AdminErrorCode,
    detail: string,
    options?: ErrorOptions,
  ) {
    super(`${ADMIN_ERROR_CODES[code]}: ${detail}`, options);
  }
}

interface DriverError {
  readonly code?: string;
  readonly errno?: number;
  readonly message?: string;
}

/**
 * What a driver's error means. Every SQL error comes as 1045 28000, MySQL's "access denied": only the text tells them
 * apart ("ProxySQL Admin Error: …" after login, "ProxySQL Error: Access denied …" at login; ProxySQL 2.7.1, observed).
 */
export function adminError(cause: unknown): AdminError {
  if (cause instanceof AdminError) return cause;
  const error = (typeof cause === "object" && cause !== null ? cause : {}) as DriverError;
  const text = (error.message ?? String(cause)).replace(/\s+/g, " ");
  return new AdminError(codeOf(error, text), text, { cause });
}

function codeOf(error: DriverError, text: string): AdminErrorCode {
  if (error.code === "PROTOCOL_SEQUENCE_TIMEOUT" || error.code === "ETIMEDOUT") return "PROXYSQL_TIMEOUT";
  if (/readonly database/i.test(text)) return "PROXYSQL_READ_ONLY";
  if (/database or disk is full|disk I\/O error/i.test(text)) return "PROXYSQL_DISK_FULL";
  if (/ProxySQL Admin Error/i.test(text)) return "PROXYSQL_STATEMENT_FAILED";
  if (/Access denied|can only connect locally/i.test(text)) return "PROXYSQL_LOGIN_REFUSED";
  return error.errno === undefined ||
    error.errno < 0 ||
    error.code?.startsWith("E") === true ||
    isLost(error.code)
    ? "PROXYSQL_UNREACHABLE"
    : "PROXYSQL_STATEMENT_FAILED";
}

function isLost(code: string | undefined): boolean {
  return code === "PROTOCOL_CONNECTION_LOST" || code === "PROTOCOL_ENQUEUE_AFTER_FATAL_ERROR";
}
