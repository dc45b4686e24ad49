/** The distribution of some measurements, in the unit in which they were made. */
export interface Figures {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** Nearest-rank percentiles. Throws where there is nothing to measure: an empty figure would look like a good one. */
export function figuresOf(values: readonly number[]): Figures {
  if (values.length === 0) throw new RangeError("no measurement was made");
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number =>
    sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
  return { count: sorted.length, p50: at(0.5), p99: at(0.99), max: at(1) };
}

/** One line of the report. */
export function figuresLine(what: string, figures: Figures, unit = "ms"): string {
  const { count, p50, p99, max } = figures;
  const number = (value: number): string => value.toFixed(1).padStart(8);
  return `${what.padEnd(58)} p50 ${number(p50)}  p99 ${number(p99)}  max ${number(max)} ${unit}  (n=${String(count)})`;
}
