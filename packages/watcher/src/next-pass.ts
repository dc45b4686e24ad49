import type { Outcome } from "./outcome.js";
import { backoffMs } from "./timing.js";

/** How long a pass waits that has nothing to wait for but a change. Milliseconds. */
const RECHECK_MS = 5000;
const OBSERVE_MS = 500;
/** Sessions that were killed are gone in a few milliseconds. */
const AFTER_KILL_MS = 50;

/**
 * In how many milliseconds the next pass is due after one that ended so, where nothing wakes it before. Pure.
 *
 * @param failures how many passes in a row have failed, this one included
 * @param random 0 (included) to 1 (excluded)
 */
export function nextPassMs(outcome: Outcome, failures: number, random: number): number {
  switch (outcome.kind) {
    case "failed":
      return 50 + backoffMs(failures, random);
    case "refused":
    case "conflict":
      return RECHECK_MS;
    case "withheld":
      if (outcome.killed) return AFTER_KILL_MS;
      return outcome.connectionsInUse > 0 ? OBSERVE_MS : RECHECK_MS;
    case "applied":
      if (outcome.connectionsInUse > 0) return OBSERVE_MS;
      return outcome.notDurable === null ? Number.POSITIVE_INFINITY : RECHECK_MS;
    case "held":
      return Number.POSITIVE_INFINITY;
  }
}
