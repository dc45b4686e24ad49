import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { drainLeftMs } from "../src/drain.js";
import { type LeaseFacts, NO_LEASE_FACTS, lease, leaseEndsAtSeconds } from "../src/lease.js";

const keep = { onConsulLoss: "keep", leaseSeconds: 8 } as const;
const eight = { onConsulLoss: "lease", leaseSeconds: 8 } as const;
const good: LeaseFacts = {
  presentSinceMs: 1000,
  readSentAtMs: 20_000,
  renewedSentAtMs: 21_000,
  inheritedUntilMs: null,
};

describe("a lease", () => {
  test("is not asked for by `keep`, whatever is known", () => {
    expect(lease(keep, NO_LEASE_FACTS, 1e9)).toEqual({ kind: "not-asked-for" });
  });

  test("is held until so long after the older of read and renewal were sent", () => {
    expect(lease(eight, good, 21_500)).toEqual({ kind: "held", untilMs: 28_000 });
    expect(lease(eight, { ...good, readSentAtMs: 26_000 }, 27_000)).toEqual({
      kind: "held",
      untilMs: 29_000,
    });
    expect(lease(eight, good, 27_999.9).kind).toBe("held");
    expect(lease(eight, good, 28_000).kind).toBe("lost");
  });

  test.each([
    ["no read has succeeded", { readSentAtMs: null }, /no consistent read of Consul has shown this record/],
    ["there is no session", { renewedSentAtMs: null }, /no Consul session/],
    ["the acknowledgement is not there", { presentSinceMs: null }, /cannot see this proxy yet/],
    ["the read is older than our presence", { presentSinceMs: 20_001 }, /no consistent read since/],
    ["the read is too old", { readSentAtMs: 13_000 }, /no consistent read of Consul has succeeded for 8 s/],
    ["the renewal is too old", { renewedSentAtMs: 13_000 }, /no renewal of the Consul session/],
  ])("is lost when %s", (_, changes, reason) => {
    const now = lease(eight, { ...good, ...changes }, 21_500);
    expect(now.kind === "lost" ? now.reason : now.kind).toMatch(reason);
  });

  test("that the process before held goes on to its end, and no further", () => {
    const inherited = { ...NO_LEASE_FACTS, inheritedUntilMs: 5000 };
    expect(lease(eight, inherited, 4999)).toEqual({ kind: "held", untilMs: 5000, inherited: true });
    expect(lease(eight, inherited, 5000).kind).toBe("lost");
    expect(lease(eight, { ...good, inheritedUntilMs: 22_000 }, 21_500)).toEqual({
      kind: "held",
      untilMs: 28_000,
    });
  });

  test("time that went by while the process was stopped counts", () => {
    expect(lease(eight, good, 21_500).kind).toBe("held");
    expect(lease(eight, good, 21_500 + 30_000).kind).toBe("lost");
  });

  const instant = fc.option(fc.nat(60_000));
  test("held means: read, renewal and presence are there, in order, and young enough; and only time loses it", () => {
    fc.assert(
      fc.property(
        fc.record({ readSentAtMs: instant, renewedSentAtMs: instant, presentSinceMs: instant }),
        fc.nat(60_000),
        fc.nat(60_000),
        (facts, nowMs, laterByMs) => {
          const held = lease(eight, { ...facts, inheritedUntilMs: null }, nowMs);
          if (held.kind !== "held") return;
          const { readSentAtMs, renewedSentAtMs, presentSinceMs } = facts;
          expect(readSentAtMs! >= presentSinceMs!).toBe(true);
          expect(nowMs - Math.min(readSentAtMs!, renewedSentAtMs!)).toBeLessThan(8000);
          const later = lease(eight, { ...facts, inheritedUntilMs: null }, nowMs + laterByMs);
          expect(later.kind).toBe(nowMs + laterByMs < held.untilMs ? "held" : "lost");
        },
      ),
    );
  });
});

test("the end of a lease on the wall clock is rounded down, and goes with a clock that jumps", () => {
  const clock = { monotonicNow: () => 1000, wallNow: () => 1_800_000_000_400 };
  expect(leaseEndsAtSeconds({ kind: "held", untilMs: 6500 }, clock)).toBe(1_800_000_005);
  expect(leaseEndsAtSeconds({ kind: "lost", reason: "" }, clock)).toBe(1_800_000_000);
});

describe("what is left of a drain", () => {
  const record = {
    phase: "draining",
    writtenAt: "2026-11-21T09:20:00.000Z",
    deadline: "2026-11-21T09:20:10.000Z",
  } as const;
  const written = Date.parse(record.writtenAt);

  test("is its length, from when it was first seen", () => {
    expect(drainLeftMs(record, 0, written)).toBe(10_000);
    expect(drainLeftMs(record, 4000, written + 4000)).toBe(6000);
    expect(drainLeftMs(record, 10_000, written + 10_000)).toBe(0);
  });

  test("a wall clock that is behind does not lengthen it", () => {
    expect(drainLeftMs(record, 10_000, written - 3_600_000)).toBe(0);
  });

  test("a watcher that comes in the middle goes by the deadline", () => {
    expect(drainLeftMs(record, 0, written + 9000)).toBe(1000);
    expect(drainLeftMs(record, 0, written + 11_000)).toBe(0);
  });

  test("no other phase ends by the clock of a watcher", () => {
    expect(drainLeftMs({ ...record, phase: "fenced" }, 1e9, written + 1e9)).toBe(Number.POSITIVE_INFINITY);
    expect(drainLeftMs({ ...record, phase: "open", deadline: null }, 1e9, 0)).toBe(Number.POSITIVE_INFINITY);
  });
});
