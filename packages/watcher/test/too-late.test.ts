import { describe, expect, test } from "vitest";
import { tooLate } from "../src/too-late.js";
import { momentOf } from "./samples.js";

const begun = { atMs: 10_000, fences: 2 };
const now = momentOf({ fences: 2, lease: { kind: "held", untilMs: 12_000 } });

describe("a statement that lets writes through", () => {
  test("may be sent while all is as it was decided on", () => {
    expect(tooLate(begun, 10_020, now)).toBeNull();
    expect(tooLate(begun, 11_000, { ...now, lease: { kind: "not-asked-for" } })).toBeNull();
  });

  test.each([
    ["a later record has been read", { superseded: true }, 10_020, "SUPERSEDED"],
    ["the lease was lost", { lease: { kind: "lost", reason: "r" } }, 10_020, "LEASE_LOST"],
    [
      "the lease is only what the process before left",
      { lease: { kind: "held", untilMs: 12_000, inherited: true } },
      10_020,
      "LEASE_INHERITED",
    ],
    ["the end of a lease has fenced in between", { fences: 3 }, 10_020, "OUTDATED"],
    ["what it rests on was read long ago", {}, 11_001, "OUTDATED"],
  ] as const)("may not when %s", (_, changes, nowMs, code) => {
    expect(tooLate(begun, nowMs, { ...now, ...changes })?.code).toBe(code);
  });
});
