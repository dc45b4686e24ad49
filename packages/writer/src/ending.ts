import { type Layout, type MasterRecord, formatServer } from "@primacy/contract";
import type { CommitOutcome } from "./commit.js";
import type { ExitName } from "./exit-codes.js";

/** The end of a run: its exit code's name, the one line that says it, and what the log has beside it. */
export interface Ending {
  readonly exit: ExitName;
  /** One sentence for Orchestrator's audit and whoever reads it. */
  readonly line: string;
  /** What else is to be said, a line each. */
  readonly notes?: readonly string[];
  readonly fields?: Readonly<Record<string, string | number | null>>;
  /** What stands now, where it was read. */
  readonly standing?: Standing;
  /** The cluster's own word on a Pre hook that fails, where its layout was read. */
  readonly stopOnFailure?: boolean;
}

/** The record that an event led to, and the layout that it was decided by. */
export interface Standing {
  readonly record: MasterRecord;
  readonly layout: Layout | undefined;
}

/** `main generation 42: db2:3306 follows db1:3306 as the master [open-new-master]` */
export function commitEnding(cluster: string, outcome: CommitOutcome): Ending {
  switch (outcome.kind) {
    case "applied":
    case "nothing": {
      const { record, layout, reason, rule, warnings, notes = [] } = outcome;
      return {
        exit: "ok",
        line: `${cluster} generation ${String(record.generation)}: ${reason} [${rule}]`,
        notes: [
          ...notes.map((note) => `${cluster}: ${note}`),
          ...warnings.map((warning) => `${cluster} warning: ${warning}`),
        ],
        fields: { rule, ...recordFields(record) },
        standing: { record, layout },
        stopOnFailure: layout?.onFenceFailure === "stop",
      };
    }
    case "refused":
      return {
        exit: REFUSALS[outcome.refusal],
        line: `${cluster} refused: ${outcome.reason} [${outcome.rule}]`,
        fields: { rule: outcome.rule },
        stopOnFailure: outcome.layout?.onFenceFailure === "stop",
      };
    case "denied":
      return { exit: "denied", line: `${cluster}: Consul refuses the token: ${outcome.problem}` };
    case "unusable":
      return { exit: "unusable", line: `${cluster}: ${outcome.problem}` };
    case "not-opened":
      return { exit: "not-opened", line: `${cluster}: not open: ${outcome.problem}` };
    case "unreachable":
      return { exit: "unreachable", line: `${cluster}: ${outcome.problem}` };
  }
}

const REFUSALS = {
  stale: "refused-stale",
  contradictory: "refused-contradictory",
  "no-record": "unknown-cluster",
} as const satisfies Record<string, ExitName>;

function recordFields(record: MasterRecord): Record<string, string | number> {
  return {
    generation: record.generation,
    phase: record.phase,
    master: formatServer(record.master),
    recoveryUid: record.cause.recoveryUid,
  };
}
