import type { Terminal } from "./terminal.js";

/** A line of a comparison: in both texts, only in the old one, or only in the new one. */
export interface DiffLine {
  readonly mark: " " | "-" | "+";
  readonly line: string;
}

/** The lines of two texts side by side, by their longest common subsequence. */
export function diffLines(before: string, after: string): DiffLine[] {
  const a = before === "" ? [] : before.trimEnd().split("\n");
  const b = after === "" ? [] : after.trimEnd().split("\n");
  const lengths = commonLengths(a, b);
  const lines: DiffLine[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    const mark = nextMark(lengths, a, b, [i, j]);
    if (mark !== "+") i++;
    if (mark !== "-") j++;
    lines.push({ mark, line: (mark === "+" ? b[j - 1] : a[i - 1]) ?? "" });
  }
  return lines;
}

/** What changes, each change with two lines around it; `""` where nothing does. */
export function showDiff(before: string, after: string, terminal: Terminal): string {
  const lines = diffLines(before, after);
  const near = (at: number) => lines.slice(Math.max(0, at - 2), at + 3).some((one) => one.mark !== " ");
  return lines
    .map(({ mark, line }, at) => ({ text: `${mark} ${line}`, mark, shown: near(at) }))
    .filter((one) => one.shown)
    .map(({ text, mark }) => (mark === " " ? text : terminal.paint(mark === "+" ? "green" : "red", text)))
    .join("\n");
}

function nextMark(
  lengths: readonly (readonly number[])[],
  a: readonly string[],
  b: readonly string[],
  [i, j]: readonly [number, number],
): DiffLine["mark"] {
  if (i < a.length && j < b.length && a[i] === b[j]) return " ";
  if (j >= b.length) return "-";
  if (i >= a.length) return "+";
  return (lengths[i + 1]?.[j] ?? 0) >= (lengths[i]?.[j + 1] ?? 0) ? "-" : "+";
}

/** `lengths[i][j]`: how many lines the texts from line i and from line j on have in common, in order. */
function commonLengths(a: readonly string[], b: readonly string[]): number[][] {
  const lengths = Array.from({ length: a.length + 1 }, () => Array.from({ length: b.length + 1 }, () => 0));
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      const row = lengths[i];
      if (row === undefined) continue;
      row[j] =
        a[i] === b[j]
          ? (lengths[i + 1]?.[j + 1] ?? 0) + 1
          : Math.max(lengths[i + 1]?.[j] ?? 0, row[j + 1] ?? 0);
    }
  }
  return lengths;
}
