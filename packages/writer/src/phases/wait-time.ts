import { type Layout, type MasterRecord, leaseBoundMs } from "@primacy/contract";

/** What proxies need to end a drain whose time is over, and to say so. Milliseconds. */
const AFTER_DRAIN_MS = 3000;
/** Where no lease bounds a silent proxy, this does: a failover must not wait for a machine that is gone. Milliseconds. */
const FENCE_WITHOUT_LEASE_MS = 5000;
/** For the last answers, once every lease is over. Milliseconds. */
const AFTER_LEASE_MS = 500;

/** The cluster's lease, null where proxies keep what they have. Seconds. */
export function leaseSecondsOf(layout: Layout | undefined): number | null {
  return layout?.onConsulLoss === "lease" ? layout.leaseSeconds : null;
}

/**
 * How long the proxies are waited for at most, where nobody has said: a drain until its deadline is over, a fence until
 * the lease bounds it, an opening not at all. Milliseconds. Pure.
 *
 * @param nowMs milliseconds since 1970
 */
export function longestWait(record: MasterRecord, layout: Layout | undefined, nowMs: number): number {
  switch (record.phase) {
    case "open":
      return 0;
    case "draining": {
      const wholeMs = Date.parse(record.deadline ?? record.writtenAt) - Date.parse(record.writtenAt);
      const leftMs = Date.parse(record.deadline ?? record.writtenAt) - nowMs;
      // Another machine's clock may have written it.
      return Math.min(Math.max(leftMs, 0), wholeMs) + AFTER_DRAIN_MS;
    }
    case "fenced": {
      const leaseSeconds = leaseSecondsOf(layout);
      return leaseSeconds === null ? FENCE_WITHOUT_LEASE_MS : leaseBoundMs(leaseSeconds) + AFTER_LEASE_MS;
    }
  }
}
