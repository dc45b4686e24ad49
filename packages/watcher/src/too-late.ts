import type { Moment } from "./decide.js";

/** What was read may be acted on for so long: it takes milliseconds, unless a disk or the admin port hangs. */
const FACTS_LAST_MS = 1000;

/** When what a decision rests on was read. */
export interface Begun {
  /** On the monotonic clock, milliseconds. */
  readonly atMs: number;
  /** How often the end of a lease had fenced this ProxySQL by then. */
  readonly fences: number;
}

export interface TooLate {
  readonly code: "LEASE_LOST" | "LEASE_INHERITED" | "SUPERSEDED" | "OUTDATED";
  readonly reason: string;
}

/**
 * Between what was read and the statement that is to let writes through: has something come that forbids it? Null: it
 * may be sent. Asked with the time as it is, right before. Pure.
 *
 * @param nowMs on the monotonic clock
 */
export function tooLate(begun: Begun, nowMs: number, now: Moment): TooLate | null {
  const { lease, superseded, fences } = now;
  if (superseded) return { code: "SUPERSEDED", reason: "a later record has been read" };
  if (lease.kind === "lost") return { code: "LEASE_LOST", reason: lease.reason };
  if (lease.kind === "held" && lease.inherited === true) {
    // Its end is on the wall clock, which may have been set back while nobody was there to see it.
    return { code: "LEASE_INHERITED", reason: "Consul has not confirmed the lease yet" };
  }
  const ageMs = nowMs - begun.atMs;
  if (fences === begun.fences && ageMs <= FACTS_LAST_MS) return null;
  return {
    code: "OUTDATED",
    reason: `what was read ${String(Math.round(ageMs))} ms ago may no longer be so`,
  };
}
