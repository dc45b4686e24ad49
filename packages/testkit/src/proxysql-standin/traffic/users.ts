/** A user in force, for the clients' side and for the backends' side. */
export interface User {
  readonly username: string;
  /** In clear or hashed ("*" and 40 hex digits). */
  readonly password: string;
  readonly defaultHostgroup: number;
  readonly defaultSchema: string;
  /** All statements of a transaction go to the hostgroup where it began. */
  readonly transactionPersistent: boolean;
  /** Bytes go through untouched, on a backend connection of its own. */
  readonly fastForward: boolean;
  readonly maxConnections: number;
  readonly frontend: boolean;
  readonly backend: boolean;
}

type Row = Readonly<Record<string, string | null>>;

/** The users that LOAD MYSQL USERS puts in force: the active ones. */
export function parseUsers(rows: readonly Row[]): User[] {
  return rows
    .filter((row) => row["active"] === "1" && Number(row["default_hostgroup"]) >= 0)
    .map((row) => ({
      username: row["username"] ?? "",
      password: row["password"] ?? "",
      defaultHostgroup: Number(row["default_hostgroup"]),
      defaultSchema: row["default_schema"] ?? "",
      transactionPersistent: row["transaction_persistent"] === "1",
      fastForward: row["fast_forward"] === "1",
      maxConnections: Number(row["max_connections"]),
      frontend: row["frontend"] === "1",
      backend: row["backend"] === "1",
    }));
}

const SIDE_COLUMNS = new Set(["backend", "frontend"]);

/**
 * The rows of runtime_mysql_users: one for each side of a user, the clients' sides first. SAVE MYSQL USERS FROM RUNTIME
 * writes them like that into mysql_users too.
 */
export function runtimeUserRows(rows: readonly Row[]): (string | null)[][] {
  const active = rows.filter((row) => row["active"] === "1" && Number(row["default_hostgroup"]) >= 0);
  const side = (name: "frontend" | "backend") =>
    active
      .filter((row) => row[name] === "1")
      .map((row) =>
        Object.entries(row).map(([column, value]) => {
          if (SIDE_COLUMNS.has(column)) return column === name ? "1" : "0";
          return column === "default_schema" || column === "password" ? (value ?? "") : value;
        }),
      );
  return [...side("frontend"), ...side("backend")];
}
