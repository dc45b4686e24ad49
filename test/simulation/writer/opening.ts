import type { ClusterEvent, EventOf, HookEvent, MasterRecord } from "@primacy/contract";
import type { Databases } from "./databases.js";
import { type Before, type WriterParts, commit, read } from "./commit.js";
import { hold } from "./hold.js";
import type { OrchestratorView } from "./orchestrator.js";

/** What every process of the writer has at hand: hooks, and the agent. */
export interface WriterWorld extends Omit<WriterParts, "process"> {
  readonly databases: Databases;
  readonly orchestrator: OrchestratorView;
  /** Events that Consul was not there for, oldest first. */
  readonly spool: HookEvent[];
  /** The new master takes writes from now on; `fence`: the complete one that it is opened under, null: none. */
  readonly onWritable: (event: EventOf<"open">, fence: MasterRecord | null) => void;
}

export type WriterProcess = WriterWorld & Pick<WriterParts, "process">;

/** For the fence that an opening needs. Milliseconds. */
const FENCE_MS = 8000;

/**
 * `beforeOpening` where Primacy opens: fence, proxies, then the new master, and only then the record. Undefined where
 * nothing goes before the write.
 */
export function beforeOpening(parts: WriterProcess, event: ClusterEvent): Before | undefined {
  if (event.kind !== "open" || parts.layout.openedBy !== "primacy") return undefined;
  return (current, next) => {
    if (current.phase === "fenced") openUnder(parts, event, current, next);
    else fenceFirst(parts, event, next);
  };
}

function fenceFirst(parts: WriterProcess, event: EventOf<"open">, next: Parameters<Before>[1]): void {
  const { outgoing, cause, beganAt } = event;
  const fence = { kind: "fence" as const, outgoing, cause, beganAt };
  commit(parts, { event: fence, deadlineMs: FENCE_MS }, (outcome) => {
    next(outcome.kind === "applied" || outcome.kind === "nothing" ? "again" : "not");
  });
}

function openUnder(
  parts: WriterProcess,
  event: EventOf<"open">,
  fence: MasterRecord,
  next: Parameters<Before>[1],
): void {
  const { layout, rules, onWritable } = parts;
  const open = (complete: boolean): void => {
    onWritable(event, complete ? fence : null);
    next("go");
  };
  if (!rules.steps.waitsForBarrier) {
    open(true);
    return;
  }
  hold(parts, fence, (barrier) => {
    const complete = barrier.kind === "reached";
    if (!complete && layout.onFenceFailure === "stop") next("not");
    else if (rules.steps.looksBeforeOpening) {
      read(parts, (snapshot) => {
        const now = snapshot?.record;
        if (now?.kind === "valid" && now.value.generation === fence.generation) open(complete);
        else next("again");
      });
    } else open(complete);
  });
}
