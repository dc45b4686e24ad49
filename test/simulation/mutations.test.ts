import { expect, test } from "vitest";
import { MUTATIONS } from "./mutations.js";
import { run } from "./run.js";

/** The seeds that the promises are tested with too. The first that notices is enough. */
const SEEDS = 8000;

test.each(MUTATIONS.map((one) => [one.name, one] as const))("noticed: %s", (_, { rules, breaks }) => {
  const notices = (seed: number): boolean => {
    const { violation } = run(seed, rules);
    return violation !== null && (breaks === undefined || violation.invariant === breaks);
  };
  let seed = 1;
  while (seed <= SEEDS && !notices(seed)) seed += 1;
  expect(seed, "the first seed that notices").toBeLessThanOrEqual(SEEDS);
});
