import type { Environment } from "../../src/types.js";

/** A clock that goes only when told to: a minute of back-off takes no time, and no test depends on how fast it runs. */
export class VirtualTime implements Environment {
  now = 0;
  chance = 0.5;
  readonly #timers = new Set<{ readonly at: number; readonly wake: () => void }>();
  readonly monotonicNow = (): number => this.now;
  readonly random = (): number => this.chance;

  readonly sleep = (ms: number, signal?: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      if (signal?.aborted === true) {
        resolve();
        return;
      }
      const wake = (): void => {
        signal?.removeEventListener("abort", wake);
        this.#timers.delete(timer);
        resolve();
      };
      const timer = { at: this.now + ms, wake };
      this.#timers.add(timer);
      signal?.addEventListener("abort", wake);
    });

  /** Lets time go by, timer after timer, and everything that follows from each. */
  async advance(ms: number): Promise<void> {
    const until = this.now + ms;
    await settle();
    for (;;) {
      const due = [...this.#timers].filter((timer) => timer.at <= until);
      const next = due.sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.now = Math.max(this.now, next.at);
      next.wake();
      await settle();
    }
    this.now = until;
  }
}

/** Until all promises that can settle have settled. */
function settle(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
