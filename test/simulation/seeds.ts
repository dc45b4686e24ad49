import { expect, test } from "vitest";
import { commandFor } from "./command/one.js";
import { run } from "./run.js";

/** So many at once: a test that fails says at which seeds, and which of the promises. */
const CHUNK = 1000;
/** More would only repeat each other. */
const MOST_TOLD = 5;

/** One test for each thousand seeds: with the rules as they are, every promise holds after every step. */
export function promisesHold(from: number, count: number): void {
  for (let first = from; first < from + count; first += CHUNK) {
    const last = Math.min(first + CHUNK, from + count) - 1;
    test(`seeds ${String(first)} to ${String(last)}`, () => {
      expect(brokenIn(first, last)).toEqual([]);
    });
  }
}

function brokenIn(first: number, last: number): readonly string[] {
  const broken: string[] = [];
  for (let seed = first; seed <= last && broken.length < MOST_TOLD; seed++) {
    const { violation } = run(seed);
    if (violation !== null) broken.push(`${violation.message}: ${commandFor(seed, null)} --steps`);
  }
  return broken;
}
