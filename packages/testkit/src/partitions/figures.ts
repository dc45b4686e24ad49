import { LEASE_SECONDS } from "./two-sites.js";
import type { StoryOutcome } from "./story.js";

/** What is measured of one story. Milliseconds; null where there was nothing to measure. */
export interface StoryFigures {
  /** From the fence's commit until the writer knew that nobody routes to the old master. */
  readonly barrierMs: number | null;
  /** From the fault until the last proxy that it silences had stopped. */
  readonly silentAfterMs: number | null;
  /** From the takeover's beginning until the record was open. */
  readonly openAfterMs: number;
  /** The longest time without an acknowledged write through a proxy that nothing had happened to. */
  readonly gapMs: number | null;
  /** The same of those that were silenced; it lasts until they are mended. */
  readonly silencedGapMs: number | null;
  /** From the mending until every proxy had the record. */
  readonly convergedAfterMs: number;
}

export const COLUMNS: Readonly<Record<keyof StoryFigures, string>> = {
  barrierMs: `fence -> barrier (lease ${String(LEASE_SECONDS)} s)`,
  silentAfterMs: "fault -> routes nothing",
  openAfterMs: "begin -> open",
  gapMs: "gap, others",
  silencedGapMs: "gap, silenced",
  convergedAfterMs: "mended -> all have it",
};

export function figuresOfStory({
  hooks,
  silentAfterMs,
  openAfterMs,
  convergedAfterMs,
  verdict,
}: StoryOutcome): StoryFigures {
  const fence = hooks.find(({ hook, barrierMs }) => hook === "PreFailover" && barrierMs !== undefined);
  const gaps = Object.entries(verdict.longestGapMsByProxy);
  const isSilenced = ([proxy]: readonly [string, unknown]): boolean => proxy in silentAfterMs;
  return {
    barrierMs: fence?.barrierMs ?? null,
    silentAfterMs: longest(Object.entries(silentAfterMs)),
    openAfterMs,
    gapMs: longest(gaps.filter((one) => !isSilenced(one))),
    silencedGapMs: longest(gaps.filter(isSilenced)),
    convergedAfterMs,
  };
}

/** One line for a report that nobody judges by. */
export function figuresText(figures: StoryFigures): string {
  const columns = Object.entries(COLUMNS) as [keyof StoryFigures, string][];
  return columns
    .flatMap(([column, title]) => {
      const value = figures[column];
      return value === null ? [] : [`${title} ${String(Math.round(value))} ms`];
    })
    .join("; ");
}

function longest(values: readonly (readonly [string, number])[]): number | null {
  return values.length === 0 ? null : Math.max(...values.map(([, value]) => value));
}
