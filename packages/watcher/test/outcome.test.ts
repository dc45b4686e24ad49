import { acknowledgementText, readAcknowledgement } from "@primacy/contract";
import { describe, expect, test } from "vitest";
import { type Outcome, acknowledgementOf, saysTheSame, sentenceOf } from "../src/outcome.js";
import { appliedOutcome, db1, recordName as record } from "./samples.js";

const context = {
  proxy: "proxy1",
  cluster: "main",
  appliedGeneration: 6,
  at: "2026-11-21T09:00:00.000Z",
  watcher: "0.1.0",
};
const applied = appliedOutcome;

describe("what is acknowledged", () => {
  test.each<[string, Outcome, string | null]>([
    ["nothing while there is nothing to go by", { kind: "held", reason: "no record" }, null],
    ["applied", applied, "applied"],
    ["applied, though old connections linger", { ...applied, connectionsInUse: 2 }, "applied"],
    ["draining", { ...applied, record: { ...record, phase: "draining" }, connectionsInUse: 2 }, "draining"],
    ["drained", { ...applied, record: { ...record, phase: "draining" } }, "drained"],
    [
      "refused",
      { kind: "refused", refusal: "lower-generation", reason: "older", record, writers: [db1] },
      "refused",
    ],
    ["failing", { kind: "failed", code: "PROXYSQL_TIMEOUT", reason: "no answer", record }, "failing"],
    [
      "failing",
      { kind: "conflict", conflicts: [{ owner: "monitor", reason: "r", resolve: "s" }], record, writers: [] },
      "failing",
    ],
  ])("%s", (_what, outcome, state) => {
    const acknowledgement = acknowledgementOf(outcome, context);
    expect(acknowledgement?.state ?? null).toBe(state);
    if (acknowledgement === null) return;
    const text = acknowledgementText(acknowledgement);
    expect(readAcknowledgement(text)).toMatchObject({ kind: "valid", value: acknowledgement });
    expect(acknowledgement.reason === null).toBe(outcome.kind === "applied");
  });

  test("a layout that is not on disk is applied, and says so", () => {
    const outcome = { ...applied, notDurable: "save failed: disk full" };
    expect(acknowledgementOf(outcome, context)).toMatchObject({
      state: "applied",
      reason: "save failed: disk full",
    });
    expect(sentenceOf(outcome)).toContain("disk full");
  });

  test("the time of a pass is no news, its result is", () => {
    const one = acknowledgementOf(applied, context)!;
    expect(saysTheSame(one, { ...one, at: "2026-11-21T10:00:00.000Z", tookMs: 99 })).toBe(true);
    expect(saysTheSame(one, { ...one, connectionsInUse: 1 })).toBe(false);
    expect(saysTheSame(null, one)).toBe(false);
  });
});
