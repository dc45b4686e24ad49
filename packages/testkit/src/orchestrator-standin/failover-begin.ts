import { actionFor } from "./analysis.js";
import { chooseCandidate, preferDesignated } from "./candidate.js";
import { audit, type FailoverRun, type Next, runRecoveryHooks, stop } from "./failover-run.js";
import { runHooks } from "./hook-runner.js";
import { keyText } from "./instance.js";
import { lastCheckValid } from "./instance-view.js";

/** Registers the failure, and runs the detection hooks where it was not registered yet. */
export async function detect(run: FailoverRun): Promise<Next> {
  const { recoveries, configuration, backend, log } = run.tools;
  const { analysis } = run;
  if (recoveries.registerDetection(analysis)) {
    log(`detected ${analysis.Analysis} failure on ${keyText(analysis.AnalyzedInstanceKey)}`);
    const problem = await runHooks({
      shell: configuration.ProcessesShellCommand,
      description: "OnFailureDetectionProcesses",
      commands: configuration.hooks.OnFailureDetectionProcesses,
      situation: {
        analysis,
        // That of a recovery which is thrown away: not the UID of the hooks that follow.
        recoveryUid: recoveries.newUid(),
        successor: null,
        successorBinlogCoordinates: null,
        lostReplicas: [],
        orchestratorHost: backend.identity.host,
      },
      failOnError: true,
      audit: log,
    });
    if (problem !== undefined) return stop(run, problem);
  }
  return actionFor(analysis.Analysis) === "recover" ? "go on" : "stop";
}

export function register(run: FailoverRun): Next {
  const { recoveries } = run.tools;
  if (!run.forced && recoveries.disabled) return stop(run, "NOT Recovering host (disabled globally)");
  if (!run.forced && !run.analysis.ClusterDetails.HasAutomatedMasterRecovery) return "stop";
  const registered = recoveries.register(run.analysis, run.forced);
  if (typeof registered === "string") return stop(run, registered);
  run.recovery = registered;
  return "go on";
}

/** A hook that fails leaves the recovery registered and unresolved: it blocks the next one for its period. */
export async function runPreFailoverHooks(run: FailoverRun): Promise<Next> {
  const { recovery } = run;
  if (recovery === null) return "stop";
  const problem = await runRecoveryHooks(run.tools, recovery, "PreFailoverProcesses", true);
  if (problem === undefined) return "go on";
  recovery.errors.push(problem);
  return stop(run, problem);
}

/**
 * Stops the replicas and picks one. On MariaDB Orchestrator does not let them apply what they have received first
 * (StopReplicas, 3.2.6): what is in the successor's relay log only is lost by RESET SLAVE ALL.
 */
export async function regroupReplicas(run: FailoverRun): Promise<Next> {
  const { backend, topology, configuration } = run.tools;
  const valid = backend.replicasOf(run.analysis.AnalyzedInstanceKey).filter(lastCheckValid);
  // A single replica is not stopped before it is promoted.
  const replicas =
    valid.length < 2
      ? valid.map(({ instance }) => instance)
      : await fulfilled(valid.map(({ instance }) => topology.stopReplication(instance.Key)));
  const choice = preferDesignated(
    chooseCandidate(replicas, configuration.PromotionIgnoreHostnameFilters),
    run.designated,
  );
  if (choice.problem !== null) run.recovery?.errors.push(choice.problem);
  run.problem = choice.problem;
  run.promoted = choice.candidate;
  for (const { Key } of choice.lost) {
    run.recovery?.lostReplicas.push(Key);
    backend.markLost(Key);
  }
  const { promoted } = run;
  if (promoted === null) {
    audit(run, "Failure: no replica promoted.");
    return "go on";
  }
  run.moves = choice.toMove.map(({ Key }) => topology.moveBelow(Key, promoted.Key));
  // They are waited for in the last step; until then a failure must not end the process.
  for (const move of run.moves) move.catch((error: unknown) => audit(run, String(error)));
  audit(run, `promoted replica: ${keyText(promoted.Key)}`);
  return "go on";
}

export function downtimeFailedMaster(run: FailoverRun): Next {
  const key = run.analysis.AnalyzedInstanceKey;
  run.tools.backend.markLost(key);
  run.tools.recoveries.acknowledgeDetections(key);
  return "go on";
}

async function fulfilled<T>(promises: Promise<T>[]): Promise<T[]> {
  const results = await Promise.allSettled(promises);
  return results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
}
