/** Time and chance, given from outside so that tests can give others. */
export interface Clock {
  /** Milliseconds of a clock that never goes back. */
  readonly monotonicNow: () => number;
  /** Milliseconds since 1970, for documents and people. */
  readonly wallNow: () => number;
  /** 0 (included) to 1 (excluded). */
  readonly random: () => number;
}

export const SYSTEM_CLOCK: Clock = {
  monotonicNow: () => performance.now(),
  wallNow: () => Date.now(),
  random: () => Math.random(),
};

/** Full jitter: anything from nothing to `base` doubled `attempt` times, never more than `cap`. Milliseconds. */
export function backoffMs(attempt: number, random: number, base = 250, cap = 5000): number {
  return random * Math.min(cap, base * 2 ** Math.min(attempt, 20));
}

/** `value` give or take a tenth, so that a fleet doesn't move in step. */
export function jitteredMs(value: number, random: number): number {
  return value * (0.9 + random * 0.2);
}

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
