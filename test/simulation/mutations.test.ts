import { expect, test } from "vitest";
import { MUTATIONS } from "./mutations.js";
import { run } from "./run.js";

/** The seeds that the promises are tested with too. The first that notices is enough. */
const SEEDS = 10_000;

test.each(MUTATIONS.map((one) => [one.name, one.rules] as const))("noticed: %s", (_, rules) => {
  let seed = 1;
  while (seed <= SEEDS && run(seed, rules).violation === null) seed += 1;
  expect(seed, "the first seed that notices").toBeLessThanOrEqual(SEEDS);
});
