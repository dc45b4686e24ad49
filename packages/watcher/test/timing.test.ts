import { describe, expect, test } from "vitest";
import { Alarm, backoffMs, jitteredMs } from "../src/timing.js";

describe("waiting", () => {
  test("back-off is full jitter up to a cap", () => {
    expect(backoffMs(0, 1)).toBe(250);
    expect(backoffMs(3, 0.5)).toBe(1000);
    expect(backoffMs(1000, 1)).toBe(5000);
    expect(backoffMs(5, 0)).toBe(0);
  });

  test("jitter is a tenth either way", () => {
    expect(jitteredMs(1000, 0)).toBe(900);
    expect(jitteredMs(1000, 0.5)).toBe(1000);
  });

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
