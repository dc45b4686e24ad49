import type { HistoryEntry } from "@primacy/consul-store";
import { type MasterRecord, type OldMasterProof, formatServer } from "@primacy/contract";
import type { CheckFinding } from "./findings.js";

const PLANNED_SHOWS_IT = "Set up the Pre hooks (docs/phases.md); a planned takeover shows whether they come.";

/** What the newest change of master in the history tells of the hooks and of the old master. Pure. */
export function lastTakeoverFindings(history: readonly HistoryEntry[]): readonly CheckFinding[] {
  const records = history.flatMap(({ document }) => (document.kind === "valid" ? [document.value] : []));
  const last = records.findLast(isTakeover);
  if (last === undefined) {
    const says = "the history has no change of master by Orchestrator yet";
    return [{ check: "no-takeover-seen", says, remedy: PLANNED_SHOWS_IT }];
  }
  const before = records.find(({ generation }) => generation === last.generation - 1);
  return [...fenceFindings(last, before), ...silenceFindings(last)];
}

function isTakeover({ cause }: MasterRecord): boolean {
  const byOrchestrator = cause.kind === "dead-master" || cause.kind === "graceful-takeover";
  return byOrchestrator && cause.rule === "open-new-master";
}

function fenceFindings(last: MasterRecord, before: MasterRecord | undefined): readonly CheckFinding[] {
  // Pruned: nothing can be told.
  if (before === undefined || before.phase === "fenced") return [];
  const says = `${name(last)} was opened without a fence (the record before it was ${before.phase})`;
  return [{ check: "opened-without-fence", says, remedy: PLANNED_SHOWS_IT }];
}

/** A dead master that nobody could reach proves nothing. */
function silenceFindings(last: MasterRecord): readonly CheckFinding[] {
  const problem = last.oldMaster === undefined ? null : loudness(last.oldMaster);
  if (problem === null) return [];
  const says = `${name(last)}: the old master ${problem}`;
  return [
    { check: "old-master-not-silenced", says, remedy: "The hooks' lines in Orchestrator's audit say why." },
  ];
}

function loudness({ readOnly, left, caughtUp }: OldMasterProof): string | null {
  if (!readOnly) return "was not read-only";
  if (left > 0) return `had ${String(left)} connections left that could write`;
  return caughtUp === false ? "had transactions that its successor had not executed" : null;
}

function name({ generation, master, writtenAt }: MasterRecord): string {
  return `generation ${String(generation)} (${formatServer(master)}, ${writtenAt})`;
}
