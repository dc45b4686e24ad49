import {
  type ClusterEvent,
  type Layout,
  type MasterRecord,
  type OldMasterProof,
  type RuleId,
  formatServer,
} from "@primacy/contract";

/** A record that is about to say `open`, of a master that may not take writes yet. */
export interface Opening {
  readonly cluster: string;
  /** What stands. */
  readonly current: MasterRecord;
  /** What would be written. */
  readonly next: MasterRecord;
  /** With the servers as whoever said it calls them. */
  readonly event: ClusterEvent;
  readonly layout: Layout | undefined;
}

/**
 * - `go`: the record may be written; the event as it is now, and what people should know.
 * - `again`: the record has been changed meanwhile; read and decide anew.
 * - `not-opened`: the master could not be opened, so the record must not say so.
 */
export type OpeningStep =
  | {
      readonly kind: "go";
      readonly oldMaster?: OldMasterProof | undefined;
      readonly notes: readonly string[];
    }
  | { readonly kind: "again" }
  | { readonly kind: "not-opened"; readonly problem: string };

export type BeforeOpening = (opening: Opening) => Promise<OpeningStep>;

/** The ends of a takeover: a record that says `open` may stand only once its master takes writes. */
const ENDS: ReadonlySet<RuleId> = new Set<RuleId>(["open-new-master", "abort-reopens"]);

/** What goes before the writing of a record. Most have nothing. */
export async function openingStep(
  opening: Opening | null,
  rule: RuleId,
  beforeOpening: BeforeOpening | undefined,
): Promise<OpeningStep> {
  if (opening === null || !ENDS.has(rule)) return { kind: "go", notes: [] };
  if (beforeOpening !== undefined) return await beforeOpening(opening);
  const { next, layout } = opening;
  if (rule === "open-new-master" && layout?.openedBy === "primacy") {
    return { kind: "not-opened", problem: `${formatServer(next.master)} can't be opened from here` };
  }
  return { kind: "go", notes: [] };
}
