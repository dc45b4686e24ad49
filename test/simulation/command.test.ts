import { describe, expect, test } from "vitest";
import { replay } from "./command/one.js";
import { readOptions } from "./command/options.js";
import { MUTATIONS } from "./mutations.js";

const read = (...argv: string[]) => readOptions(argv, 4, 99);

describe("npm run simulate", () => {
  test("runs many seeds on all processors where nothing is said", () => {
    expect(read()).toMatchObject({ kind: "many", from: 1, runs: 10_000, workers: 4, keepGoing: false });
  });

  test("a night begins where nobody has been, and has no number of runs", () => {
    expect(read("--minutes", "480")).toMatchObject({
      from: 99,
      runs: Number.POSITIVE_INFINITY,
      minutes: 480,
    });
    expect(read("--minutes", "480", "--from", "7")).toMatchObject({ from: 7 });
  });

  test("finds a guard by a part of its name that no other has", () => {
    expect(read("--mutation", "no guard", "--seed", "3")).toMatchObject({
      kind: "one",
      seed: 3,
      mutation: { name: "there is no guard" },
    });
  });

  test.each([
    ["--sed"],
    ["--seed", "0"],
    ["--seed", "1.5"],
    ["--runs", "many"],
    ["--minutes", "-1"],
    ["--steps"],
    ["--seed", "1", "--runs", "5"],
    ["--mutation", "the lease"],
    ["--mutation", "no such thing"],
    ["leftover"],
  ])("says what is wrong with %s %s", (...argv) => {
    expect(read(...argv)).toMatchObject({ kind: "usage" });
  });

  test("the same seed is the same run, step by step", () => {
    const steps = (): readonly string[] => {
      const lines: string[] = [];
      replay(11, true, null, (line) => lines.push(line));
      return lines;
    };
    const first = steps();
    expect(first.length).toBeGreaterThan(50);
    expect(steps()).toEqual(first);
  });

  test("a run that breaks a promise says which, and how it is seen again", () => {
    const mutation = MUTATIONS.find((one) => one.name === "rows are inserted ONLINE")!;
    const told: string[] = [];
    let seed = 1;
    while (replay(seed, false, mutation, (line) => told.push(line))) seed += 1;
    expect(told.slice(-2)).toEqual([
      expect.stringContaining("BROKEN at most one writer"),
      `every step: npm run simulate -- --seed ${String(seed)} --mutation "rows are inserted ONLINE" --steps`,
    ]);
  });
});
