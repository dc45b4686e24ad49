import { describe, expect, test } from "vitest";
import { Alarm } from "../src/timing.js";

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
