import { describe, expect, test } from "vitest";
import { Repairs, type Verified } from "../src/repairs.js";
import { layoutOf, recordOf } from "./samples.js";

const documents = {
  record: recordOf(),
  hash: "one",
  layout: layoutOf(),
  members: null,
  membersProblem: null,
};
const verified: Verified = { documents, kind: "applied", drainIsOver: false };

/** A layout that was verified once, and reverted by somebody else `times` times at 0 ms. */
function reverted(times: number): Repairs {
  const repairs = new Repairs();
  for (let time = 0; time <= times; time++) repairs.note(verified, true, 0);
  return repairs;
}

describe("somebody who keeps reverting", () => {
  test("is repaired at once three times, then ever more slowly, and never left alone", () => {
    const waits = [0, 1, 2, 3, 4, 5, 6, 7, 8, 20].map((times) => reverted(times).waitMs(0));
    expect(waits).toEqual([0, 0, 0, 0, 1000, 2000, 4000, 8000, 10_000, 10_000]);
  });

  test("is waited for no longer than that", () => {
    const repairs = reverted(4);
    expect(repairs.waitMs(400)).toBe(600);
    expect(repairs.waitMs(2000)).toBe(0);
  });

  test("is counted, and forgotten after a minute", () => {
    expect(reverted(3).note(verified, true, 59_999)).toBe(4);
    expect(reverted(3).note(verified, true, 60_000)).toBe(1);
  });
});

describe("what is no repair", () => {
  test("the first pass", () => {
    expect(new Repairs().note(verified, true, 0)).toBeNull();
  });

  test("a pass that found all as it was", () => {
    expect(reverted(0).note(verified, false, 0)).toBeNull();
  });

  test.each<[string, Partial<Verified>]>([
    ["other documents", { documents: { ...documents } }],
    ["a writer that is withheld now", { kind: "withheld" }],
    ["a drain that has ended", { drainIsOver: true }],
  ])("%s", (_what, changed) => {
    expect(reverted(0).note({ ...verified, ...changed }, true, 0)).toBeNull();
  });
});
