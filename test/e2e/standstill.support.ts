import { monitorEventLoopDelay } from "node:perf_hooks";
import { noteForTheEnd } from "@primacy/testkit";

/**
 * A lease is bounded by time, so on a machine that stands still at the wrong moment it shows nothing: the guard, which
 * ProxySQL starts once a second, has LEASE_SETTLE_MS to act, and whoever waits for it goes by a clock that went on.
 * From so long on a standstill may have been such a one. Milliseconds.
 */
export const STANDSTILL_MS = 700;

/** Answers, in milliseconds, how long this process has stood still at most since then, and the machine most likely with it. */
export function measureStandstill(): () => number {
  const delay = monitorEventLoopDelay({ resolution: 20 });
  delay.enable();
  return () => delay.max / 1_000_000;
}

/** What a standstill has spoilt, the last lines of the run say: it must not look as if nothing had happened. */
export function noteSpoilt(what: string): void {
  noteForTheEnd("unusual.log", `a machine that stood still: ${what}`);
}
