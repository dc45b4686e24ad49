import type { Database, SqlJsStatic, SqlValue } from "sql.js";
import initSqlJs from "sql.js";

/** What a statement answered: rows as text, or how many rows it changed. */
export type SqlAnswer =
  { kind: "rows"; columns: string[]; rows: (string | null)[][] } | { kind: "changed"; affectedRows: number };

/** A value to be stored. */
export type StoredValue = string | number | null;

let loaded: Promise<SqlJsStatic> | undefined;

/** One SQLite handle in memory. Two handles of this process can attach each other's database by its file name. */
export class Sqlite {
  readonly #database: Database;

  private constructor(database: Database) {
    this.#database = database;
  }

  /** An empty database, or the one in `bytes`. */
  static async open(bytes?: Uint8Array): Promise<Sqlite> {
    loaded ??= initSqlJs();
    const sqlJs = await loaded;
    return new Sqlite(new sqlJs.Database(bytes));
  }

  /** Makes `other` visible as `schema`; both handles see each other's changes. */
  attach(other: Sqlite, schema: string): void {
    this.execute(`ATTACH DATABASE '${other.#fileName}' AS ${schema}`);
  }

  /**
   * Runs the first statement of `sql` and ignores the rest, as ProxySQL does (it drops the tail that
   * sqlite3_prepare_v2 leaves; lib/sqlite3db.cpp, execute_statement).
   *
   * @throws Error with SQLite's own text.
   */
  execute(sql: string, values: readonly StoredValue[] = []): SqlAnswer {
    const statement = this.#prepare(sql);
    try {
      statement.bind([...values]);
      const columns = statement.getColumnNames();
      const rows: (string | null)[][] = [];
      while (statement.step()) rows.push(asText(bigIntRow(statement)));
      if (columns.length > 0) return { kind: "rows", columns, rows };
      return { kind: "changed", affectedRows: this.#database.getRowsModified() };
    } finally {
      statement.free();
    }
  }

  /** The rows of a query as records. @throws Error with SQLite's own text. */
  select(sql: string, values: readonly StoredValue[] = []): Record<string, string | null>[] {
    const answer = this.execute(sql, values);
    if (answer.kind === "changed") return [];
    const { columns, rows } = answer;
    return rows.map((row) => Object.fromEntries(columns.map((name, index) => [name, row[index] ?? null])));
  }

  /** Changes whenever another handle has written to this database. */
  get dataVersion(): string {
    return this.select("PRAGMA data_version")[0]?.["data_version"] ?? "";
  }

  /** The database file as it stands. */
  bytes(): Uint8Array {
    return this.#database.export();
  }

  close(): void {
    this.#database.close();
  }

  get #fileName(): string {
    return (this.#database as unknown as { filename: string }).filename;
  }

  #prepare(sql: string) {
    try {
      return this.#database.prepare(sql);
    } catch (error) {
      // SQLite prepares an empty text without an error; ProxySQL then passes on its "not an error".
      const nothing = error === "Nothing to prepare" || String(error).includes("Nothing to prepare");
      throw nothing ? new Error("not an error") : error;
    }
  }
}

type Statement = ReturnType<Database["prepare"]>;

/** sql.js can give 64-bit integers as they are; its published types do not know the option. */
function bigIntRow(statement: Statement): (SqlValue | bigint)[] {
  const get = statement.get.bind(statement) as (
    params: null,
    options: { useBigInt: true },
  ) => (SqlValue | bigint)[];
  return get(null, { useBigInt: true });
}

function asText(row: readonly (SqlValue | bigint)[]): (string | null)[] {
  return row.map((value) => {
    if (value === null) return null;
    if (typeof value === "number") return Number.isInteger(value) ? `${value}.0` : String(value);
    return typeof value === "object" ? Buffer.from(value).toString("utf8") : String(value);
  });
}
