import { describe, expect, test } from "vitest";
import { probeAsksForComparison } from "../src/drift.js";

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
