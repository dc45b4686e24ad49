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
