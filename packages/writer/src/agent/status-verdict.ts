import type { AcknowledgementEntry } from "@primacy/consul-store";
import {
  type Layout,
  type MasterRecord,
  type Member,
  type Members,
  canonicalServer,
  formatServer,
  layoutServer,
  sameServer,
} from "@primacy/contract";
import { memberState } from "./judge.js";
import { LOST_IN_RECOVERY } from "./orchestrator/instance.js";
import type { ProxyStatus } from "./proxies.js";
import type { StatusState } from "./status.js";

/** A cluster that has a record. */
export interface KnownCluster {
  readonly cluster: string;
  readonly record: MasterRecord;
  readonly layout: Layout | null;
  readonly members: Members | null;
  /** Those whose watcher lives. */
  readonly proxies: readonly ProxyStatus[];
  /** Null where they could not be read. */
  readonly acknowledgements: readonly Pick<AcknowledgementEntry, "sessionId" | "document">[] | null;
}

export interface Verdict {
  readonly state: StatusState;
  readonly says: string;
  readonly next: string | null;
}

/** The first that holds: what keeps every other remedy from working stands first. Pure. */
export function verdictOf(known: KnownCluster, nowMs: number): Verdict {
  return (
    refusedVerdict(known) ??
    phaseVerdict(known, nowMs) ??
    masterVerdict(known) ??
    proxyVerdict(known) ??
    watcherVerdict(known) ??
    replicaVerdict(known) ?? {
      state: "ok",
      says: `${formatServer(known.record.master)} takes writes${ofProxies(known)}`,
      next: null,
    }
  );
}

function phaseVerdict({ cluster, record }: KnownCluster, nowMs: number): Verdict | null {
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
      `primacy-writer resolve ${cluster}; where it can't tell, find out who the master is and that only it is writable, ` +
      `then ${setCommand(cluster, record)}`,
  };
}

function masterVerdict({ cluster, record, layout, members }: KnownCluster): Verdict | null {
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
      next: `a failed takeover leaves it so: see that nothing else was promoted, then repeat it or set ${master} writable`,
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
  return `find out who the master is; if it is the other one: ${setCommand(cluster, record)}`;
}

function setCommand(cluster: string, { generation }: MasterRecord): string {
  return `primacy-writer set ${cluster} --master host:port --generation ${String(generation)}`;
}

/**
 * Proxies that have had a higher generation, or another history: Consul was restored, wiped or edited. What the record
 * says of the master is then old, and advice that follows from it would be wrong.
 */
function refusedVerdict({ cluster, record, acknowledgements, proxies }: KnownCluster): Verdict | null {
  const refusing = (acknowledgements ?? []).flatMap(({ sessionId, document }) =>
    sessionId !== null && document.kind === "valid" && document.value.state === "refused"
      ? [document.value]
      : [],
  );
  if (refusing.length === 0) return null;
  const anew = refusing.some(({ reason }) => reason?.startsWith("other-incarnation") === true);
  const highest = Math.max(...refusing.map(({ appliedGeneration }) => appliedGeneration));
  const names = refusing.map(({ proxy, reason }) => `${proxy} (${reason ?? ""})`).join(", ");
  return {
    state: "disagreement",
    says: `${String(refusing.length)} of ${String(proxies.length)} proxies refuse generation ${String(record.generation)}: ${names}`,
    next:
      (anew
        ? `on each ProxySQL: primacy-watcher accept --cluster ${cluster} --generation ${String(record.generation)}, then reload its watcher`
        : `find out who the master is, then ${setCommand(cluster, record)}, until the generation is above ${String(highest)}`) +
      ` (README.md, "Consul was restored or wiped")`,
  };
}

function proxyVerdict({ record, proxies }: KnownCluster): Verdict | null {
  const behind = proxies.filter((one) => one.behind !== null);
  if (behind.length === 0) return null;
  const names = behind.map((one) => `${one.proxy} (${one.behind ?? ""})`).join(", ");
  return {
    state: "failing over",
    says: `${String(behind.length)} of ${String(proxies.length)} proxies are not at generation ${String(record.generation)}: ${names}`,
    next: `look at the watcher of ${behind[0]?.proxy ?? ""}: its /readyz and log say why`,
  };
}

function replicaVerdict({ record, layout, members }: KnownCluster): Verdict | null {
  if (members === null || layout === null || !judgedAgainst(members, record, layout)) return null;
  const bad = members.servers.flatMap((member): string[] => {
    if (sameServer(canonicalServer(layout, member), canonicalServer(layout, record.master))) return [];
    const state = memberState(member, false, layout);
    // What a recovery has lost nobody wanted out, as an operator's downtime is wanted.
    if (member.downtime?.reason === LOST_IN_RECOVERY)
      return [`${formatServer(member)} is ${LOST_IN_RECOVERY}`];
    if (state === "replica" || state === "downtimed") return [];
    // Such as one that is kept behind on purpose (MASTER_DELAY).
    if (state === "lagging" && layoutServer(layout, member)?.reads === false) return [];
    return [`${formatServer(member)} is ${state}`];
  });
  if (bad.length === 0) return null;
  return {
    state: "degraded",
    says: `${formatServer(record.master)} takes writes; ${bad.join(", ")}`,
    next: "see why (SHOW REPLICA STATUS there); until it is mended they serve no reads",
  };
}

/** Whoever has no live watcher is in no roster: one proxy of many can't be missed here, all of them can. */
function watcherVerdict({ record, layout, proxies, acknowledgements }: KnownCluster): Verdict | null {
  if (acknowledgements === null || proxies.length > 0) return null;
  const next =
    "start primacy-watcher beside each ProxySQL; where it runs, its log says why it acknowledges nothing";
  return layout?.onConsulLoss === "lease"
    ? { state: "down", says: "no live watcher: under the lease no proxy takes writes", next }
    : {
        state: "degraded",
        says: `${formatServer(record.master)} is the master, and no live watcher follows: proxies keep what they have`,
        next,
      };
}

function ofProxies({ proxies, record }: KnownCluster): string {
  if (proxies.length === 0) return "";
  return ` on ${String(proxies.length)} ${proxies.length === 1 ? "proxy" : "proxies"} at generation ${String(record.generation)}`;
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
