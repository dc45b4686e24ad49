import { filtersMatchServer } from "./filters.js";
import { compareCoordinates, type Instance, type InstanceKey, sameKey } from "./instance.js";

/** Which replica follows its master, and what becomes of the others. */
export interface CandidateChoice {
  /** Null where there is none that may be promoted. */
  candidate: Instance | null;
  /** Not ahead of the candidate: moved below it. */
  toMove: Instance[];
  /** Ahead of the candidate, or unable to replicate from it. */
  lost: Instance[];
  /** Why there is none that can have replicas of its own; null where there is one. */
  problem: string | null;
}

/**
 * Picks the replica to promote among the replicas of one master: the one that has applied most of that master's log (3.2.6,
 * go/inst/instance_topology.go chooseCandidateReplica, which compares positions in the master's log under GTID too).
 * Replicas that have applied the same are taken in the order given; Orchestrator's own order is then by chance.
 *
 * @param replicas those whose last check is valid count as promotable when they keep a log of what they replicate
 * @param ignoreFilters PromotionIgnoreHostnameFilters
 */
export function chooseCandidate(
  replicas: readonly Instance[],
  ignoreFilters: readonly string[],
): CandidateChoice {
  if (replicas.length === 0) return { candidate: null, toMove: [], lost: [], problem: "No replicas found" };
  const sorted = [...replicas].sort(mostAdvancedFirst);
  const allowed = sorted.filter(({ Key }) => !filtersMatchServer(ignoreFilters, Key));
  const candidate = allowed.find((one) => one.LogBinEnabled && one.LogReplicationUpdatesEnabled);
  if (candidate === undefined) {
    const single = allowed[0] ?? null;
    const problem = "chooseCandidateReplica: no candidate replica found";
    return { candidate: single, toMove: [], lost: sorted.filter((one) => one !== single), problem };
  }
  const others = sorted.filter((one) => one !== candidate);
  const behind = (one: Instance) =>
    compareCoordinates(one.ExecBinlogCoordinates, candidate.ExecBinlogCoordinates) <= 0;
  return {
    candidate,
    toMove: others.filter(behind),
    lost: others.filter((one) => !behind(one)),
    problem: null,
  };
}

/**
 * The choice once the designated replica has taken the place of the one that was picked, which then follows it like the
 * others (3.2.6, go/logic/topology_recovery.go replacePromotedReplicaWithCandidate). One that is ahead stays in its place.
 */
export function preferDesignated(choice: CandidateChoice, designated: InstanceKey | null): CandidateChoice {
  const { candidate, toMove } = choice;
  const isDesignated = ({ Key }: Instance) => designated !== null && sameKey(Key, designated);
  const preferred = toMove.find(isDesignated);
  if (candidate === null || preferred === undefined) return choice;
  return {
    ...choice,
    candidate: preferred,
    toMove: [candidate, ...toMove.filter((one) => one !== preferred)],
  };
}

function mostAdvancedFirst(a: Instance, b: Instance): number {
  return (
    compareCoordinates(b.ExecBinlogCoordinates, a.ExecBinlogCoordinates) ||
    Number(b.LogReplicationUpdatesEnabled) - Number(a.LogReplicationUpdatesEnabled)
  );
}
