import {
  type Layout,
  type LayoutServer,
  type Server,
  canonicalServer,
  formatServer,
  layoutServer,
  sameServer,
} from "@primacy/contract";
import type { Instance } from "./orchestrator/instance.js";
import type { Recovery } from "./orchestrator/recovery.js";

/** A server of a view, under the names by which the layout knows it and its source. */
export interface SeenServer extends Omit<Instance, "name"> {
  readonly server: Server;
  /** What the layout says of it; undefined for a server that it doesn't name. */
  readonly known: LayoutServer | undefined;
  /** Was it in Orchestrator's list of the cluster, or had it to be asked for by name? */
  readonly listed: boolean;
}

/** Everything that Orchestrator's leader said of one cluster in one pass. */
export interface ClusterView {
  readonly servers: readonly SeenServer[];
  /** Servers of the layout of which Orchestrator knows nothing. */
  readonly missing: readonly Server[];
  /** Oldest first. */
  readonly recoveries: readonly Recovery[];
  /** Does Orchestrator know the cluster by its alias? */
  readonly aliasKnown: boolean;
}

export interface Answers {
  /** The list of the cluster; null where Orchestrator knows no such alias. */
  readonly listed: readonly Instance[] | null;
  /** Servers of the layout that the list lacked and that were asked for one by one. */
  readonly askedFor: readonly Instance[];
  readonly recoveries: readonly Recovery[];
}

/**
 * One view of the answers. The list alone is not enough: a former master that came back, and any server that
 * replicates from nobody, is a cluster of its own to Orchestrator and is missing there, and an alias that moved leads
 * to somebody else's list (openark/orchestrator#517, #424). Pure.
 */
export function clusterView(answers: Answers, layout: Layout): ClusterView {
  const servers = new Map<string, SeenServer>();
  const add = (instance: Instance, listed: boolean): void => {
    const { name, ...facts } = instance;
    const server = canonicalServer(layout, name);
    const seen: SeenServer = {
      ...facts,
      server,
      source: facts.source === null ? null : canonicalServer(layout, facts.source),
      known: layoutServer(layout, name),
      listed,
    };
    const key = formatServer(server);
    const other = servers.get(key);
    if (other === undefined || freshness(seen) > freshness(other)) servers.set(key, seen);
  };
  for (const instance of answers.listed ?? []) add(instance, true);
  for (const instance of answers.askedFor) add(instance, false);
  return {
    servers: [...servers.values()],
    missing: layout.servers
      .filter((one) => !servers.has(formatServer(one)))
      .map(({ host, port }) => ({ host, port })),
    recoveries: answers.recoveries
      .filter((one) => one.beganAt !== null)
      .sort((a, b) => Date.parse(a.beganAt ?? "") - Date.parse(b.beganAt ?? "")),
    aliasKnown: answers.listed !== null,
  };
}

/** Orchestrator may know one server by two names, of which one has gone stale. */
function freshness(seen: SeenServer): number {
  return (seen.checkValid ? 2 : 0) + (seen.recentlyChecked ? 1 : 0);
}

export function serverIn(view: ClusterView, server: Server): SeenServer | undefined {
  return view.servers.find((one) => sameServer(one.server, server));
}

/** Only what was checked validly and recently is a fact of now. */
export function isReachable(seen: SeenServer): boolean {
  return seen.checkValid && seen.recentlyChecked;
}

/** Why a view is not to be judged by at all. */
export interface ViewObjection {
  readonly rule: "nothing-known" | "nothing-checked" | "nobody-reachable";
  readonly reason: string;
}

/**
 * Is the view one of the servers, or does it tell more of Orchestrator itself? A mass misreading must change nothing.
 * Pure.
 */
export function viewObjection(view: ClusterView): ViewObjection | null {
  const known = view.servers.filter((one) => one.known !== undefined);
  if (known.length === 0) {
    return { rule: "nothing-known", reason: "Orchestrator knows none of the layout's servers" };
  }
  if (!known.some((one) => one.recentlyChecked)) {
    return {
      rule: "nothing-checked",
      reason: "Orchestrator has checked none of the servers lately: it has just started, or it hangs",
    };
  }
  if (!known.some(isReachable)) {
    return {
      rule: "nobody-reachable",
      reason: "Orchestrator reaches none of the servers: it may itself be what is cut off",
    };
  }
  return null;
}
