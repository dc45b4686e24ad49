import type { ClusterStatus } from "./cluster-loop.js";
import type { Lease } from "./lease.js";
import { sentenceOf } from "./outcome.js";

/** A consistent read of Consul older than this is no longer "verified". Milliseconds. */
export const STALE_AFTER_MS = 20_000;

export interface ClusterReadiness {
  readonly cluster: string;
  readonly ready: boolean;
  readonly generation: number;
  /** Seconds since the newest successful consistent read was sent; null before the first. */
  readonly verifiedSecondsAgo: number | null;
  /** `held`, `lost` or `not-asked-for`. */
  readonly lease: Lease["kind"];
  readonly says: string;
}

/**
 * Ready: the runtime shows the record, and Consul has confirmed that record a short while ago. A watcher that only holds
 * a layout is alive and not ready, and so is one that nobody waits for. Pure.
 *
 * @param refusal why Consul takes no acknowledgement of this cluster from here; null: it does
 */
export function readiness(status: ClusterStatus, refusal: string | null, nowMs: number): ClusterReadiness {
  const ageMs = status.verifiedAtMs === null ? null : nowMs - status.verifiedAtMs;
  const fresh = ageMs !== null && ageMs <= STALE_AFTER_MS;
  const applied = status.outcome?.kind === "applied";
  return {
    cluster: status.cluster,
    ready: fresh && applied && refusal === null,
    generation: status.appliedGeneration,
    verifiedSecondsAgo: ageMs === null ? null : Math.round(ageMs / 100) / 10,
    lease: status.lease.kind,
    says: saysOf(status, fresh) + (refusal === null ? "" : `; no writer waits for this proxy: ${refusal}`),
  };
}

function saysOf(status: ClusterStatus, fresh: boolean): string {
  const { lease, outcome } = status;
  const withoutLease =
    lease.kind === "lost" && outcome?.kind !== "withheld" ? `; no lease: ${lease.reason}` : "";
  const pass = outcome === null ? "nothing was done yet" : sentenceOf(outcome);
  if (fresh) return `${pass}${withoutLease}`;
  const truth = status.watch.truth;
  const why = truth.kind === "holding" ? truth.problem : "the last consistent read is too old";
  return `${pass}${withoutLease}; holding, unverified: ${why}`;
}
