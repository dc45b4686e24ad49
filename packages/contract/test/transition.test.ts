import { describe, expect, it } from "vitest";
import {
  type ClusterEvent,
  type Decision,
  type MasterRecord,
  recordHash,
  RULE_IDS,
  transition,
} from "../src/index.js";
import { at, context, record, sha256, stored } from "./arbitraries.js";
import { A, B, C, CASES, fence, open } from "./cases.js";

function decide(current: MasterRecord | null, event: ClusterEvent): Decision {
  return transition(current === null ? null : stored(current), event, context(30));
}

describe("transition", () => {
  it.each(CASES)("$rule: $what", ({ rule, current, event, expected }) => {
    const decision = decide(current, event);
    expect(decision.rule).toBe(rule);
    expect(decision.reason).toMatch(/^\S.{10,300}[^.]$/);
    if (typeof expected === "object") {
      expect(decision).toMatchObject({
        kind: "write",
        record: { ...expected, cause: { ...event.cause, rule } },
      });
    } else if (expected === "nothing") {
      expect(decision).toEqual({ kind: "nothing", rule, reason: decision.reason, record: current });
    } else {
      expect(decision).toEqual({ kind: "refuse", rule, reason: decision.reason, refusal: expected });
    }
  });

  it("has no rule that none of these cases reaches, and reaches none that it does not list", () => {
    expect([...new Set(CASES.map(({ rule }) => rule))].sort()).toEqual([...RULE_IDS].sort());
    expect(new Set(RULE_IDS).size).toBe(RULE_IDS.length);
  });

  it("writes down who wrote, when, and what stood there before", () => {
    const before = stored(record());
    // The very text of Consul, which need not be the canonical one.
    const inConsul = { ...before, text: before.text.replace("{", '{ "added": true,') };
    const decision = transition(inConsul, open(), context(30, "write-id-1"));
    expect(decision).toMatchObject({
      record: {
        format: 1,
        cluster: "main",
        generation: 8,
        writtenAt: at(30),
        writtenBy: "orc1",
        writeId: "write-id-1",
        incarnation: "incarnation-1",
        previousHash: recordHash(inConsul.text, sha256),
      },
    });
  });

  it("keeps the newest 64 former masters in quarantine, for a record holds no more", () => {
    const many = Array.from({ length: 64 }, (_, n) => ({ host: `old${n}`, port: 3306 }));
    const decision = decide(record({ quarantined: many }), open());
    if (decision.kind !== "write") throw new Error(decision.reason);
    expect(decision.record.quarantined).toEqual([...many.slice(1), A]);
    expect(() => stored(decision.record)).not.toThrow();
  });

  it("keeps with a new master what was proved on the old one, and with no other record", () => {
    const oldMaster = { readOnly: true, killed: 3, left: 0, caughtUp: null, tookMs: 12.5 };
    const proved = { ...open(), oldMaster } as ClusterEvent;
    const decision = decide(record(), proved);
    if (decision.kind !== "write") throw new Error(decision.reason);
    expect(decision.record.oldMaster).toEqual(oldMaster);
    const next = transition(stored(decision.record), fence(B, 40), context(41));
    expect(next).toMatchObject({ kind: "write" });
    expect(next).not.toHaveProperty("record.oldMaster");
    // Nobody looked: the field is not there, so that such records are the texts that they were before it was known.
    expect(
      stored((decide(record(), open()) as Extract<Decision, { kind: "write" }>).record).text,
    ).not.toContain("oldMaster");
  });

  it("never names a former master twice", () => {
    const decision = decide(record({ quarantined: [A, C] }), open());
    expect(decision).toMatchObject({ record: { quarantined: [A, C] } });
  });
});
