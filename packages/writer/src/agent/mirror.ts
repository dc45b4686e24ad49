import { type Document, type MasterRecord, recordText } from "@primacy/contract";

/** What a mirror's record needs. */
export type MirrorStep =
  | { readonly kind: "same" }
  /** Write the primary's records from this generation on, each with its place in the history. */
  | { readonly kind: "copy"; readonly fromGeneration: number }
  /** Nothing is written, and people must look. */
  | { readonly kind: "refuse"; readonly reason: string };

/**
 * What becomes of the record in another datacenter. The primary's generation rules; a mirror never goes down, and it
 * never changes its history by itself: watchers there would refuse it anyway, and a restored primary would take the
 * mirror along. Pure.
 */
export function mirrorStep(primary: MasterRecord, mirror: Document<MasterRecord>): MirrorStep {
  if (mirror.kind === "unusable") return refuse(`what lies there can't be read: ${mirror.problem}`);
  if (mirror.kind === "absent") return { kind: "copy", fromGeneration: primary.generation };
  const there = mirror.value;
  if (there.incarnation !== primary.incarnation) {
    return refuse(
      `another history lies there (${there.incarnation}, generation ${String(there.generation)})`,
    );
  }
  if (there.generation > primary.generation) {
    return refuse(
      `it is ahead: generation ${String(there.generation)} there, ${String(primary.generation)} here`,
    );
  }
  if (there.generation < primary.generation) return { kind: "copy", fromGeneration: there.generation + 1 };
  if (recordText(there) === recordText(primary)) return { kind: "same" };
  return refuse(`generation ${String(there.generation)} has other contents there`);
}

function refuse(reason: string): MirrorStep {
  return { kind: "refuse", reason };
}
