import type { InsertedRows, StoredRow } from "./change.js";
import { type Table, tableKey } from "./table.js";

/** What a session has done and not committed yet. */
export class Transaction {
  readonly inserts: InsertedRows[] = [];
  /** Rows of each table when this transaction first read one (REPEATABLE READ); undefined before. */
  #seen: ReadonlyMap<Table, number> | undefined;

  add(table: Table, rows: readonly StoredRow[]): void {
    this.inserts.push({ table: tableKey(table.database, table.name), rows });
  }

  /**
   * The table's rows that this transaction sees: what was committed before its first read, and its own.
   *
   * @param now how many rows each table has now
   */
  read(table: Table, now: () => ReadonlyMap<Table, number>): StoredRow[] {
    this.#seen ??= now();
    const key = tableKey(table.database, table.name);
    const own = this.inserts.filter((one) => one.table === key).flatMap(({ rows }) => rows);
    return [...table.rows.slice(0, this.#seen.get(table) ?? table.rows.length), ...own];
  }
}
