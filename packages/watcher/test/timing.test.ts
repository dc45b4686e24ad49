import { describe, expect, test } from "vitest";
import { Alarm, countingSleep } from "../src/timing.js";

describe("waiting", () => {
  test("a ring before the sleep is not lost, and wakes one sleep only", async () => {
    const alarm = new Alarm();
    const signal = new AbortController().signal;
    alarm.ring();
    await alarm.sleep(Number.POSITIVE_INFINITY, signal);
    let woken = false;
    const second = alarm.sleep(Number.POSITIVE_INFINITY, signal).then(() => {
      woken = true;
    });
    await Promise.resolve();
    expect(woken).toBe(false);
    alarm.ring();
    await second;
    expect(woken).toBe(true);
  });

  test("an abort ends it", async () => {
    const stop = new AbortController();
    const sleeping = new Alarm().sleep(Number.POSITIVE_INFINITY, stop.signal);
    stop.abort();
    await sleeping;
    await new Alarm().sleep(Number.POSITIVE_INFINITY, stop.signal);
  });
});

describe("a monotonic clock that counts sleep", () => {
  /** Both clocks go on by so many milliseconds; answers by how many the counting one does. */
  function counted(...moves: readonly (readonly [monotonicMs: number, wallMs: number])[]): number {
    let [monotonicMs, wallMs] = [1000, 1_700_000_000_000];
    const now = countingSleep({ monotonicNow: () => monotonicMs, wallNow: () => wallMs });
    const before = now();
    for (const [byMonotonicMs, byWallMs] of moves) {
      monotonicMs += byMonotonicMs;
      wallMs += byWallMs;
      now();
    }
    return now() - before;
  }

  test("goes with the other one, whatever the wall clock does within bounds", () => {
    expect(counted([500, 500], [500, 501], [500, 499], [500, 650])).toBe(2000);
  });

  test("goes ahead by what the machine has slept through", () => {
    expect(counted([500, 500], [3, 60_003], [500, 500])).toBe(61_003);
    expect(counted([3, 10_003], [3, 10_003])).toBe(20_006);
  });

  test("never goes back, nor stands still, where the wall clock is set back", () => {
    expect(counted([500, -3_600_000], [500, 500])).toBe(1000);
  });
});
