import { describe, expect, test } from "vitest";
import { recordText, transition } from "../src/index.js";
import { db1, db2, recordOf } from "./samples.js";

const cause = { kind: "dead-master", failureType: "DeadMaster", recoveryUid: "", command: "" } as const;

/** A record that a machine with a wrong clock has written: its decision lies a day ahead. */
const ahead = recordOf({
  cause: { ...cause, rule: "open-new-master" },
  decidedAt: "2026-11-22T09:00:00.000Z",
});

const context = {
  cluster: "main",
  now: "2026-11-21T10:00:00.000Z",
  writtenBy: "orc2",
  writeId: "write-id-2",
  newIncarnation: "incarnation-2",
  drainSeconds: 10,
  fenceSeconds: 60,
  sha256: () => "0".repeat(64),
};

describe("a record that a wrong clock has dated into the future", () => {
  const stored = { value: ahead, text: recordText(ahead) };
  const failover = {
    kind: "open",
    outgoing: db1,
    successor: db2,
    cause,
    beganAt: "2026-11-21T10:00:00.000Z",
  } as const;

  test("refuses the next failover as stale", () => {
    expect(transition(stored, failover, context)).toMatchObject({ kind: "refuse", refusal: "stale" });
  });

  test("is cured by an operator's set", () => {
    const set = { kind: "set", master: db1, seenGeneration: 7, cause, beganAt: null } as const;
    const cured = transition(stored, set, context);
    if (cured.kind !== "write") throw new Error(cured.reason);
    const after = { value: cured.record, text: recordText(cured.record) };
    expect(transition(after, failover, context)).toMatchObject({ kind: "write", rule: "open-new-master" });
  });
});
