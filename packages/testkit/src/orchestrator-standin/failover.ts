import type { AnalysisEntry } from "./analysis-entry.js";
import {
  detect,
  downtimeFailedMaster,
  register,
  regroupReplicas,
  runPreFailoverHooks,
} from "./failover-begin.js";
import * as promote from "./failover-promote.js";
import type { FailoverRun, FailoverTools, Next } from "./failover-run.js";
import type { InstanceKey } from "./instance.js";
import type { Recovery } from "./recovery.js";
import { RECOVERY_STEPS, type RecoveryStep } from "./steps.js";

/** How a failover ended. `attempted` is false where it did not get as far as to pick a replica. */
export interface FailoverResult {
  attempted: boolean;
  recovery: Recovery | null;
  problem: string | null;
}

const HANDLERS: Record<RecoveryStep, (run: FailoverRun) => Next | Promise<Next>> = {
  "run-detection-hooks": detect,
  "register-recovery": register,
  "run-pre-failover-hooks": runPreFailoverHooks,
  "regroup-replicas": regroupReplicas,
  "downtime-failed-master": downtimeFailedMaster,
  "resolve-recovery": promote.resolveRecovery,
  "reset-replication": promote.resetReplication,
  "set-successor-writeable": promote.setSuccessorWriteable,
  "set-failed-master-read-only": promote.setFailedMasterReadOnly,
  "write-kv": promote.writeKeyValues,
  "move-alias": promote.moveAlias,
  "run-post-master-failover-hooks": promote.runPostMasterFailoverHooks,
  "run-final-hooks": promote.runFinalHooks,
  "wait-for-replicas": promote.waitForReplicas,
};

/** Steps at which a failover that stops has changed no server yet. */
const BEFORE_THE_ATTEMPT: readonly RecoveryStep[] = [
  "run-detection-hooks",
  "register-recovery",
  "run-pre-failover-hooks",
];

/** Who is to follow, and whether an operator wants it. */
export interface FailoverRequest {
  analysis: AnalysisEntry;
  forced: boolean;
  designated: InstanceKey | null;
}

/** Replaces a failed master: RECOVERY_STEPS in their order, on real servers. */
export async function failOver(tools: FailoverTools, request: FailoverRequest): Promise<FailoverResult> {
  const run: FailoverRun = { tools, ...request, recovery: null, promoted: null, moves: [], problem: null };
  for (const step of RECOVERY_STEPS) {
    const next = await HANDLERS[step](run);
    await tools.afterStep(step);
    if (next === "stop") {
      return { attempted: !BEFORE_THE_ATTEMPT.includes(step), recovery: run.recovery, problem: run.problem };
    }
  }
  return { attempted: true, recovery: run.recovery, problem: run.problem };
}
