import type { Documents } from "./decide.js";
import type { Outcome } from "./outcome.js";

/** Repairs further back than this are forgotten. */
const WINDOW_MS = 60_000;
const FREE_REPAIRS = 3;
const MAX_DELAY_MS = 10_000;
/** More than are made within the window, and a bound on what is kept. */
const KEPT = 100;

/** What a pass has verified the layout for. */
export interface Verified {
  readonly documents: Documents;
  readonly kind: Outcome["kind"];
  readonly drainIsOver: boolean;
}

/**
 * A LOAD for what had been verified already is a repair: somebody else had changed it. Whoever keeps reverting is reported,
 * not fought at full speed; and never left alone either, because what they bring back may be the old master. Times are
 * those of a monotonic clock, in milliseconds.
 */
export class Repairs {
  #verified: Verified | null = null;
  #times: readonly number[] = [];
  #notBeforeMs = 0;

  /** How long the next repair has to wait. */
  waitMs(nowMs: number): number {
    return Math.max(0, this.#notBeforeMs - nowMs);
  }

  /** @returns how many repairs there were within the last minute, this one included; null when it was none. */
  note(verified: Verified, loaded: boolean, nowMs: number): number | null {
    const again = this.#verified !== null && isSame(this.#verified, verified);
    this.#verified = verified;
    if (!again || !loaded) return null;
    this.#times = [...this.#times.filter((time) => nowMs - time < WINDOW_MS), nowMs].slice(-KEPT);
    this.#notBeforeMs = nowMs + delayMs(this.#times.length);
    return this.#times.length;
  }
}

/** None after the first three repairs within a minute, then 1 s doubled each time up to 10 s. */
function delayMs(repairs: number): number {
  if (repairs <= FREE_REPAIRS) return 0;
  return Math.min(MAX_DELAY_MS, 1000 * 2 ** (repairs - FREE_REPAIRS - 1));
}

function isSame(one: Verified, other: Verified): boolean {
  return (
    one.documents === other.documents && one.kind === other.kind && one.drainIsOver === other.drainIsOver
  );
}
