import type { ClusterSnapshot, Roster } from "@primacy/consul-store";
import {
  type Layout,
  type MasterRecord,
  type Member,
  type Members,
  canonicalServer,
  formatServer,
  sameServer,
} from "@primacy/contract";
import { memberState } from "./judge.js";
import { type ProxyStatus, proxiesOf } from "./proxies.js";

/**
 * - `ok`: one master takes writes on every proxy, and its replicas replicate.
 * - `draining`, `fenced`: a change of master is under way, or has stopped half-way.
 * - `failing over`: the record is open, and proxies are still behind.
 * - `degraded`: writes work, and replicas or proxies don't all.
 * - `disagreement`: Orchestrator and the record name different things.
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

interface Known {
  readonly cluster: string;
  readonly record: MasterRecord;
  readonly layout: Layout | null;
  readonly members: Members | null;
  readonly proxies: readonly ProxyStatus[];
}

interface Verdict {
  readonly state: StatusState;
  readonly says: string;
  readonly next: string | null;
}

/** What operators are told of a cluster, from record, members and acknowledgements. Pure. */
export function clusterStatus(input: StatusInput): ClusterStatus {
  const { snapshot, roster, nowMs } = input;
  const { cluster, record, layout, members } = snapshot;
  if (record.kind !== "valid") return withoutRecord(snapshot);
  const known: Known = {
    cluster,
    record: record.value,
    layout: layout.kind === "valid" ? layout.value : null,
    members: members.kind === "valid" ? members.value : null,
    proxies: proxiesOf(record.value, roster),
  };
  return {
    cluster,
    ...verdictOf(known, nowMs),
    proxies: known.proxies,
    notes: [...documentNotes(snapshot, roster), ...agentNotes(input, known.members)],
  };
}

function withoutRecord({ cluster, record, folderEmpty }: StatusInput["snapshot"]): ClusterStatus {
  const nothing = { cluster, proxies: [], notes: [] };
  if (record.kind === "unusable") {
    return {
      ...nothing,
      state: "down",
      says: `the record can't be used (${record.problem}); proxies hold what they have`,
      next: `look at the record (consul kv get) and put the newest of its history back`,
    };
  }
  return {
    ...nothing,
    state: "down",
    says: folderEmpty ? "nothing lies under the cluster's keys" : "there is no record",
    next: `primacy-writer bootstrap ${cluster} --master host:port (or the token may not read the keys)`,
  };
}

/** The first that holds. */
function verdictOf(known: Known, nowMs: number): Verdict {
  return (
    phaseVerdict(known, nowMs) ??
    masterVerdict(known) ??
    proxyVerdict(known) ??
    replicaVerdict(known) ?? {
      state: "ok",
      says: `${formatServer(known.record.master)} takes writes${ofProxies(known)}`,
      next: null,
    }
  );
}

function phaseVerdict({ cluster, record }: Known, nowMs: number): Verdict | null {
  if (record.phase === "open") return null;
  const master = formatServer(record.master);
  const overdue = record.deadline !== null && nowMs > Date.parse(record.deadline);
  const state = record.phase;
  const what = state === "draining" ? "takes no new sessions" : "is fenced: nobody takes writes";
  if (!overdue) {
    return {
      state,
      says: `${master} ${what}, until ${record.deadline ?? "?"}`,
      next: "wait: a takeover is under way",
    };
  }
  return {
    state,
    says: `${master} ${what}, and the deadline is over since ${record.deadline ?? "?"}`,
    next:
      `find out who the master is and that only it is writable, then ` +
      `primacy-writer set ${cluster} --master host:port --generation ${String(record.generation)}`,
  };
}

function masterVerdict({ cluster, record, layout, members }: Known): Verdict | null {
  if (members === null || !judgedAgainst(members, record, layout)) return null;
  const master = formatServer(record.master);
  const seen = memberOf(members, record, layout);
  if (members.disagreement !== null && !MASTER_IS_AWAY.has(members.disagreement.rule)) {
    const { rule, reason, since } = members.disagreement;
    return {
      state: "disagreement",
      says: `${reason} (${rule}, since ${since})`,
      next: nextOfDisagreement(rule, cluster, record),
    };
  }
  if (seen !== undefined && !seen.reachable) {
    const since = seen.lastSeenAt === null ? "" : ` since ${seen.lastSeenAt}`;
    return {
      state: "down",
      says: `Orchestrator can't reach ${master}${since}, and has promoted nobody`,
      next: `look at ${master} and at Orchestrator's recoveries; it may be blocked (acknowledge the last one)`,
    };
  }
  if (seen?.readOnly === true) {
    return {
      state: "down",
      says: `${master} is read-only`,
      next: `a failed takeover leaves it so: repeat the takeover, or set ${master} writable`,
    };
  }
  return null;
}

/** The members tell these better, with the time when the master was last seen. */
const MASTER_IS_AWAY: ReadonlySet<string> = new Set(["master-unreachable", "master-read-only"]);

function nextOfDisagreement(rule: string, cluster: string, record: MasterRecord): string {
  if (rule === "former-master-writable" || rule === "second-writable-master") {
    return "set it read-only (or stop it) at once, then compare its data before it replicates again";
  }
  if (rule === "alias-unknown" || rule === "alias-elsewhere") {
    return "see to DetectClusterAliasQuery: without the alias Orchestrator's hooks do not find the cluster";
  }
  return (
    `find out who the master is; if it is the other one: ` +
    `primacy-writer set ${cluster} --master host:port --generation ${String(record.generation)}`
  );
}

function proxyVerdict({ record, proxies }: Known): Verdict | null {
  const behind = proxies.filter((one) => one.behind !== null);
  if (behind.length === 0) return null;
  const names = behind.map((one) => `${one.proxy} (${one.behind ?? ""})`).join(", ");
  return {
    state: "failing over",
    says: `${String(behind.length)} of ${String(proxies.length)} proxies are not at generation ${String(record.generation)}: ${names}`,
    next: `look at the watcher of ${behind[0]?.proxy ?? ""}: its /readyz and log say why`,
  };
}

function replicaVerdict({ record, layout, members }: Known): Verdict | null {
  if (members === null || layout === null || !judgedAgainst(members, record, layout)) return null;
  const bad = members.servers.flatMap((member): string[] => {
    if (sameServer(canonicalServer(layout, member), canonicalServer(layout, record.master))) return [];
    const state = memberState(member, false, layout);
    if (state === "replica" || state === "downtimed") return [];
    return [`${formatServer(member)} is ${state}`];
  });
  if (bad.length === 0) return null;
  return {
    state: "degraded",
    says: `${formatServer(record.master)} takes writes; ${bad.join(", ")}`,
    next: "repair replication there; until then they serve no reads",
  };
}

function ofProxies({ proxies, record }: Known): string {
  if (proxies.length === 0) return ", and no proxy follows";
  return ` on ${String(proxies.length)} ${proxies.length === 1 ? "proxy" : "proxies"} at generation ${String(record.generation)}`;
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

function judgedAgainst(members: Members, record: MasterRecord, layout: Layout | null): boolean {
  return sameServer(
    canonicalServer(layout ?? undefined, members.master),
    canonicalServer(layout ?? undefined, record.master),
  );
}

function memberOf(members: Members, record: MasterRecord, layout: Layout | null): Member | undefined {
  const name = canonicalServer(layout ?? undefined, record.master);
  return members.servers.find((one) => sameServer(canonicalServer(layout ?? undefined, one), name));
}
