export { backoffMs, jitteredMs } from "@primacy/service";

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
