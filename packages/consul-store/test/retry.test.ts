import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  AddressRotation,
  LONGEST_PAUSE_MS,
  Pace,
  backoff,
  callDeadline,
  jitter,
  nextIndex,
} from "../src/retry.js";

describe("backoff", () => {
  it.each([
    [0, 0.5, 50],
    [1, 0.5, 100],
    [4, 0.5, 800],
    [5, 1, 3000],
    [1000, 1, 3000],
    [3, 0, 0],
  ])("after attempt %i with chance %d pauses %i ms", (attempt, random, ms) => {
    expect(backoff(attempt, random)).toBe(ms);
  });

  it("is never longer than its cap", () => {
    fc.assert(
      fc.property(fc.nat(), fc.double({ min: 0, max: 1, noNaN: true }), (attempt, random) => {
        const ms = backoff(attempt, random);
        expect(ms).toBeGreaterThanOrEqual(0);
        expect(ms).toBeLessThanOrEqual(LONGEST_PAUSE_MS);
      }),
    );
  });
});

it("jitter moves by a quarter at most", () => {
  expect([jitter(1000, 0), jitter(1000, 0.5), jitter(1000, 1)]).toEqual([750, 1000, 1250]);
});

it("a blocking query's limit is above what Consul may take: the wait and a sixteenth", () => {
  expect(callDeadline(30_000)).toBe(33_375);
  expect(callDeadline(0)).toBe(1500);
});

it.each([
  ["goes on where it was", 10, 10, 10],
  ["goes on where the answer is", 10, 12, 12],
  ["starts again after a lower index", 10, 9, 0],
  ["starts again after an error", 10, null, 0],
  ["blocks after an answer, whatever its index", 0, 0, 1],
])("nextIndex %s", (_, previous, received, next) => {
  expect(nextIndex(previous, received)).toBe(next);
});

describe("Pace", () => {
  it("lets a burst through and then one in its time", () => {
    const pace = new Pace(100, 2);
    expect([pace.take(0), pace.take(0), pace.take(0), pace.take(0)]).toEqual([0, 0, 100, 200]);
    expect(pace.take(10_000)).toBe(0);
  });

  it("allows no more than its rate and one burst in any stretch of time", () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 50 }), { maxLength: 200 }), (pauses) => {
        const pace = new Pace(100, 2);
        let now = 0;
        const starts = pauses.map((pause) => {
          now += pause;
          now += pace.take(now);
          return now;
        });
        for (let at = 2; at < starts.length; at++) {
          expect((starts[at] ?? 0) - (starts[at - 2] ?? 0)).toBeGreaterThanOrEqual(100);
        }
      }),
    );
  });
});

describe("AddressRotation", () => {
  it("stays at the last good one and goes round after failures", () => {
    const rotation = new AddressRotation(3);
    expect(rotation.current).toBe(0);
    for (const expected of [1, 2, 0]) {
      rotation.failed(rotation.current);
      expect(rotation.current).toBe(expected);
    }
  });

  it("moves once when many calls fail at the same agent", () => {
    const rotation = new AddressRotation(3);
    rotation.failed(0);
    rotation.failed(0);
    expect(rotation.current).toBe(1);
  });
});
