import type { MasterRecord } from "@primacy/contract";

/** The highest record that a ProxySQL has had, as it is kept in the watcher's file and stamped on the ProxySQL. */
export interface Mark {
  readonly generation: number;
  readonly incarnation: string;
  /** Hash of the record's text: tells "the same again" from "the same number with other contents". */
  readonly hash: string;
}

export type RefusalReason = "lower-generation" | "same-generation-other-contents" | "other-incarnation";

export type Admission =
  | { readonly kind: "admitted"; readonly isNew: boolean }
  | { readonly kind: "refused"; readonly refusal: RefusalReason; readonly reason: string };

/**
 * May this record be applied to a ProxySQL that has had these? A lower generation, the same with other contents, or
 * another incarnation never may: going back needs an operator's word (`primacy-watcher accept`). Pure.
 */
export function admit(record: MasterRecord, hash: string, marks: readonly Mark[]): Admission {
  for (const mark of marks) {
    const refusal = refusalOf(record, hash, mark);
    if (refusal !== null) return refusal;
  }
  return { kind: "admitted", isNew: marks.every((mark) => mark.generation < record.generation) };
}

function refusalOf(record: MasterRecord, hash: string, mark: Mark): Admission | null {
  if (record.incarnation !== mark.incarnation) {
    return refused(
      "other-incarnation",
      `the record is of another history (incarnation ${record.incarnation}; this ProxySQL has had ${mark.incarnation}, ` +
        `generation ${String(mark.generation)})`,
    );
  }
  if (record.generation < mark.generation) {
    return refused(
      "lower-generation",
      `the record says generation ${String(record.generation)}, this ProxySQL has had ${String(mark.generation)}`,
    );
  }
  if (record.generation === mark.generation && hash !== mark.hash) {
    return refused(
      "same-generation-other-contents",
      `generation ${String(record.generation)} was applied with other contents: the record was rewritten`,
    );
  }
  return null;
}

function refused(refusal: RefusalReason, reason: string): Admission {
  return { kind: "refused", refusal, reason };
}

/** The mark that a record leaves. */
export function markOf(record: MasterRecord, hash: string): Mark {
  return { generation: record.generation, incarnation: record.incarnation, hash };
}

export function sameMark(a: Mark | null, b: Mark | null): boolean {
  if (a === null || b === null) return a === b;
  return a.generation === b.generation && a.incarnation === b.incarnation && a.hash === b.hash;
}
