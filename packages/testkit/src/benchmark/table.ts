import { figuresOf } from "./figures.js";

/** What was measured, and every measurement. */
export interface Row {
  readonly what: string;
  /** Of the values. */
  readonly unit: string;
  readonly values: readonly number[];
}

const WIDTH = 66;

/** The lines of a plain table, median and largest of each row. Throws where a row has no measurement. Pure. */
export function tableLines(rows: readonly Row[]): string[] {
  return [line("", "p50", "max", "n"), ...rows.map(rowLine)];
}

function rowLine({ what, unit, values }: Row): string {
  const { p50, max, count } = figuresOf(values);
  return line(what, `${rounded(p50)} ${unit}`.trimEnd(), `${rounded(max)} ${unit}`.trimEnd(), String(count));
}

/** A count as it is; of a measurement, three digits are all that is worth reading. */
function rounded(value: number): string {
  if (Number.isInteger(value)) return String(value);
  const size = Math.abs(value);
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2);
}

function line(what: string, p50: string, max: string, count: string): string {
  return `${what.padEnd(WIDTH)}${p50.padStart(14)}${max.padStart(14)}${count.padStart(6)}`;
}
