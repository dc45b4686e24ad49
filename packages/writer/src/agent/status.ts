import type { ClusterSnapshot, Roster } from "@primacy/consul-store";
import { type Member, type Members, formatServer } from "@primacy/contract";
import { masterWarnings } from "../commit.js";
import { type ProxyStatus, proxiesOf } from "./proxies.js";
import { type KnownCluster, verdictOf } from "./status-verdict.js";

/**
 * - `ok`: one master takes writes on every proxy, and its replicas replicate.
 * - `draining`, `fenced`: a change of master is under way, or has stopped half-way.
 * - `failing over`: the record is open, and proxies are still behind.
 * - `degraded`: writes work, and replicas or watchers don't all.
 * - `disagreement`: Orchestrator and the record name different things, or proxies refuse the record.
 * - `down`: nobody takes writes, or nobody can say who does.
 */
export const STATUS_STATES = [
  "ok",
  "draining",
  "fenced",
  "failing over",
  "degraded",
  "disagreement",
  "down",
] as const;
export type StatusState = (typeof STATUS_STATES)[number];

export interface ClusterStatus {
  readonly cluster: string;
  readonly state: StatusState;
  /** One sentence. */
  readonly says: string;
  /** What a person would do next; null where there is nothing to do. */
  readonly next: string | null;
  readonly proxies: readonly ProxyStatus[];
  /** What else to look at, a sentence each. */
  readonly notes: readonly string[];
}

export interface StatusInput {
  readonly snapshot: Pick<ClusterSnapshot, "cluster" | "record" | "layout" | "members" | "folderEmpty">;
  /** Null where the acknowledgements could not be read. */
  readonly roster: Pick<Roster, "acknowledgements"> | null;
  /** Is an agent leading, as far as its heartbeat tells? Null: unknown. */
  readonly agentLeads: boolean | null;
  readonly nowMs: number;
}

/** What operators are told of a cluster, from record, members and acknowledgements. Pure. */
export function clusterStatus(input: StatusInput): ClusterStatus {
  const { snapshot, roster, nowMs } = input;
  const { cluster, record, layout, members } = snapshot;
  if (record.kind !== "valid") return withoutRecord(snapshot);
  const known: KnownCluster = {
    cluster,
    record: record.value,
    layout: layout.kind === "valid" ? layout.value : null,
    members: members.kind === "valid" ? members.value : null,
    proxies: proxiesOf(record.value, roster),
    acknowledgements: roster?.acknowledgements ?? null,
  };
  return {
    cluster,
    ...verdictOf(known, nowMs),
    proxies: known.proxies,
    notes: [...documentNotes(snapshot, roster), ...serverNotes(known), ...agentNotes(input, known.members)],
  };
}

function withoutRecord({ cluster, record, folderEmpty }: StatusInput["snapshot"]): ClusterStatus {
  const nothing = { cluster, proxies: [], notes: [] };
  if (record.kind === "unusable") {
    return {
      ...nothing,
      state: "down",
      says: `the record can't be used (${record.problem}); proxies hold what they have`,
      next: `look at the record (consul kv get) and put the newest of its history back (README.md, "Consul was restored or wiped")`,
    };
  }
  return {
    ...nothing,
    state: "down",
    says: folderEmpty ? "nothing lies under the cluster's keys" : "there is no record",
    next: `primacy-writer bootstrap ${cluster} --master host:port (or the token may not read the keys)`,
  };
}

function documentNotes(snapshot: StatusInput["snapshot"], roster: StatusInput["roster"]): readonly string[] {
  const { layout, members } = snapshot;
  return [
    ...(layout.kind === "absent" ? ["there is no layout: no proxy can follow"] : []),
    ...(layout.kind === "unusable" ? [`the layout can't be used: ${layout.problem}`] : []),
    ...(members.kind === "unusable" ? [`the members document can't be used: ${members.problem}`] : []),
    ...(roster === null ? ["the acknowledgements could not be read: which proxies follow is not known"] : []),
  ];
}

function agentNotes({ agentLeads, snapshot }: StatusInput, members: Members | null): readonly string[] {
  const notes: string[] = [];
  if (agentLeads === false) notes.push("no agent leads: lost hooks and broken replicas are not noticed");
  if (snapshot.members.kind === "absent")
    notes.push("no agent has judged the replicas yet: all of them read");
  if (members !== null && members.held !== null) {
    notes.push(`replicas are as they were at ${members.held.since}: ${members.held.reason}`);
  }
  return notes;
}

/** A master that proxies were never told of has no weight and no limits of its own, and a typing error looks like one. */
function serverNotes({ record, layout, members }: KnownCluster): readonly string[] {
  const downtimed = (members?.servers ?? []).filter((member: Member) => member.downtime !== null);
  return [
    ...(layout === null ? [] : masterWarnings(record, layout)),
    ...downtimed.map((member) => `${formatServer(member)} is downtimed in Orchestrator: it serves no reads`),
  ];
}
