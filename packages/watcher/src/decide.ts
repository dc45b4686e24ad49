import type { ClusterSnapshot } from "@primacy/consul-store";
import { type Layout, type MasterRecord, type Members, canonicalServer } from "@primacy/contract";
import { type Mark, type RefusalReason, admit } from "./admission.js";
import { type Wanted, desired } from "./desired.js";
import type { Lease } from "./lease.js";
import { type Conflict, type OwnershipFacts, conflicts, settingWarnings } from "./ownership.js";
import { type Layers, type Plan, plan } from "./plan.js";
import { type ConnectionsInUse, restraint } from "./restraint.js";
import { rowWarnings } from "./warnings.js";

/** The documents of a cluster, once they can be relied on. */
export interface Documents {
  readonly record: MasterRecord;
  /** Hash of the record's stored text. */
  readonly hash: string;
  readonly layout: Layout;
  readonly members: Members | null;
  /** Why `members` is not what lies in Consul now, where it could not be read. */
  readonly membersProblem: string | null;
}

export type Reading =
  | { readonly kind: "usable"; readonly documents: Documents }
  | { readonly kind: "hold"; readonly reason: string };

/**
 * Absent, unreadable and unusable all mean "hold what you have". For `members` that is the last document that could be
 * read: without it a former master that serves reads again would be taken out. `hashOf` hashes a stored text.
 */
export function readSnapshot(
  snapshot: Pick<ClusterSnapshot, "record" | "layout" | "members" | "folderEmpty">,
  cluster: string,
  hashOf: (text: string) => string,
  lastMembers: Members | null,
): Reading {
  const { record, layout, members } = snapshot;
  if (record.kind !== "valid") return hold(record, "record", snapshot.folderEmpty);
  if (layout.kind !== "valid") return hold(layout, "layout", false);
  if (record.value.cluster.toLowerCase() !== cluster || layout.value.cluster.toLowerCase() !== cluster) {
    return { kind: "hold", reason: `the documents under this key are of cluster "${record.value.cluster}"` };
  }
  return {
    kind: "usable",
    documents: {
      record: record.value,
      hash: hashOf(record.text),
      layout: layout.value,
      members: members.kind === "valid" ? members.value : lastMembers,
      membersProblem: membersProblem(members, lastMembers),
    },
  };
}

function membersProblem(members: ClusterSnapshot["members"], last: Members | null): string | null {
  if (members.kind === "unusable") return `${members.problem}; going on with the last one that could be read`;
  return members.kind === "absent" && last !== null
    ? "the members document is gone; going on with the last one"
    : null;
}

function hold(
  document: { kind: "absent" } | { kind: "unusable"; problem: string },
  what: string,
  empty: boolean,
): Reading {
  if (document.kind === "unusable") return { kind: "hold", reason: document.problem };
  return {
    kind: "hold",
    reason: empty
      ? "nothing lies under the cluster's keys: not bootstrapped, Consul wiped, or a token that may not read them"
      : `there is no ${what}`,
  };
}

/** What was read from a ProxySQL for one decision. `ownership` is null in the passes between two full comparisons. */
export interface ProxyFacts {
  readonly layers: Layers;
  readonly ownership: OwnershipFacts | null;
  /** The stamp on the ProxySQL; undefined where it was not read. */
  readonly stamp: Mark | null | undefined;
  /** Connections in use on servers of the writer hostgroup that are not ONLINE. */
  readonly inUse: readonly ConnectionsInUse[];
}

/** What holds at the moment of a decision. */
export interface Moment {
  readonly whenOwned: "refuse" | "warn";
  readonly lease: Lease;
  /** When the lease ends by ProxySQL's own clock, unix seconds; of no account without one. */
  readonly leaseEndsAtSeconds: number;
  /** Is the drain of this record over, on our clock? */
  readonly drainIsOver: boolean;
  /** Has another record been seen than the one that is being decided on? Its lease, if there is one, is not this one's. */
  readonly superseded: boolean;
  /** How often the end of a lease has fenced this ProxySQL: another number, and what was read before is no longer so. */
  readonly fences: number;
}

/** What is to be done with one cluster on one ProxySQL, and why. */
export type PassDecision =
  | { readonly kind: "refuse"; readonly refusal: RefusalReason; readonly reason: string }
  | { readonly kind: "conflict"; readonly conflicts: readonly Conflict[] }
  | {
      readonly kind: "apply";
      readonly wanted: Wanted;
      readonly plan: Plan;
      /** Is the generation one that this ProxySQL has not had yet? Otherwise differences are drift. */
      readonly isNew: boolean;
      /** Why an open master takes no writes here; null where the record is followed. */
      readonly withheld: string | null;
      readonly warnings: readonly string[];
    };

/** `marks`: what the watcher's file says, and the stamp as last read. Pure. */
export function decide(
  documents: Documents,
  facts: ProxyFacts,
  marks: readonly Mark[],
  now: Moment,
): PassDecision {
  const { record, layout, hash } = documents;
  const admission = admit(record, hash, marks);
  if (admission.kind === "refused") {
    return { kind: "refuse", refusal: admission.refusal, reason: admission.reason };
  }
  const owners = facts.ownership === null ? [] : conflicts(facts.ownership, layout.hostgroups);
  if (owners.length > 0 && now.whenOwned === "refuse") return { kind: "conflict", conflicts: owners };
  const { wanted, withheld } = wantedNow(documents, facts, now);
  const stampDiffers =
    facts.stamp === undefined
      ? admission.isNew
      : facts.stamp === null || facts.stamp.generation < record.generation;
  return {
    kind: "apply",
    wanted,
    plan: plan(wanted, facts.layers, stampDiffers),
    isNew: admission.isNew,
    withheld,
    warnings: [
      ...owners.map((one) => one.reason),
      ...(facts.ownership === null ? [] : settingWarnings(facts.ownership, layout)),
      ...rowWarnings(record, layout, facts.layers.memory),
      ...(wanted.readerShortage === null ? [] : [wanted.readerShortage]),
      ...(documents.membersProblem === null ? [] : [documents.membersProblem]),
    ],
  };
}

/** What the documents ask for, and of it what this ProxySQL may show now. */
function wantedNow(
  { record, layout, members }: Documents,
  facts: ProxyFacts,
  now: Moment,
): { readonly wanted: Wanted; readonly withheld: string | null } {
  const master = canonicalServer(layout, record.master);
  const { withheld, phase, ...kills } = restraint(record, master, { ...now, inUse: facts.inUse });
  const lease = layout.onConsulLoss === "keep" ? null : { openUntilSeconds: now.leaseEndsAtSeconds };
  const writer = layout.hostgroups.writer;
  const fastForward = facts.ownership?.fastForwardUsers.some((one) => one.hostgroup === writer) ?? true;
  return {
    wanted: { ...desired({ ...record, phase }, layout, members), lease, ...kills, fastForward },
    withheld,
  };
}
