import type { OracleVerdict, Stray } from "../load/verdict.js";

/** What a takeover did to the clients' writes. */
export interface TakeoverVerdict {
  /** Executed by another server than the new master after nobody was to execute any more. */
  readonly onTheWrongMaster: readonly Stray[];
  /** Acknowledged writes that are lost, and that the old master had not executed before that moment. */
  readonly lost: readonly number[];
  /** Acknowledged by the old master before that moment, and never replicated: what asynchronous replication loses. */
  readonly lostByReplication: readonly number[];
  readonly duplicates: readonly number[];
}

/**
 * @param fencedAtMs when the fence was known to stand, before anything was promoted: milliseconds since 1970, by a clock
 *   that the servers share
 */
export function judgeTakeover(
  { strays, lost, duplicates }: Pick<OracleVerdict, "strays" | "lost" | "duplicates">,
  fencedAtMs: number,
): TakeoverVerdict {
  const before = new Set(strays.filter(({ atMs }) => atMs <= fencedAtMs).map(({ id }) => id));
  return {
    onTheWrongMaster: strays.filter(({ atMs }) => atMs > fencedAtMs),
    lost: lost.filter((id) => !before.has(id)),
    lostByReplication: lost.filter((id) => before.has(id)),
    duplicates,
  };
}
