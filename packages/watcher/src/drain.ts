import type { MasterRecord } from "@primacy/contract";

/**
 * How long a drain still lasts on this ProxySQL. Milliseconds; 0: it is over, and what is left is killed.
 *
 * The deadline is the writer's wall clock, which may not be ours. Its length (from `writtenAt`) is the same on every
 * clock, so a drain lasts that long from when this watcher first saw it, at most: a clock of ours that is behind
 * cannot lengthen it. A watcher that came in the middle goes by the deadline itself, whichever is earlier: a clock that
 * is ahead cuts a drain short, which costs sessions and no safety.
 *
 * @param seenForMs since this watcher first saw the record, on a monotonic clock
 * @param wallNowMs milliseconds since 1970
 */
export function drainLeftMs(
  record: Pick<MasterRecord, "phase" | "deadline" | "writtenAt">,
  seenForMs: number,
  wallNowMs: number,
): number {
  if (record.phase !== "draining" || record.deadline === null) return Number.POSITIVE_INFINITY;
  const deadlineMs = Date.parse(record.deadline);
  const lengthMs = deadlineMs - Date.parse(record.writtenAt);
  return Math.max(0, Math.min(lengthMs - seenForMs, deadlineMs - wallNowMs));
}
