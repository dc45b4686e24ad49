export { backoffMs, jitteredMs } from "@primacy/service";

/** Time and chance, given from outside so that tests can give others. */
export interface Clock {
  /** Milliseconds of a clock that never goes back, and that counts what the machine has slept through. */
  readonly monotonicNow: () => number;
  /** Milliseconds since 1970, for documents and people. */
  readonly wallNow: () => number;
  /** 0 (included) to 1 (excluded). */
  readonly random: () => number;
}

/** By less than this the two clocks may come apart without anybody having slept. Milliseconds. */
const APART_MS = 200;

/**
 * A monotonic clock that goes ahead with the wall clock where that has gone ahead of it. While a whole machine is frozen
 * (a virtual machine that is paused, a host that sleeps) CLOCK_MONOTONIC stands still, which is what `performance.now()`
 * reads (libuv, uv_hrtime); the wall clock is set when it wakes. So whoever asks how old something is hears the truth as
 * soon as the machine itself knows it. A wall clock that is set ahead for another reason makes things look older than
 * they are: what is too old is read again. One that is set back changes nothing.
 */
export function countingSleep({
  monotonicNow,
  wallNow,
}: Pick<Clock, "monotonicNow" | "wallNow">): () => number {
  let asleepMs = 0;
  let last = { monotonicMs: monotonicNow(), wallMs: wallNow() };
  return () => {
    const now = { monotonicMs: monotonicNow(), wallMs: wallNow() };
    const apartMs = now.wallMs - last.wallMs - (now.monotonicMs - last.monotonicMs);
    if (apartMs > APART_MS) asleepMs += apartMs;
    last = now;
    return now.monotonicMs + asleepMs;
  };
}

const wallNow = (): number => Date.now();

export const SYSTEM_CLOCK: Clock = {
  monotonicNow: countingSleep({ monotonicNow: () => performance.now(), wallNow }),
  wallNow,
  random: () => Math.random(),
};

/**
 * Wakes one sleeper. A wake that comes while nobody sleeps is not lost: the next sleep ends at once. However many come,
 * one pass reads everything anew.
 */
export class Alarm {
  #rung = false;
  #wake: (() => void) | null = null;

  ring(): void {
    this.#rung = true;
    this.#wake?.();
  }

  /** Ends when rung, after `ms` milliseconds (Infinity: never by time), or when `signal` is aborted. */
  async sleep(ms: number, signal: AbortSignal): Promise<void> {
    if (!this.#rung && !signal.aborted && ms > 0) {
      await new Promise<void>((resolve) => {
        const timer = Number.isFinite(ms) ? setTimeout(resolve, ms) : undefined;
        const onAbort = (): void => {
          resolve();
        };
        signal.addEventListener("abort", onAbort, { once: true });
        this.#wake = () => {
          clearTimeout(timer);
          signal.removeEventListener("abort", onAbort);
          resolve();
        };
      });
      this.#wake?.();
      this.#wake = null;
    }
    this.#rung = false;
  }
}
