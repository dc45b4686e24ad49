import { type Layout, leaseBoundMs } from "@primacy/contract";

/** What is chosen beside the layout. */
export interface Choice {
  /** Does a fence that can't be raised stop the failover, on this machine? */
  readonly stops: boolean;
  /** Does the writer here have a login on the database servers? */
  readonly hasAccount: boolean;
}

/**
 * What a cluster's policies promise for the moment at which a new master opens, a sentence each; `docs/phases.md` and
 * `docs/lease.md` say why. They hold where the Pre hooks are set up, which the findings of a check speak of. Pure.
 */
export function guaranteesOf(layout: Layout, choice: Choice): readonly string[] {
  return [
    proxies(layout),
    choice.stops
      ? "Without a fence there is no failover (onFenceFailure: stop)."
      : "A fence that can't be raised, or is incomplete, does not stop a failover; the hook's line says so (onFenceFailure: continue).",
    opener(layout),
    choice.hasAccount
      ? "The old master is made read-only and its connections are killed, where it answers."
      : "The old master itself is left alone: what ProxySQL has already sent there may still commit (no databaseUser here).",
    "Clients that bypass ProxySQL are outside, and asynchronous replication can lose acknowledged writes.",
  ];
}

function proxies({ onConsulLoss, leaseSeconds }: Layout): string {
  if (onConsulLoss === "keep") {
    return "Once a fence stands, every proxy that can reach Consul has left the old master before the new one opens. One that can't may go on writing to it (onConsulLoss: keep).";
  }
  const bound = (leaseBoundMs(leaseSeconds) / 1000).toFixed(1);
  return `Once a fence stands, no ProxySQL routes a write to the old master when the new one opens, heard of or not; whoever is silent has stopped ${bound} s after the fence at the latest (onConsulLoss: lease). A ProxySQL without a guard goes on when its watcher dies; its /readyz says so. Without Consul nobody takes writes.`;
}

function opener({ openedBy }: Layout): string {
  return openedBy === "primacy"
    ? "In a failure the new master stays read-only until the fence stands and the proxies have followed; in a planned takeover Orchestrator opens it, after the Pre hooks (openedBy: primacy)."
    : "Orchestrator sets read_only=0 before any Post hook: what holds then is what PreFailover has reached (openedBy: orchestrator).";
}
