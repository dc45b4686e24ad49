import { describe, expect, test } from "vitest";
import { nextPassMs } from "../src/next-pass.js";
import type { Outcome } from "../src/outcome.js";
import { db1 } from "./samples.js";

const record = { generation: 7, incarnation: "incarnation-1", phase: "open" } as const;
const verified = {
  record,
  writers: [db1],
  connectionsInUse: 0,
  differences: [],
  loaded: false,
  isNew: false,
  tookMs: null,
  notDurable: null,
  pendingEditsOfOthers: [],
  warnings: [],
};

describe("the next pass", () => {
  test("comes at once after sessions were killed: as soon as they are gone, the master may take writes", () => {
    const killed: Outcome = {
      kind: "withheld",
      reason: "linger",
      killed: true,
      ...verified,
      connectionsInUse: 3,
    };
    expect(nextPassMs(killed, 0, 0.5)).toBe(50);
  });

  test("does not come twenty times a second while the lease is lost and a client keeps its connection", () => {
    const lost: Outcome = {
      kind: "withheld",
      reason: "lease",
      killed: false,
      ...verified,
      connectionsInUse: 3,
    };
    expect(nextPassMs(lost, 0, 0.5)).toBe(500);
    expect(nextPassMs({ ...lost, connectionsInUse: 0 }, 0, 0.5)).toBe(5000);
  });

  test("observes connections that linger, and waits for a change where there are none", () => {
    expect(nextPassMs({ kind: "applied", ...verified, connectionsInUse: 1 }, 0, 0.5)).toBe(500);
    expect(nextPassMs({ kind: "applied", ...verified }, 0, 0.5)).toBe(Number.POSITIVE_INFINITY);
    expect(nextPassMs({ kind: "applied", ...verified, notDurable: "disk full" }, 0, 0.5)).toBe(5000);
  });

  test("after failures comes later each time, by chance", () => {
    const failed: Outcome = { kind: "failed", code: "PROXYSQL_TIMEOUT", reason: "no answer", record };
    expect([1, 2, 3, 30].map((failures) => nextPassMs(failed, failures, 0.5))).toEqual([
      300, 550, 1050, 2550,
    ]);
    expect(nextPassMs(failed, 30, 0)).toBe(50);
  });
});
