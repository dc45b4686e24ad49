import { describe, expect, test } from "vitest";
import { backoffMs, jitteredMs, sleep } from "../src/index.js";

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

  test("a sleep ends with its signal", async () => {
    const stop = new AbortController();
    const sleeping = sleep(2 ** 30, stop.signal);
    stop.abort();
    await sleeping;
    await sleep(2 ** 30, stop.signal);
  });
});
