import type { Value } from "../sql/expression.js";

/** One row, in the order of its table's columns. */
export type StoredRow = readonly Value[];

/** Rows of one INSERT. */
export interface InsertedRows {
  /** `database.table` */
  table: string;
  rows: readonly StoredRow[];
}

/** What one transaction of the binary log does: rows as they were stored (ROW format), definitions as statements. */
export type Change =
  | { kind: "rows"; inserts: readonly InsertedRows[] }
  /** `database`: the session's own, for names without one. */
  | { kind: "definition"; sql: string; database: string };
