import { SqlError } from "../errors.js";
import type { Value } from "../sql/expression.js";
import type { Column } from "../sql/statement.js";
import type { StoredRow } from "./change.js";

/** A table with its rows, in the order in which they were committed. */
export interface Table {
  readonly database: string;
  readonly name: string;
  readonly columns: readonly Column[];
  readonly rows: StoredRow[];
}

export function tableKey(database: string, name: string): string {
  return `${database}.${name}`;
}

/** Index of a column; names count without regard to case. -1 where there is none. */
export function columnIndex(table: Table, name: string): number {
  return table.columns.findIndex((column) => column.name.toLowerCase() === name.toLowerCase());
}

/**
 * The row as it is stored: values in the table's order, defaults where none was given.
 *
 * @param given the columns that have a value, and these
 * @param number of the row in its statement, from 1
 * @throws {SqlError} where a value does not fit
 */
export function rowToStore(
  table: Table,
  given: ReadonlyMap<number, Value>,
  defaultOf: (column: Column) => Value,
  number: number,
): StoredRow {
  return table.columns.map((column, index) => {
    const value = given.get(index);
    if (value !== undefined) return fitting(table, column, value, number);
    if (column.byDefault !== undefined) return fitting(table, column, defaultOf(column), number);
    if (column.notNull) throw new SqlError(1364, `Field '${column.name}' doesn't have a default value`);
    return null;
  });
}

function fitting(table: Table, column: Column, value: Value, number: number): Value {
  const { name, type, notNull } = column;
  if (value === null) {
    if (notNull) throw new SqlError(1048, `Column '${name}' cannot be null`);
    return null;
  }
  switch (type.kind) {
    case "integer":
      return fittingInteger({ table, column, unsigned: type.unsigned }, value, number);
    case "text": {
      const text = String(value);
      if (Array.from(text).length > type.length) {
        throw new SqlError(1406, `Data too long for column '${name}' at row ${number}`);
      }
      return text;
    }
    case "timestamp":
      if (parseTimestamp(value) === undefined) {
        throw new SqlError(1292, `the MariaDB stand-in can't read the time '${value}' for column '${name}'`);
      }
      return value;
  }
}

function fittingInteger(
  { table, column, unsigned }: { table: Table; column: Column; unsigned: boolean },
  value: string | number,
  number: number,
): Value {
  const integer = typeof value === "number" || value.trim() !== "" ? Math.round(Number(value)) : Number.NaN;
  if (Number.isNaN(integer)) {
    const where = `\`${table.database}\`.\`${table.name}\`.\`${column.name}\` at row ${number}`;
    throw new SqlError(1366, `Incorrect integer value: '${value}' for column ${where}`);
  }
  if ((unsigned && integer < 0) || !Number.isSafeInteger(integer)) {
    throw new SqlError(1264, `Out of range value for column '${column.name}' at row ${number}`);
  }
  return integer;
}

/** `2026-11-21 10:00:00.123000` in UTC. @param atMs milliseconds since 1970 */
export function timestampText(atMs: number): string {
  const text = new Date(atMs).toISOString();
  return `${text.slice(0, 10)} ${text.slice(11, 23)}000`;
}

/** Seconds since 1970 of what {@link timestampText} writes; undefined for anything else. */
export function parseTimestamp(value: string | number): number | undefined {
  const [whole, date, time, fraction = "0"] =
    /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?$/.exec(String(value)) ?? [];
  if (whole === undefined) return undefined;
  const seconds = Date.parse(`${date}T${time}Z`) / 1000;
  return Number.isNaN(seconds) ? undefined : seconds + Number(`0.${fraction}`);
}
