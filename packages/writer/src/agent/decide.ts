import {
  type ClusterEvent,
  type Layout,
  type MasterRecord,
  type Server,
  canonicalServer,
  formatServer,
  sameServer,
} from "@primacy/contract";
import { type Claim, claimOf } from "./claims.js";
import { type MasterWord, resolve } from "../resolve.js";
import { isPromotion, replayOf, runningRecovery } from "./replay.js";
import type { AgentRule, Finding } from "./rules.js";
import { type ClusterView, isReachable, serverIn, viewObjection } from "./view.js";

export interface DecisionSettings {
  /** What becomes of a record with which Orchestrator disagrees, where no recovery explains it. */
  readonly policy: "report" | "repair";
  /** How long every condition of a repair must have held. */
  readonly repairAfterMs: number;
  /** How long a recovery that has ended waits for its hook. */
  readonly replayAfterMs: number;
  /** How long a recovery without an end counts as under way. */
  readonly recoveryPatienceMs: number;
}

/** How long something has been so without a break, as far as the agent knows; milliseconds. */
export type HeldFor = (what: string) => number;

export interface DecisionContext {
  readonly nowMs: number;
  readonly heldFor: HeldFor;
  readonly settings: DecisionSettings;
}

/** What a pass concludes of one cluster's record. */
export interface RecordDecision {
  /** What to write, and by which rule; null where nothing is to be written. */
  readonly event: ClusterEvent | null;
  readonly rule: AgentRule;
  readonly reason: string;
  /** Everything that was found, the decision's own rule first. */
  readonly findings: readonly Finding[];
  /** What must go on being so for a later decision: the agent notes since when each has been. */
  readonly watched: readonly string[];
}

/**
 * What is to become of the record by what Orchestrator says. In this order: a view that can't be believed concludes
 * nothing; a recovery whose hook was lost is replayed; a recovery under way is waited for; a drain or fence past its
 * deadline is ended; a disagreement is repaired or reported. Pure.
 */
export function decideRecord(
  view: ClusterView,
  record: MasterRecord,
  layout: Layout,
  context: DecisionContext,
): RecordDecision {
  const objection = viewObjection(view);
  const watched = view.recoveries.filter(isPromotion).map((one) => endedKey(one.uid));
  if (objection !== null) {
    return conclude(
      null,
      objection,
      overdue(record, context.nowMs) ? [shout(record, "Orchestrator is not heard")] : [],
      watched,
    );
  }
  const claim = claimOf(view, record, layout);
  const replay = replayOf(view, record, layout, {
    seenForMs: (uid) => context.heldFor(endedKey(uid)),
    graceMs: context.settings.replayAfterMs,
  });
  if (replay.kind === "replay") return conclude(replay.event, replay, claim.findings, watched);
  if (replay.kind === "wait") return conclude(null, replay, claim.findings, watched);
  const running = runningRecovery(view, context.nowMs, context.settings.recoveryPatienceMs);
  if (running !== undefined) {
    const reason = `Orchestrator recovers ${formatServer(running.failed)} (${running.analysis})`;
    return conclude(null, { rule: "recovery-running", reason }, claim.findings, watched);
  }
  const blocked = replay.kind === "blocked" ? [{ rule: replay.rule, reason: replay.reason }] : [];
  const situation = { record, layout, claim, blocked, watched };
  if (overdue(record, context.nowMs)) return pastDeadline(view, situation, context.nowMs);
  if (claim.kind === "another") return disagreement(view, { ...situation, claim }, context);
  const [first, ...rest] = [...blocked, ...claim.findings];
  return conclude(null, first ?? agreement(record), rest, watched);
}

/** What is concluded where Orchestrator can't be asked: nothing, and that loudly. Pure. */
export function decideUnheard(record: MasterRecord, reason: string, nowMs: number): RecordDecision {
  const rest = overdue(record, nowMs) ? [shout(record, "Orchestrator is not heard")] : [];
  return conclude(null, { rule: "orchestrator-away", reason }, rest, []);
}

function endedKey(uid: string): string {
  return `ended ${uid}`;
}

/** A drain or a fence whose time is over: whoever reconciles must end it. */
function overdue(record: MasterRecord, nowMs: number): boolean {
  return record.phase !== "open" && record.deadline !== null && nowMs > Date.parse(record.deadline);
}

/** Orchestrator tells since when it has seen a server in whole seconds. */
const SECONDS_ARE_WHOLE_MS = 1000;

/**
 * No closing hook has come (a failed graceful takeover has none; a leader that died runs none). A new master that a
 * recovery names has been opened before we get here; what else ends the phase is `resolve`, as for the command of that
 * name. Orchestrator's view is seconds old: only a check made after the deadline counts, or a takeover that is just
 * under way would be opened again.
 */
function pastDeadline(
  view: ClusterView,
  { record, layout, claim, blocked, watched }: Situation<Claim>,
  nowMs: number,
): RecordDecision {
  const rest = [...blocked, ...claim.findings];
  const master = canonicalServer(layout, record.master);
  const outgoing = outgoingOf(view, master, claim);
  const checkedAtMs = serverIn(view, master)?.answeredAtMs ?? null;
  const checkedSince =
    checkedAtMs !== null && checkedAtMs - SECONDS_ARE_WHOLE_MS > Date.parse(record.deadline ?? "");
  if (outgoing === "writable" && !checkedSince) {
    const reason = `the deadline of the ${phaseNoun(record)} of ${formatServer(master)} is over, and Orchestrator has not checked it since`;
    return conclude(null, { rule: "deadline-waits", reason }, rest, watched);
  }
  // What is under way, and what may be opened, has been looked at already.
  const resolution = resolve(record, { successor: null, outgoing, recovering: false }, nowMs, []);
  if (resolution.kind !== "event") return conclude(null, shout(record, resolution.reason), rest, watched);
  return conclude(resolution.event, { rule: "deadline-aborts", reason: resolution.reason }, rest, watched);
}

/** Beside another writable master, "writable" would be half the truth. */
function outgoingOf(view: ClusterView, master: Server, claim: Claim): MasterWord["outgoing"] {
  const seen = serverIn(view, master);
  if (seen === undefined) return "unknown";
  if (!isReachable(seen)) return "unreachable";
  if (seen.readOnly) return "read-only";
  const alone =
    claim.kind === "agrees" &&
    !claim.findings.some(
      ({ rule }) => rule === "former-master-writable" || rule === "second-writable-master",
    );
  return alone ? "writable" : "unknown";
}

function shout(record: MasterRecord, reason: string): Finding {
  return {
    rule: "deadline-shouts",
    reason: `the deadline of the ${phaseNoun(record)} is over (${record.deadline ?? "none"}): ${reason}`,
  };
}

function phaseNoun(record: MasterRecord): string {
  return record.phase === "draining" ? "drain" : "fence";
}

interface Situation<C extends Claim> {
  readonly record: MasterRecord;
  readonly layout: Layout;
  readonly claim: C;
  readonly blocked: readonly Finding[];
  readonly watched: readonly string[];
}

/**
 * Another valid master, by no recovery that could be replayed: moved by hand, or its audit is gone. The claim has made
 * sure that it is the one valid, recently checked, not downtimed, writable root and a candidate of the layout.
 */
function disagreement(
  view: ClusterView,
  { record, layout, claim, blocked, watched }: Situation<Extract<Claim, { kind: "another" }>>,
  context: DecisionContext,
): RecordDecision {
  const { policy, repairAfterMs } = context.settings;
  const other = formatServer(claim.server);
  const rest = [...blocked, ...claim.findings];
  const [first, ...others] = rest;
  if ((policy === "report" || blocked.length > 0) && first !== undefined) {
    return conclude(null, first, others, watched);
  }
  const evidence = predecessorEvidence(view, canonicalServer(layout, record.master), claim.server);
  if (evidence === null) {
    const reason = `nothing shows that ${other} followed ${formatServer(record.master)}`;
    return conclude(null, { rule: "repair-no-predecessor", reason }, rest, watched);
  }
  const key = `repair ${other} generation ${String(record.generation)}`;
  const heldMs = context.heldFor(key);
  if (heldMs < repairAfterMs) {
    const reason = `${other} must be it for ${String(repairAfterMs / 1000)} s first: ${evidence}`;
    return conclude(null, { rule: "repair-waits", reason }, rest, [...watched, key]);
  }
  const event: ClusterEvent = {
    kind: "open",
    outgoing: record.master,
    successor: claim.server,
    cause: { kind: "repair", failureType: "", recoveryUid: "", command: "" },
    // Not "about now", whenever it is written: what an operator decides after this goes before it.
    beganAt: new Date(context.nowMs).toISOString(),
  };
  const reason = `${other} is the one valid master: ${evidence}`;
  return conclude(event, { rule: "repair-master", reason }, rest, [...watched, key]);
}

/**
 * How it is known that the other master came after the record's: the record's replicates from it, as a planned move
 * leaves it. (What a recovery did is replayed, not repaired.) A server that somebody has made writable beside a dead
 * master has no such evidence.
 */
function predecessorEvidence(view: ClusterView, master: Server, other: Server): string | null {
  const former = serverIn(view, master);
  if (former === undefined || !isReachable(former) || former.source === null) return null;
  return sameServer(former.source, other) ? `${formatServer(former.server)} replicates from it` : null;
}

function agreement(record: MasterRecord): Finding {
  return {
    rule: "in-agreement",
    reason: `${formatServer(record.master)} is the master by the record and by Orchestrator`,
  };
}

function conclude(
  event: ClusterEvent | null,
  first: Finding,
  rest: readonly Finding[],
  watched: readonly string[],
): RecordDecision {
  const { rule, reason } = first;
  return { event, rule, reason, findings: [{ rule, reason }, ...rest], watched };
}
