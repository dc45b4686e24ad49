import type { Layout } from "@primacy/contract";

/** What a lease hangs on. Instants are milliseconds on one monotonic clock (`countingSleep`); null: there has been none. */
export interface LeaseFacts {
  /** When the newest consistent read was SENT that showed the very record whose lease it is. */
  readonly readSentAtMs: number | null;
  /** When the newest renewal (or the creation) of the present Consul session was SENT that succeeded. */
  readonly renewedSentAtMs: number | null;
  /** Since when our acknowledgement has been known to lie in Consul under the present session. */
  readonly presentSinceMs: number | null;
  /** Until when the lease lasts that the process before this one held. */
  readonly inheritedUntilMs: number | null;
}

export const NO_LEASE_FACTS: LeaseFacts = {
  readSentAtMs: null,
  renewedSentAtMs: null,
  presentSinceMs: null,
  inheritedUntilMs: null,
};

/** May this ProxySQL take writes? Asked anew, with the time as it is, before everything that lets it. */
export type Lease =
  /** The cluster asks for none: what is there stays. */
  | { readonly kind: "not-asked-for" }
  | {
      readonly kind: "held";
      readonly untilMs: number;
      /** Only by what the process before this one left: what takes writes may go on, and nobody is let in who is out. */
      readonly inherited?: true;
    }
  | { readonly kind: "lost"; readonly reason: string };

export type LeasePolicy = Pick<Layout, "onConsulLoss" | "leaseSeconds">;

/**
 * The lease, now. Pure.
 *
 * Held: a consistent read and a renewal of the session, both sent within the lease's length, and the read sent after
 * our acknowledgement lay in Consul under this session. Instants of sending: an answer may have waited anywhere.
 *
 * The last condition is what makes the writer's roster tell the truth. Whoever is not in it when a fence has been
 * committed either has had no renewal for a session's TTL, which is longer than any lease, or comes later: and then
 * reads later too, and reads the fence. With a read from before, a watcher that lost its session and made a new one
 * could route by an old record while nobody waited for it.
 *
 * A monotonic clock goes on while the process is stopped (SIGSTOP) and is not set back with the wall clock. While the
 * whole machine is frozen it stands still: see `countingSleep`.
 */
export function lease(policy: LeasePolicy, facts: LeaseFacts, nowMs: number): Lease {
  if (policy.onConsulLoss === "keep") return { kind: "not-asked-for" };
  const own = ownLease(policy.leaseSeconds, facts, nowMs);
  const inheritedUntilMs = facts.inheritedUntilMs ?? Number.NEGATIVE_INFINITY;
  if (own.kind === "held") return { kind: "held", untilMs: Math.max(own.untilMs, inheritedUntilMs) };
  return nowMs < inheritedUntilMs ? { kind: "held", untilMs: inheritedUntilMs, inherited: true } : own;
}

function ownLease(
  leaseSeconds: number,
  facts: LeaseFacts,
  nowMs: number,
): Exclude<Lease, { kind: "not-asked-for" }> {
  const { readSentAtMs, renewedSentAtMs, presentSinceMs } = facts;
  if (renewedSentAtMs === null) return lost("there is no Consul session");
  if (presentSinceMs === null)
    return lost("the writer cannot see this proxy yet: no acknowledgement under this session");
  if (readSentAtMs === null) return lost("no consistent read of Consul has shown this record");
  if (readSentAtMs < presentSinceMs)
    return lost("no consistent read since the acknowledgement came to lie in Consul");
  const untilMs = Math.min(readSentAtMs, renewedSentAtMs) + leaseSeconds * 1000;
  if (nowMs < untilMs) return { kind: "held", untilMs };
  const what =
    readSentAtMs <= renewedSentAtMs ? "consistent read of Consul" : "renewal of the Consul session";
  return lost(`no ${what} has succeeded for ${String(leaseSeconds)} s`);
}

function lost(reason: string): { readonly kind: "lost"; readonly reason: string } {
  return { kind: "lost", reason };
}

/** When, at the latest, Consul is to be heard again so that a failed try leaves time for two more. Milliseconds. */
export function renewAfterMs(leaseSeconds: number): number {
  return (leaseSeconds * 1000) / 4;
}

/**
 * When a lease ends by the wall clock that ProxySQL reads too, in whole unix seconds, rounded down; now, where none is
 * held. Both clocks are read at this moment, so a jump of the wall clock before it does no harm.
 */
export function leaseEndsAtSeconds(
  held: Lease,
  clock: { readonly monotonicNow: () => number; readonly wallNow: () => number },
): number {
  const leftMs = held.kind === "held" ? held.untilMs - clock.monotonicNow() : 0;
  // To the millisecond first: an end that was read from whole seconds must come out as the same second.
  return Math.floor(Math.round(clock.wallNow() + Math.min(leftMs, LONGEST_MS)) / 1000);
}

/** No lease is as long. */
const LONGEST_MS = 60_000;
