import { describe, expect, test } from "vitest";
import {
  NO_REVERTS,
  type Reverts,
  noteRevert,
  probeAsksForComparison,
  repairDelayMs,
  revertCount,
} from "../src/drift.js";

const probe = { version: 5, epoch: 100, checksum: "0xA" };

describe("the probe", () => {
  test.each([
    ["nothing known yet", null, probe, true],
    ["the same", probe, probe, false],
    ["another checksum", probe, { ...probe, checksum: "0xB" }, true],
    ["a LOAD that changed nothing it counts", probe, { ...probe, version: 6 }, true],
    ["a restart that ended at the same rows", probe, { ...probe, version: 1, epoch: 200 }, true],
  ])("%s", (_what, last, now, expected) => {
    expect(probeAsksForComparison(last, now)).toBe(expected);
  });
});

describe("somebody who keeps reverting", () => {
  const times = (...all: number[]): Reverts => all.reduce(noteRevert, NO_REVERTS);

  test("is repaired at once three times, then ever more slowly, and never left alone", () => {
    const delays = [1, 2, 3, 4, 5, 6, 7, 8, 20].map((count) =>
      repairDelayMs(times(...Array<number>(count).fill(0)), 0),
    );
    expect(delays).toEqual([0, 0, 0, 1000, 2000, 4000, 8000, 10_000, 10_000]);
  });

  test("is forgotten after a minute", () => {
    const reverts = times(0, 0, 0, 0);
    expect(revertCount(reverts, 59_999)).toBe(4);
    expect(revertCount(reverts, 60_000)).toBe(0);
    expect(repairDelayMs(reverts, 60_000)).toBe(0);
  });

  test("is counted in bounded space", () => {
    expect(times(...Array<number>(1000).fill(0)).times.length).toBeLessThanOrEqual(100);
  });
});
