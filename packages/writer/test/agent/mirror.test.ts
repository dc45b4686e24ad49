import { ABSENT, readRecord, recordText } from "@primacy/contract";
import { describe, expect, test } from "vitest";
import { mirrorStep } from "../../src/agent/mirror.js";
import { db2, recordOf } from "./samples.js";

const primary = recordOf({ generation: 7 });
const there = (changes: Parameters<typeof recordOf>[0]) => readRecord(recordText(recordOf(changes)));

describe("a mirror in another datacenter", () => {
  test("that has nothing gets the record", () => {
    expect(mirrorStep(primary, ABSENT)).toEqual({ kind: "copy", fromGeneration: 7 });
  });

  test("that is behind gets what it lacks", () => {
    expect(mirrorStep(primary, there({ generation: 4 }))).toEqual({ kind: "copy", fromGeneration: 5 });
  });

  test("that is equal is left alone", () => {
    expect(mirrorStep(primary, there({ generation: 7 }))).toEqual({ kind: "same" });
  });

  test.each([
    ["is ahead", there({ generation: 8 })],
    ["has other contents", there({ generation: 7, master: db2 })],
    ["has another history", there({ generation: 3, incarnation: "incarnation-2" })],
    ["can't be read", readRecord("{}")],
  ])("that %s never goes down and is never replaced", (_what, document) => {
    expect(mirrorStep(primary, document).kind).toBe("refuse");
  });
});
