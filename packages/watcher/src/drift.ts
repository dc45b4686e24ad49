/** `runtime_checksums_values` of the module `mysql_servers`, the cheap probe for drift. */
export interface Probe {
  /** Grows by 1 with every LOAD, changed or not; starts at 1 with the process (ProxySQL 2.7.1, observed). */
  readonly version: number;
  readonly epoch: number;
  readonly checksum: string;
}

/**
 * Must everything be compared again? The checksum leaves OFFLINE_HARD and SHUNNED out of account and the monitor's moves
 * change it without a version, so any difference counts; a version that went back means that ProxySQL was restarted.
 */
export function probeAsksForComparison(last: Probe | null, now: Probe): boolean {
  return (
    last === null ||
    last.checksum !== now.checksum ||
    last.version !== now.version ||
    last.epoch !== now.epoch
  );
}

/** When something of ours was reverted by somebody else, as times on a monotonic clock, in milliseconds. */
export interface Reverts {
  readonly times: readonly number[];
}

export const NO_REVERTS: Reverts = { times: [] };

/** Reverts further back than this are forgotten. */
export const REVERT_WINDOW_MS = 60_000;
const FREE_REPAIRS = 3;
const MAX_DELAY_MS = 10_000;

export function noteRevert(reverts: Reverts, nowMs: number): Reverts {
  return { times: [...recent(reverts, nowMs), nowMs].slice(-100) };
}

/** How often within the last minute. */
export function revertCount(reverts: Reverts, nowMs: number): number {
  return recent(reverts, nowMs).length;
}

/**
 * How long to wait before the next repair, in milliseconds: none for the first three within a minute, then 1 s doubled
 * each time up to 10 s. Whoever keeps reverting is reported, not fought at full speed; and never left alone either,
 * because what they bring back may be the old master.
 */
export function repairDelayMs(reverts: Reverts, nowMs: number): number {
  const count = revertCount(reverts, nowMs);
  if (count <= FREE_REPAIRS) return 0;
  return Math.min(MAX_DELAY_MS, 1000 * 2 ** (count - FREE_REPAIRS - 1));
}

function recent(reverts: Reverts, nowMs: number): readonly number[] {
  return reverts.times.filter((time) => nowMs - time < REVERT_WINDOW_MS);
}
