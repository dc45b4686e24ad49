import { describe, expect, test } from "vitest";
import {
  LEAD_AT_MOST_MS,
  type LockWatch,
  TAKE_OVER_AFTER_MS,
  heartbeatText,
  mayLead,
  readHeartbeat,
  standbyStep,
} from "../../src/agent/leadership.js";

const held = (index: number, sessionId: string | null = "session-1") => ({ value: "{}", sessionId, index });
const watch: LockWatch = { index: 5, sessionId: "session-1", sinceMs: 1000 };

describe("a standby", () => {
  test("takes a lock that nobody holds", () => {
    expect(standbyStep(null, watch, 2000)).toEqual({ kind: "acquire" });
    expect(standbyStep(held(5, null), watch, 2000)).toEqual({ kind: "acquire" });
  });

  test("waits while the leader's heartbeat moves", () => {
    let before: LockWatch | null = null;
    for (let beat = 0; beat < 20; beat++) {
      const step = standbyStep(held(beat), before, beat * 6000);
      if (step.kind !== "wait") throw new Error(step.kind);
      before = step.watch;
    }
    expect(before).toEqual({ index: 19, sessionId: "session-1", sinceMs: 19 * 6000 });
  });

  test("takes over from a leader that has fallen silent, and not a moment earlier", () => {
    expect(standbyStep(held(5), watch, 1000 + TAKE_OVER_AFTER_MS - 1)).toEqual({ kind: "wait", watch });
    expect(standbyStep(held(5), watch, 1000 + TAKE_OVER_AFTER_MS)).toEqual({
      kind: "take-over",
      sessionId: "session-1",
      silentMs: TAKE_OVER_AFTER_MS,
    });
  });

  test("gives a new leader its time, whatever the index", () => {
    expect(standbyStep(held(5, "session-2"), watch, 100_000)).toMatchObject({ kind: "wait" });
  });

  test("counts from when it began to look, not from what the leader's clock says", () => {
    expect(standbyStep(held(5), null, 100_000)).toMatchObject({ kind: "wait", watch: { sinceMs: 100_000 } });
  });
});

describe("a leader", () => {
  test("stops before a standby may begin", () => {
    expect(LEAD_AT_MOST_MS).toBeLessThan(TAKE_OVER_AFTER_MS);
    expect(mayLead(1000, 1000 + LEAD_AT_MOST_MS - 1)).toBe(true);
    expect(mayLead(1000, 1000 + LEAD_AT_MOST_MS)).toBe(false);
    expect(mayLead(null, 0)).toBe(false);
  });
});

describe("a heartbeat", () => {
  const heartbeat = {
    agent: "orc1",
    since: "2026-11-21T10:00:00.000Z",
    at: "2026-11-21T10:00:02.000Z",
    clusters: 3,
    held: 0,
    version: "0.1.0",
  };

  test("is read as it was written", () => {
    expect(readHeartbeat(heartbeatText(heartbeat))).toEqual(heartbeat);
  });

  test.each([null, "", "{", "[]", '{"agent":"orc1"}'])("%j is none", (text) => {
    expect(readHeartbeat(text)).toBeNull();
  });
});
