import type { StoryResult } from "./story.js";

/** Both runs side by side, as lines of text. Pure. */
export function reportLines(results: readonly StoryResult[]): string[] {
  const rows: [string, (one: StoryResult) => string][] = [
    ["writes acknowledged to clients", ({ verdict }) => String(verdict.acknowledged)],
    ["  of these on the master at the end", ({ verdict }) => String(verdict.acknowledgedOnMaster)],
    ["  of these lost", ({ verdict }) => String(verdict.lost.length)],
    ["rows stored on a server that was not the master", ({ verdict }) => String(verdict.strays.length)],
    ["rows stored twice", ({ verdict }) => String(verdict.duplicates.length)],
    ["longest time without a write", ({ verdict }) => `${verdict.longestGapMs.toFixed(0)} ms`],
    ["  of it until Orchestrator had promoted", ({ promotedMs }) => `${promotedMs.toFixed(0)} ms`],
    ["time with two servers taking writes", ({ twoWritersMs }) => `${twoWritersMs.toFixed(0)} ms`],
  ];
  const width = 52;
  const cell = (text: string): string => text.padStart(22);
  return [
    "".padEnd(width) +
      results.map((one) => cell(one.routing === "primacy" ? "Primacy" : one.routing)).join(""),
    ...rows.map(([name, of]) => name.padEnd(width) + results.map((one) => cell(of(one))).join("")),
  ];
}

/** What Primacy promises of this story: nothing stored on the old master after the switch, nothing acknowledged lost. */
export function promiseKept(result: StoryResult): boolean {
  // A run in which nothing was written proves nothing.
  if (result.verdict.acknowledged === 0) return false;
  return result.verdict.lost.length === 0 && result.verdict.strays.length === 0 && result.twoWritersMs === 0;
}
