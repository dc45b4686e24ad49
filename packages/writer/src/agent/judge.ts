import { type Layout, type Member, type Server, formatServer, sameServer } from "@primacy/contract";
import { type ClusterView, type SeenServer, isReachable, serverIn } from "./view.js";

/**
 * What a server is to readers:
 *
 * - `master`: the record's master, reachable.
 * - `replica`: it follows the master, within the layout's lag.
 * - `lagging`: it follows, too far behind.
 * - `broken`: it has a source and does not replicate from it, or its lag is not known.
 * - `standalone`: it replicates from nobody, and is not the master.
 * - `astray`: it replicates from a server that is not the master and does not follow it either.
 * - `downtimed`: an operator, or a recovery, has taken it out.
 * - `unreachable`: its last check failed, or is old.
 */
export const MEMBER_STATES = [
  "master",
  "replica",
  "lagging",
  "broken",
  "standalone",
  "astray",
  "downtimed",
  "unreachable",
] as const;
export type MemberState = (typeof MEMBER_STATES)[number];

/** What was seen of one server, judged against the record's master. `followsMasterSince` is added by who has memory. */
export interface Judgement {
  readonly state: MemberState;
  readonly facts: Omit<Member, "followsMasterSince">;
}

/** No chain of sources is longer; two servers that name each other would never end. */
const LONGEST_CHAIN = 16;

/** Judges one server. Pure. */
export function judge(seen: SeenServer, view: ClusterView, master: Server, layout: Layout): Judgement {
  const reachable = isReachable(seen);
  const isMaster = sameServer(seen.server, master);
  const replicating = reachable && seen.ioThread === "running" && seen.sqlThread === "running";
  const facts: Judgement["facts"] = {
    host: seen.server.host,
    port: seen.server.port,
    reachable,
    // Of a dead server Orchestrator repeats what it last saw, which for a dead master is "writable".
    readOnly: reachable ? seen.readOnly : null,
    replicating,
    ioThread: reachable ? seen.ioThread : null,
    sqlThread: reachable ? seen.sqlThread : null,
    replicatesFrom: seen.source,
    followsMaster: isMaster ? null : follows(seen, view, master),
    lagSeconds: replicating ? seen.lagSeconds : null,
    downtime: seen.downtime,
    errantGtid: seen.errantGtid,
    discovered: seen.known === undefined,
    lastSeenAt: reachable ? null : seen.lastSeenAt,
  };
  return { state: memberState(facts, isMaster, layout), facts };
}

/** The state that facts make; the same for a document that another agent wrote. Pure. */
export function memberState(facts: Judgement["facts"], isMaster: boolean, layout: Layout): MemberState {
  // The master stays the master in an operator's downtime.
  if (isMaster) return facts.reachable ? "master" : "unreachable";
  if (facts.downtime !== null) return "downtimed";
  if (!facts.reachable) return "unreachable";
  if (facts.replicatesFrom === null) return "standalone";
  if (!facts.replicating || facts.lagSeconds === null) return "broken";
  if (facts.followsMaster === false) return "astray";
  return facts.lagSeconds > layout.maxLagSeconds ? "lagging" : "replica";
}

/**
 * Does its chain of sources lead to the master, each link replicating? A replica below an intermediate master that has
 * stopped shows no lag at all. Null where a link can't be seen: not knowing is no reason to take a server out.
 */
function follows(seen: SeenServer, view: ClusterView, master: Server): boolean | null {
  const passed = new Set<string>();
  let link: SeenServer = seen;
  while (passed.size < LONGEST_CHAIN) {
    if (!isReachable(link)) return null;
    if (link.source === null) return false;
    if (link.ioThread !== "running" || link.sqlThread !== "running") return false;
    if (sameServer(link.source, master)) return true;
    passed.add(formatServer(link.server));
    if (passed.has(formatServer(link.source))) return false;
    const next = serverIn(view, link.source);
    if (next === undefined) return null;
    link = next;
  }
  return false;
}
