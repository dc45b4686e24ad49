import {
  type EventOf,
  type Layout,
  type MasterRecord,
  type Server,
  canonicalServer,
  formatServer,
  sameServer,
} from "@primacy/contract";
import { isValidMaster } from "./claims.js";
import type { Recovery } from "./orchestrator/recovery.js";
import type { AgentRule } from "./rules.js";
import { type ClusterView, type SeenServer, isReachable, serverIn } from "./view.js";

/** What is to be done about recoveries whose hook has not come. */
export type Replay =
  | { readonly kind: "nothing" }
  /** The hook may still come; or it is known why nothing can be written. */
  | { readonly kind: "wait" | "blocked"; readonly rule: AgentRule; readonly reason: string }
  | {
      readonly kind: "replay";
      readonly rule: "replay-recovery";
      readonly reason: string;
      readonly event: EventOf<"open">;
    };

/** Recoveries of a master, by Orchestrator's analysis code; every other one has a "successor" that is no new master. */
const MASTER_FAILURE = /^Dead(?:Co)?Master/;

/**
 * Follows the recoveries from the record's master to where they lead, and makes of them the event that the last one's
 * hook would have brought. Hooks are lost when the leader dies between promotion and hook, with recover-lite, with a
 * vetoed co-master (openark/orchestrator#451; go/logic/topology_recovery.go, 3.2.6).
 *
 * Two lost recoveries become one event: the server in between is no master any more, and opening it for a moment would
 * send writes to it. The last successor must be a valid master now: what happened after the recovery is not in its
 * audit. It need not be in the layout: the hook would not have asked either. Pure.
 *
 * @param seenForMs how long the agent has known that the recovery of this UID has ended
 */
export function replayOf(
  view: ClusterView,
  record: MasterRecord,
  layout: Layout,
  timing: { readonly seenForMs: (uid: string) => number; readonly graceMs: number },
): Replay {
  const chain = chainFrom(record, layout, view.recoveries);
  const last = chain.at(-1);
  if (last === undefined) return { kind: "nothing" };
  const successor = canonicalServer(layout, last.successor);
  if (sameServer(successor, record.master)) return { kind: "nothing" };
  const told = `recovery ${last.recovery.uid.slice(0, 24)}…: ${formatServer(successor)} follows ${formatServer(record.master)}`;
  const seen = serverIn(view, successor);
  if (seen === undefined || !isConfirmed(seen, last.recovery, layout)) {
    return { kind: "blocked", rule: "replay-unconfirmed", reason: `${told}, and is not a valid master now` };
  }
  if (timing.seenForMs(last.recovery.uid) < timing.graceMs) {
    return { kind: "wait", rule: "replay-waits", reason: `${told}; its hook has its time` };
  }
  const event: EventOf<"open"> = {
    kind: "open",
    outgoing: record.master,
    successor,
    // Orchestrator's audit doesn't keep the command: a drain is what tells a planned takeover.
    cause: {
      kind: record.phase === "draining" ? "graceful-takeover" : "dead-master",
      failureType: last.recovery.analysis,
      recoveryUid: last.recovery.uid,
      command: "",
    },
    beganAt: last.recovery.beganAt,
  };
  return { kind: "replay", rule: "replay-recovery", reason: `${told}; its hook has not come`, event };
}

/**
 * Is the promoted server still what the recovery made of it? Where Primacy opens masters itself, Orchestrator leaves the
 * successor read-only and its replication configured (ApplyMySQLPromotionAfterMasterFailover=false): it must only not
 * have been given another source since. Its source is the server that failed, which is not the record's master where an
 * earlier promotion was lost too.
 */
function isConfirmed(seen: SeenServer, { failed }: Recovery, layout: Layout): boolean {
  if (isValidMaster(seen)) return true;
  if (layout.openedBy !== "primacy" || !isReachable(seen)) return false;
  return seen.source === null || sameServer(seen.source, canonicalServer(layout, failed));
}

interface Promotion {
  readonly recovery: Recovery;
  readonly successor: Server;
}

/**
 * The promotions that lead on from the record's master, in their order. What began before the record was decided is
 * accounted for in it, with one exception: a fence of the same recovery, which waits for this very promotion.
 */
function chainFrom(
  record: MasterRecord,
  layout: Layout,
  recoveries: readonly Recovery[],
): readonly Promotion[] {
  const chain: Promotion[] = [];
  let master = record.master;
  for (const recovery of recoveries) {
    const { successor, beganAt, failed } = recovery;
    if (successor === null || !isPromotion(recovery) || beganAt === null) continue;
    if (Date.parse(beganAt) < Date.parse(record.decidedAt)) continue;
    if (recovery.uid === record.cause.recoveryUid && record.phase === "open") continue;
    if (!sameServer(canonicalServer(layout, failed), canonicalServer(layout, master))) continue;
    if (sameServer(canonicalServer(layout, successor), canonicalServer(layout, failed))) continue;
    chain.push({ recovery, successor });
    master = successor;
  }
  return chain;
}

/** `isSuccessful` says that a successor was chosen, and it says so of recoveries that are no change of master too. */
export function isPromotion(recovery: Recovery): boolean {
  return MASTER_FAILURE.test(recovery.analysis) && recovery.successful && recovery.ended;
}

/**
 * The recovery of a master that Orchestrator is at now. One that never got an end (a PreFailover hook that failed, a
 * leader that died) stays in the audit as if it ran: after `patienceMs` it counts as given up.
 */
export function runningRecovery(view: ClusterView, nowMs: number, patienceMs: number): Recovery | undefined {
  return view.recoveries.find(
    (one) =>
      MASTER_FAILURE.test(one.analysis) &&
      !one.ended &&
      !one.acknowledged &&
      one.beganAt !== null &&
      nowMs - Date.parse(one.beganAt) < patienceMs,
  );
}
