import { expect, test } from "vitest";
import { MUTATIONS } from "./mutations.js";
import { run } from "./run.js";

const SEEDS = 100;

test("the real rules hold", () => {
  for (let seed = 1; seed <= SEEDS; seed++)
    expect(run(seed).violation?.message, `seed ${String(seed)}`).toBeUndefined();
});

test.each(MUTATIONS.map((one) => [one.name, one.rules] as const))("%s: some seed notices", (_, rules) => {
  for (let seed = 1; ; seed++) if (run(seed, rules).violation !== null) return;
});
