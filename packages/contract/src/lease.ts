/**
 * The numbers of the lease, in one place because both sides live by them: the watcher stops routing when its lease
 * ends, the writer waits so long for proxies that say nothing.
 */

/** The watcher's Consul session. Consul drops it somewhere between this and twice this after its last renewal. */
export const SESSION_TTL_SECONDS = 15;

/**
 * How long a lease may be. Shorter than the session's TTL with room for clocks that do not run alike: a proxy that is
 * missing in the roster has had no renewal for the TTL, and must not be routing any more.
 */
export const LEASE_SECONDS = { least: 4, most: 12, usual: 8 } as const;

/**
 * What may pass between the end of a lease and the moment from which no write is routed. Milliseconds. ProxySQL's
 * scheduler runs the guard once a second, and the guard or the watcher needs two statements.
 */
export const LEASE_SETTLE_MS = 2000;

/** Clocks of two machines are taken to run alike to one part in this. */
const CLOCKS_AGREE_TO_ONE_IN = 100;

/**
 * How long after a committed fence no proxy routes writes any more, heard of or not, on the clock of whoever waits.
 * Milliseconds.
 */
export function leaseBoundMs(leaseSeconds: number): number {
  const leaseMs = leaseSeconds * 1000;
  return leaseMs + leaseMs / CLOCKS_AGREE_TO_ONE_IN + LEASE_SETTLE_MS;
}
