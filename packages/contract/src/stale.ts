import type { ClusterEvent } from "./event.js";
import type { MasterRecord } from "./record.js";

/**
 * Did the recovery behind the event begin before what the record accounts for, or has it already ended?
 *
 * Later hooks of one recovery begin when it did: an equal beginning is not stale for `open`, which may come long after a
 * fence was ended by its deadline. For the others it is, unless the record itself is that recovery's: a Pre hook (or an
 * abort) that comes a second time must not fence (or reopen) what somebody has decided since.
 */
export function isStale(
  record: MasterRecord,
  event: Exclude<ClusterEvent, { kind: "bootstrap" | "set" | "readmit" }>,
): boolean {
  const sinceDecided =
    event.beganAt === null ? null : Date.parse(event.beganAt) - Date.parse(record.decidedAt);
  if (sinceDecided !== null && sinceDecided < 0) return true;
  if (event.kind === "open") return false;
  const uid = event.cause.recoveryUid;
  const sameRecovery = uid === record.cause.recoveryUid;
  if (sinceDecided === 0 && !sameRecovery) return true;
  return event.kind !== "abort" && sameRecovery && uid !== "" && record.phase === "open";
}
