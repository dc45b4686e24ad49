/** The values of a series in Prometheus' text format, one for each set of labels. Pure. */
export function seriesOf(text: string, name: string): number[] {
  return text
    .split("\n")
    .filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
    .map((line) => Number(line.slice(line.lastIndexOf(" ") + 1)));
}
