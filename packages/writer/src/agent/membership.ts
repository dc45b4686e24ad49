import {
  type Layout,
  type MasterRecord,
  type Server,
  canonicalServer,
  includesServer,
  layoutServer,
  sameServer,
} from "@primacy/contract";
import { type Judgement, judge } from "./judge.js";
import { type Belief, type SteadySettings, UNKNOWN, believe } from "./steady.js";
import { type ClusterView, type SeenServer, isReachable, serverIn } from "./view.js";

export interface MembershipSettings extends SteadySettings {
  /** How long a server that the layout doesn't name must have been there before it joins, or away before it leaves. */
  readonly settleMs: number;
}

/** What the agent keeps in mind of one server. Times are milliseconds on the clock of {@link ObserveContext}. */
export interface Tracked {
  readonly server: Server;
  readonly belief: Belief;
  /** The facts of when it last looked as it is believed to be; null before anything is believed. */
  readonly facts: Judgement["facts"] | null;
  readonly followsSinceMs: number | null;
  /** Only of servers that the layout doesn't name: since when it has been there, or away. */
  readonly thereSinceMs: number | null;
  readonly awaySinceMs: number | null;
  readonly joined: boolean;
}

/** The servers of a cluster as they are believed to be, judged against one master. */
export interface Membership {
  readonly master: Server;
  readonly servers: readonly Tracked[];
  readonly removed: readonly Server[];
}

export interface ObserveContext {
  readonly record: MasterRecord;
  readonly layout: Layout;
  /** On a clock that nobody sets: with one that was set back, a broken replica would look so for no time at all. */
  readonly nowMs: number;
  readonly settings: MembershipSettings;
}

const MOST_DISCOVERED = 256;

/** Where there is no members document yet. */
export function newMembership(master: Server): Membership {
  return { master, servers: [], removed: [] };
}

/** What is believed after one more look. Servers that were not seen stay as they were. Pure. */
export function observe(before: Membership, view: ClusterView, context: ObserveContext): Membership {
  const { layout, record } = context;
  const master = canonicalServer(layout, record.master);
  const known = sameServer(before.master, master) ? before.servers : before.servers.map(forNewMaster);
  const masterSeen = serverIn(view, master);
  const masterIsThere = masterSeen !== undefined && isReachable(masterSeen);
  const strangers = view.servers.filter((seen) => seen.known === undefined).slice(0, MOST_DISCOVERED);
  const names = [
    ...layout.servers,
    ...known.filter((one) => one.joined || one.thereSinceMs !== null).map((one) => one.server),
    ...strangers.map((seen) => seen.server),
  ].filter((one, index, all) => all.findIndex((other) => sameServer(one, other)) === index);
  const servers = names.map(({ host, port }): Tracked => {
    const server = { host, port };
    const tracked = known.find((one) => sameServer(one.server, server)) ?? newlyTracked(server);
    const seen = view.servers.find((one) => sameServer(one.server, server));
    const looked =
      seen === undefined ? tracked : look(tracked, seen, view, { ...context, master, masterIsThere });
    return layoutServer(layout, server) === undefined
      ? settle(looked, seen, view, context)
      : { ...looked, joined: false };
  });
  const left = servers.filter(
    (one) => known.some((old) => old.joined && sameServer(old.server, one.server)) && !one.joined,
  );
  return {
    master,
    servers: servers.filter(isWorthKeeping(layout)),
    removed: removedAfter(before.removed, left, servers, layout),
  };
}

function newlyTracked(server: Server): Tracked {
  return {
    server,
    belief: UNKNOWN,
    facts: null,
    followsSinceMs: null,
    thereSinceMs: null,
    awaySinceMs: null,
    joined: false,
  };
}

/** Following was judged against another master, and so was a doubt; the rest is as true as it was. */
function forNewMaster(tracked: Tracked): Tracked {
  const facts = tracked.facts === null ? null : { ...tracked.facts, followsMaster: null };
  return { ...tracked, belief: { ...tracked.belief, doubt: null }, facts, followsSinceMs: null };
}

interface LookContext extends ObserveContext {
  readonly master: Server;
  /** Is the master in reach? */
  readonly masterIsThere: boolean;
}

function look(tracked: Tracked, seen: SeenServer, view: ClusterView, context: LookContext): Tracked {
  const { state, facts } = judge(seen, view, context.master, context.layout);
  const belief = believe(tracked.belief, state, context.nowMs, patienceWith(facts, context));
  const asBelieved = belief.state === state;
  return {
    ...tracked,
    belief,
    facts: asBelieved ? facts : tracked.facts,
    followsSinceMs: followsSince(tracked, facts, asBelieved, context),
  };
}

/**
 * Nobody can replicate from a master that is away: taken at their word, all its replicas would be out together, and the
 * reads would go to the dead master. Whoever is in reach has longer: it is no further behind than the time since.
 */
function patienceWith(facts: Judgement["facts"], context: LookContext): SteadySettings {
  const { settings, layout, masterIsThere } = context;
  if (masterIsThere || !facts.reachable) return settings;
  return { ...settings, worseAfterMs: Math.max(settings.worseAfterMs, layout.maxLagSeconds * 1000) };
}

/**
 * Since when it has followed. A doubt that comes to nothing is no break, for a failed check would start the
 * quarantine of a server anew that has long been reading; being seen writable is one at once. While the master is away
 * no quarantine comes to its end.
 */
function followsSince(
  { followsSinceMs }: Tracked,
  facts: Judgement["facts"],
  asBelieved: boolean,
  { layout, nowMs, masterIsThere }: LookContext,
): number | null {
  if (facts.reachable && facts.readOnly === false) return null;
  const follows = facts.replicating && facts.readOnly === true && facts.followsMaster === true;
  if (follows) return followsSinceMs ?? nowMs;
  if (asBelieved || followsSinceMs === null) return null;
  const isOver = nowMs - followsSinceMs >= layout.quarantineSeconds * 1000;
  return masterIsThere || isOver ? followsSinceMs : null;
}

/** Servers that the layout doesn't name join and leave after a settling time, and only where it wants that. */
function settle(
  tracked: Tracked,
  seen: SeenServer | undefined,
  view: ClusterView,
  { layout, record, nowMs, settings }: ObserveContext,
): Tracked {
  const nothingCounted = { ...tracked, thereSinceMs: null, awaySinceMs: null };
  if (!layout.discover) return { ...nothingCounted, joined: false };
  // Nobody is missing from a list that is not there, is empty, or is another cluster's, to which the alias has moved.
  if (serverIn(view, canonicalServer(layout, record.master))?.listed !== true) return nothingCounted;
  if (seen?.listed !== true) {
    const awaySinceMs = tracked.awaySinceMs ?? nowMs;
    const joined = tracked.joined && nowMs - awaySinceMs < settings.settleMs;
    return { ...tracked, joined, thereSinceMs: null, awaySinceMs };
  }
  const belongs = tracked.joined || tracked.facts?.followsMaster === true;
  const thereSinceMs = belongs ? (tracked.thereSinceMs ?? nowMs) : null;
  const joined = tracked.joined || (thereSinceMs !== null && nowMs - thereSinceMs >= settings.settleMs);
  return { ...tracked, joined, thereSinceMs, awaySinceMs: null };
}

function isWorthKeeping(layout: Layout): (tracked: Tracked) => boolean {
  return (one) =>
    layoutServer(layout, one.server) !== undefined ||
    one.joined ||
    (layout.discover && one.awaySinceMs === null);
}

function removedAfter(
  before: readonly Server[],
  left: readonly Tracked[],
  servers: readonly Tracked[],
  layout: Layout,
): readonly Server[] {
  const joined = servers.filter((one) => one.joined).map((one) => one.server);
  return [...before, ...left.map((one) => one.server)]
    .filter((one) => layoutServer(layout, one) === undefined && !includesServer(joined, one))
    .filter((one, index, all) => all.findIndex((other) => sameServer(one, other)) === index)
    .slice(-MOST_DISCOVERED);
}

/** Of each server, what it is believed to be: for metrics. */
export function beliefs(
  membership: Membership,
): readonly { readonly server: Server; readonly state: Belief["state"] }[] {
  return membership.servers.map(({ server, belief }) => ({ server, state: belief.state }));
}
