import type { AnalysisEntry } from "./analysis-entry.js";
import type { Backend } from "./backend.js";
import type { StandInConfiguration } from "./configuration.js";
import type { HookList } from "./hook-lists.js";
import { runHooks } from "./hook-runner.js";
import type { Instance, InstanceKey } from "./instance.js";
import type { KeyValueStores } from "./key-value.js";
import { type Recovery, situationOf } from "./recovery.js";
import type { RecoveryLog } from "./recovery-log.js";
import type { RecoveryStep } from "./steps.js";
import type { Topology } from "./topology.js";

/** What a failover works with. */
export interface FailoverTools {
  configuration: StandInConfiguration;
  backend: Backend;
  recoveries: RecoveryLog;
  topology: Topology;
  stores: KeyValueStores;
  /** Milliseconds since 1970. */
  now: () => number;
  log: (message: string) => void;
  /** Called after each step; it never settles again once the Orchestrator is dead. */
  afterStep: (step: RecoveryStep) => Promise<void>;
}

/** One failover under way. */
export interface FailoverRun {
  readonly tools: FailoverTools;
  readonly analysis: AnalysisEntry;
  /** Who is to follow, where that has been said. */
  readonly designated: InstanceKey | null;
  /** By an operator: no filter, no switch and no earlier recovery stops it. */
  readonly forced: boolean;
  recovery: Recovery | null;
  promoted: Instance | null;
  /** Started, and waited for at the very end: replicas may still be moving while the hooks run. */
  moves: Promise<void>[];
  problem: string | null;
}

export type Next = "go on" | "stop";

/** Ends a run before it has picked a replica. */
export function stop(run: FailoverRun, problem: string): Next {
  run.problem = problem;
  run.tools.log(problem);
  return "stop";
}

/** One line of the recovery's audit. */
export function audit(run: FailoverRun, message: string): void {
  run.tools.log(message);
  run.recovery?.steps.push({ atMs: run.tools.now(), message });
}

/** Runs one list of hooks for a recovery that is under way or has ended. @returns the first failure, if any */
export function runRecoveryHooks(
  tools: FailoverTools,
  recovery: Recovery,
  list: HookList,
  failOnError: boolean,
): Promise<string | undefined> {
  return runHooks({
    shell: tools.configuration.ProcessesShellCommand,
    description: list,
    commands: tools.configuration.hooks[list],
    situation: situationOf(recovery, tools.backend.identity.host),
    failOnError,
    audit: (message) => {
      tools.log(message);
      recovery.steps.push({ atMs: tools.now(), message });
    },
  });
}
