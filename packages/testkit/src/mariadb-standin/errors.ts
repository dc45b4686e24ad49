/** SQLSTATE of each error number that the stand-in answers with (MariaDB 10.11, sql/share/errmsg-utf8.txt). */
const SQLSTATES: Readonly<Record<number, string>> = {
  1044: "42000",
  1045: "28000",
  1046: "3D000",
  1047: "08S01",
  1048: "23000",
  1049: "42000",
  1050: "42S01",
  1054: "42S22",
  1064: "42000",
  1065: "42000",
  1133: "28000",
  1136: "21S01",
  1142: "42000",
  1146: "42S02",
  1227: "42000",
  1231: "42000",
  1264: "22003",
  1304: "42000",
  1305: "42000",
  1317: "70100",
  1366: "22007",
  1370: "42000",
  1406: "22001",
};

/** What a client is told instead of a result: MariaDB's number and words. */
export class SqlError extends Error {
  override readonly name = "SqlError";
  readonly errno: number;
  /** Five characters. */
  readonly sqlstate: string;

  constructor(errno: number, message: string) {
    super(message);
    this.errno = errno;
    this.sqlstate = SQLSTATES[errno] ?? "HY000";
  }
}

/** Thrown while a statement is read. Whoever reads it whole says which statement it was. */
export class NotUnderstood extends Error {
  override readonly name = "NotUnderstood";
}

/**
 * The stand-in knows few statements and takes no other for granted: MariaDB's number for a syntax error, with the
 * statement.
 */
export function notUnderstood(sql: string, why: string): SqlError {
  return new SqlError(1064, `the MariaDB stand-in does not know this statement (${why}): ${sql}`);
}

/** What read_only tells whoever it binds. */
export function readOnlyError(): SqlError {
  const text =
    "The MariaDB server is running with the --read-only option so it cannot execute this statement";
  return new SqlError(1290, text);
}
