import type { Document, MasterRecord } from "@primacy/contract";
import type { ClusterSnapshot, SnapshotSource } from "./types.js";

/** What was delivered last. */
export interface Delivered {
  readonly snapshot: ClusterSnapshot;
  /** The last valid record that was delivered, also where something else has been delivered since. */
  readonly record: { readonly value: MasterRecord; readonly text: string } | null;
  /** When it was received, on the monotonic clock. */
  readonly receivedAtMs: number;
}

/**
 * What becomes of a snapshot.
 *
 * - `deliver`: it is new.
 * - `went-back`: it is new, and a consistent read that began after the last delivery shows another history, or none.
 * - `identical`: nothing in it has changed.
 * - `verify`: it looks older and came by the wake-up path, which can show the past: read with `consistent`.
 * - `outdated`: it looks older and was asked for before the last delivery: it says nothing about now. Read again.
 */
export type Judgement = "deliver" | "went-back" | "identical" | "verify" | "outdated";

/** Pure: the rule by which nothing goes backwards without a consistent read that says so. */
export function judge(last: Delivered | null, next: ClusterSnapshot, source: SnapshotSource): Judgement {
  const wakeUp = source === "wake-up";
  // An empty folder could be a denied one, and only the truth path tells them apart.
  if (last === null) return wakeUp && next.folderEmpty ? "verify" : "deliver";
  if (sameContents(last.snapshot, next, source)) return "identical";
  const otherHistory = last.record !== null && !continues(last.record, next.record);
  if (!otherHistory && !anyIndexLower(last.snapshot, next)) return "deliver";
  if (wakeUp) return "verify";
  if (next.sentAtMs < last.receivedAtMs) return "outdated";
  return otherHistory ? "went-back" : "deliver";
}

export function delivered(
  last: Delivered | null,
  snapshot: ClusterSnapshot,
  receivedAtMs: number,
): Delivered {
  const { record } = snapshot;
  return { snapshot, record: record.kind === "valid" ? record : (last?.record ?? null), receivedAtMs };
}

/** Garbage in the master key is news, and no other history: whoever reads it holds. */
function continues(
  before: { readonly value: MasterRecord; readonly text: string },
  next: Document<MasterRecord>,
): boolean {
  if (next.kind === "absent") return false;
  if (next.kind === "unusable") return true;
  if (next.value.incarnation !== before.value.incarnation) return false;
  return next.value.generation > before.value.generation || next.text === before.text;
}

function anyIndexLower(before: ClusterSnapshot, next: ClusterSnapshot): boolean {
  return (
    next.recordIndex < before.recordIndex ||
    next.layoutIndex < before.layoutIndex ||
    next.membersIndex < before.membersIndex
  );
}

/** Indexes alone would not do: they start again after a wipe. */
function sameContents(a: ClusterSnapshot, b: ClusterSnapshot, source: SnapshotSource): boolean {
  return (
    a.recordText === b.recordText &&
    (["record", "layout", "members"] as const).every((name) => {
      const index = a[`${name}Index`];
      if (index !== b[`${name}Index`]) return false;
      // The wake-up path sees nothing where the truth path was told that it is denied.
      return (index === 0 && source === "wake-up") || sameDocument(a[name], b[name]);
    })
  );
}

function sameDocument(a: Document<unknown>, b: Document<unknown>): boolean {
  if (a.kind === "valid") return b.kind === "valid" && a.text === b.text;
  if (a.kind === "unusable") return b.kind === "unusable" && a.problem === b.problem;
  return a.kind === b.kind;
}
