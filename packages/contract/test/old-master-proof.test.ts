import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import {
  type ClusterEvent,
  type MasterRecord,
  type StoredRecord,
  readRecord,
  recordText,
  transition,
} from "../src/index.js";

const db1 = { host: "db1", port: 3306 };
const db2 = { host: "db2", port: 3306 };
const proof = { readOnly: true, killed: 12, left: 0, caughtUp: true, tookMs: 140 };
const cause = { kind: "dead-master", failureType: "DeadMaster", recoveryUid: "", command: "" } as const;
const context = {
  cluster: "main",
  now: "2026-11-21T09:14:21.948Z",
  writtenBy: "orc1",
  writeId: "59b8738b-a028",
  newIncarnation: "33eaeba8-fb9e",
  drainSeconds: 10,
  fenceSeconds: 60,
  sha256: (text: string) => createHash("sha256").update(text).digest("hex"),
};

function change(current: StoredRecord | null, event: ClusterEvent): StoredRecord {
  const decision = transition(current, event, context);
  if (decision.kind !== "write") throw new Error(decision.reason);
  return { value: decision.record, text: recordText(decision.record) };
}

const first = change(null, { kind: "bootstrap", master: db1, cause, beganAt: null });
const opening: ClusterEvent = { kind: "open", outgoing: db1, successor: db2, cause, beganAt: null };

describe("what was proved on the old master", () => {
  it("stands in the record that opens the new one, and in no later one", () => {
    const opened = change(first, { ...opening, oldMaster: proof });
    expect(opened.value.oldMaster).toEqual(proof);
    const drained = change(opened, {
      kind: "drain",
      outgoing: db2,
      successor: db1,
      cause,
      beganAt: null,
    });
    expect(drained.text).not.toContain("oldMaster");
  });

  it("is left out where there was none, so that a record of before is the same text to the byte", () => {
    const opened = change(first, opening);
    expect(opened.text).not.toContain("oldMaster");
    expect(recordText(JSON.parse(opened.text) as MasterRecord)).toBe(opened.text);
  });

  it("that is damaged makes the record unusable, and not a record without one", () => {
    const { text } = change(first, { ...opening, oldMaster: proof });
    expect(readRecord(text)).toMatchObject({ kind: "valid" });
    expect(readRecord(text.replace('"left": 0', '"left": -1'))).toMatchObject({ kind: "unusable" });
  });
});
