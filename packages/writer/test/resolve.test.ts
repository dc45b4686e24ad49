import { type MasterRecord, transition } from "@primacy/contract";
import { describe, expect, test } from "vitest";
import { type MasterWord, resolve } from "../src/resolve.js";
import { FakeWorld, db1, db2, db3 } from "./fakes.js";

const candidates = [db1, db2];
const deadline = "2026-11-21T09:21:00.000Z";
const late = Date.parse(deadline);

function recordOf(changes: Partial<MasterRecord> = {}): MasterRecord {
  return {
    format: 1,
    cluster: "main",
    generation: 8,
    phase: "fenced",
    master: db1,
    previous: null,
    successor: null,
    quarantined: [],
    cause: {
      kind: "dead-master",
      rule: "fence-begins",
      failureType: "DeadMaster",
      recoveryUid: "uid-1",
      command: "",
    },
    decidedAt: "2026-11-21T09:19:59.000Z",
    writtenAt: "2026-11-21T09:20:00.000Z",
    writtenBy: "orc1",
    writeId: "write-id-8",
    deadline,
    incarnation: "history-1",
    previousHash: null,
    ...changes,
  };
}

const word: MasterWord = { successor: null, outgoing: "unreachable", recovering: false };

describe("what ends a drain or a fence", () => {
  test.each([
    ["nothing does while it is open", { phase: "open" }, word, late, "resolve-not-needed"],
    ["its closing hook, until the deadline", {}, { ...word, successor: db2 }, late - 1, "resolve-too-early"],
    ["a promoted candidate", {}, { ...word, successor: db2 }, late, "resolve-opens-successor"],
    [
      "also while the outgoing master looks writable",
      {},
      { ...word, successor: db2, outgoing: "writable" },
      late,
      "resolve-opens-successor",
    ],
    ["a master that is alive and writable", {}, { ...word, outgoing: "writable" }, late, "resolve-aborts"],
    [
      "the same for a drain",
      { phase: "draining" },
      { ...word, outgoing: "writable" },
      late,
      "resolve-aborts",
    ],
    [
      "not while a recovery is under way",
      {},
      { ...word, outgoing: "writable", recovering: true },
      late,
      "resolve-waits-for-recovery",
    ],
    [
      "not by a server that the layout does not know",
      {},
      { ...word, successor: db3 },
      late,
      "resolve-stays-fenced",
    ],
    [
      "not by the outgoing master as its own successor",
      {},
      { ...word, successor: db1 },
      late,
      "resolve-stays-fenced",
    ],
    [
      "not while the master is read-only",
      {},
      { ...word, outgoing: "read-only" },
      late,
      "resolve-stays-fenced",
    ],
    ["not while nobody sees the master", {}, word, late, "resolve-stays-fenced"],
    [
      "not while Orchestrator knows nothing",
      {},
      { ...word, outgoing: "unknown" },
      late,
      "resolve-stays-fenced",
    ],
    ["not while Orchestrator is not heard", {}, null, late, "resolve-unheard"],
  ] as const)("%s", (...[, changes, heard, nowMs, rule]) => {
    expect(resolve(recordOf(changes), heard, nowMs, candidates)).toMatchObject({ rule });
  });
});

describe("the event that it makes", () => {
  const world = new FakeWorld();
  const context = {
    cluster: "main",
    now: deadline,
    writtenBy: "agent",
    writeId: "write-id-9",
    newIncarnation: "",
    drainSeconds: 10,
    fenceSeconds: 60,
    sha256: world.sha256,
  };
  const current = { value: recordOf(), text: "{}" };

  test("is taken by transition, one generation up, as the deadline's doing", () => {
    for (const heard of [
      { ...word, outgoing: "writable" as const },
      { ...word, successor: db2 },
    ]) {
      const resolution = resolve(current.value, heard, late, candidates);
      if (resolution.kind !== "event") throw new Error(resolution.reason);
      const decision = transition(current, resolution.event, context);
      expect(decision).toMatchObject({
        kind: "write",
        record: { generation: 9, phase: "open", cause: { kind: "deadline", recoveryUid: "uid-1" } },
      });
    }
  });

  test("does not make the closing hook stale that comes after all", () => {
    const resolution = resolve(current.value, { ...word, outgoing: "writable" }, late, candidates);
    if (resolution.kind !== "event") throw new Error(resolution.reason);
    const aborted = transition(current, resolution.event, context);
    if (aborted.kind !== "write") throw new Error(aborted.reason);
    const hook = {
      kind: "open" as const,
      outgoing: db1,
      successor: db2,
      cause: {
        kind: "dead-master" as const,
        failureType: "DeadMaster",
        recoveryUid: "uid-1",
        command: "",
      },
      beganAt: current.value.decidedAt,
    };
    expect(transition({ value: aborted.record, text: "{}" }, hook, context)).toMatchObject({
      kind: "write",
      record: { generation: 10, master: db2 },
    });
  });
});
