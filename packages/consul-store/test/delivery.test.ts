import { recordText, readRecord, type Document, type MasterRecord } from "@primacy/contract";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Delivered, type Judgement, delivered, judge } from "../src/delivery.js";
import type { ClusterSnapshot, SnapshotSource } from "../src/types.js";
import { record } from "./support/documents.js";

const texts = new Map<string, string>();
/** The record of a generation of a history: the same text every time. */
function stored(generation: number, incarnation = "incarnation-1"): Document<MasterRecord> {
  const key = `${incarnation}/${String(generation)}`;
  const text = texts.get(key) ?? recordText(record("main", generation, { incarnation }));
  texts.set(key, text);
  return readRecord(text);
}

function snapshot(
  recordIndex: number,
  document: Document<MasterRecord>,
  changes: Partial<ClusterSnapshot> = {},
): ClusterSnapshot {
  return {
    cluster: "main",
    record: document,
    recordText: document.kind === "valid" ? document.text : null,
    recordIndex,
    layout: { kind: "absent" },
    layoutIndex: 0,
    members: { kind: "absent" },
    membersIndex: 0,
    index: Math.max(1, recordIndex),
    sentAtMs: 1000,
    folderEmpty: recordIndex === 0,
    filteredByAcls: false,
    address: "a",
    ...changes,
  };
}

const ABSENT = { kind: "absent" } as const;
const GARBAGE = { kind: "unusable", problem: "not JSON" } as const;
const at5 = delivered(null, snapshot(50, stored(5)), 500);

describe("what becomes of a snapshot", () => {
  // By the wake-up path / by the truth path.
  it.each<[string, Delivered | null, ClusterSnapshot, `${Judgement} / ${Judgement}`]>([
    ["the first", null, snapshot(50, stored(5)), "deliver / deliver"],
    ["a first that is empty", null, snapshot(0, ABSENT), "verify / deliver"],
    ["the same again", at5, snapshot(50, stored(5)), "identical / identical"],
    [
      "the same with another folder index",
      at5,
      snapshot(50, stored(5), { index: 99 }),
      "identical / identical",
    ],
    ["a newer one", at5, snapshot(60, stored(6)), "deliver / deliver"],
    ["an older one", at5, snapshot(40, stored(4)), "verify / went-back"],
    ["an older one, written anew", at5, snapshot(60, stored(4)), "verify / went-back"],
    ["another history", at5, snapshot(60, stored(6, "incarnation-2")), "verify / went-back"],
    [
      "the same generation with other contents",
      at5,
      snapshot(60, stored(5, "incarnation-2")),
      "verify / went-back",
    ],
    ["none any more", at5, snapshot(0, ABSENT), "verify / went-back"],
    ["garbage", at5, snapshot(60, GARBAGE), "deliver / deliver"],
    ["garbage with a lower index", at5, snapshot(40, GARBAGE), "verify / deliver"],
    ["the same record at a lower index", at5, snapshot(40, stored(5)), "verify / deliver"],
    [
      "a changed layout",
      at5,
      snapshot(50, stored(5), { layout: GARBAGE, layoutIndex: 55 }),
      "deliver / deliver",
    ],
  ])("%s", (_, last, next, expected) => {
    expect(`${judge(last, next, "wake-up")} / ${judge(last, next, "truth")}`).toBe(expected);
  });

  it("is outdated when a truth that looks older was asked for before the last delivery", () => {
    const older = snapshot(40, stored(4), { sentAtMs: 499 });
    expect(judge(at5, older, "truth")).toBe("outdated");
    expect(judge(at5, { ...older, sentAtMs: 500 }, "truth")).toBe("went-back");
    expect(judge(at5, snapshot(60, stored(6), { sentAtMs: 499 }), "truth")).toBe("deliver");
  });

  it("remembers the last valid record through garbage and absence", () => {
    const garbage = delivered(at5, snapshot(60, GARBAGE), 600);
    expect(judge(garbage, snapshot(70, stored(4)), "wake-up")).toBe("verify");
    expect(judge(garbage, snapshot(70, stored(4)), "truth")).toBe("went-back");
    expect(judge(garbage, snapshot(70, stored(5)), "wake-up")).toBe("deliver");
  });

  it("is identical for the wake-up path where only the truth path was told that a layout is denied", () => {
    const denied = { kind: "unusable", problem: "the token may not read it" } as const;
    const last = delivered(null, snapshot(50, stored(5), { layout: denied }), 500);
    expect(judge(last, snapshot(50, stored(5)), "wake-up")).toBe("identical");
    expect(judge(last, snapshot(50, stored(5)), "truth")).toBe("deliver");
  });

  it("never goes back by the wake-up path, whatever comes in whatever order", () => {
    const step = fc.record({
      source: fc.constantFrom<SnapshotSource>("wake-up", "truth"),
      generation: fc.nat({ max: 6 }),
      index: fc.integer({ min: 1, max: 60 }),
      incarnation: fc.constantFrom("incarnation-1", "incarnation-2"),
      lateMs: fc.nat({ max: 20 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        let last: Delivered | null = null;
        let now = 1000;
        for (const { source, generation, index, incarnation, lateMs } of steps) {
          now += 5;
          const document = generation === 0 ? ABSENT : stored(generation, incarnation);
          const next = snapshot(generation === 0 ? 0 : index, document, { sentAtMs: now - lateMs });
          const judgement = judge(last, next, source);
          const before: MasterRecord | undefined = last?.record?.value;
          const goesBack: boolean =
            before !== undefined &&
            (document.kind !== "valid" ||
              document.value.incarnation !== before.incarnation ||
              document.value.generation < before.generation);
          if (goesBack) expect(judgement).not.toBe("deliver");
          if (source === "wake-up") expect(judgement).not.toBe("went-back");
          if (judgement === "deliver" || judgement === "went-back") last = delivered(last, next, now);
        }
      }),
    );
  });
});
