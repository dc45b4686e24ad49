import type { Value } from "../sql/expression.js";

/** What a statement answers with. */
export type Answer =
  | { kind: "ok"; affectedRows: number; info?: string }
  | { kind: "rows"; columns: readonly string[]; rows: readonly (readonly Value[])[] };

export const OK: Answer = { kind: "ok", affectedRows: 0 };

/** One row with named values. */
export function singleRow(row: Readonly<Record<string, Value>>): Answer {
  return { kind: "rows", columns: Object.keys(row), rows: [Object.values(row)] };
}
