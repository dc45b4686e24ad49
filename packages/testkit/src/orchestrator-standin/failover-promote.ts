import { audit, type FailoverRun, type Next, runRecoveryHooks } from "./failover-run.js";
import { type InstanceKey, keyText } from "./instance.js";
import { masterKeyValues } from "./key-value.js";

/** From here on the recovery has its successor, or is known to have none. */
export function resolveRecovery(run: FailoverRun): Next {
  const { recovery, promoted } = run;
  if (recovery === null) return "stop";
  recovery.resolvedAtMs = run.tools.now();
  recovery.successor = promoted?.Key ?? null;
  recovery.successorBinlogCoordinates = promoted?.SelfBinlogCoordinates ?? null;
  return "go on";
}

/** Tried twice. */
export function resetReplication(run: FailoverRun): Promise<Next> {
  const { topology } = run.tools;
  return change(run, "applying RESET SLAVE ALL on promoted master", (promoted) =>
    topology.resetReplication(promoted).catch(() => topology.resetReplication(promoted)),
  );
}

export function setSuccessorWriteable(run: FailoverRun): Promise<Next> {
  return change(run, "applying read-only=0 on promoted master", (promoted) =>
    run.tools.topology.setReadOnly(promoted, false),
  );
}

/** Begun, and not waited for. */
export function setFailedMasterReadOnly(run: FailoverRun): Next {
  void change(run, "applying read-only=1 on demoted master", () =>
    run.tools.topology.setReadOnly(run.analysis.AnalyzedInstanceKey, true),
  );
  return "go on";
}

/** One change on a server. That it failed is a line of the audit and nothing more. */
async function change(
  run: FailoverRun,
  what: string,
  apply: (promoted: InstanceKey) => Promise<unknown>,
): Promise<Next> {
  const wanted =
    run.tools.configuration.ApplyMySQLPromotionAfterMasterFailover ||
    run.analysis.CommandHint === "graceful-master-takeover";
  if (run.promoted === null || !wanted) return "go on";
  const success = await apply(run.promoted.Key).then(
    () => true,
    () => false,
  );
  audit(run, `- RecoverDeadMaster: ${what}: success=${success}`);
  return "go on";
}

export async function writeKeyValues(run: FailoverRun): Promise<Next> {
  if (run.promoted === null) return "go on";
  const { configuration, stores, log } = run.tools;
  const alias = run.analysis.ClusterDetails.ClusterAlias;
  const pairs = masterKeyValues(configuration.KVClusterMasterPrefix, alias, run.promoted.Key);
  audit(run, `Writing KV ${pairs.map((pair) => pair.join(":")).join(" ")}`);
  await stores.put(pairs).catch((error: unknown) => log(String(error)));
  return "go on";
}

export function moveAlias(run: FailoverRun): Next {
  if (run.promoted === null) return "go on";
  run.tools.backend.aliases.set(run.analysis.ClusterDetails.ClusterAlias, keyText(run.promoted.Key));
  return "go on";
}

export async function runPostMasterFailoverHooks(run: FailoverRun): Promise<Next> {
  const { recovery, promoted, tools } = run;
  if (recovery !== null && promoted !== null) {
    await runRecoveryHooks(tools, recovery, "PostMasterFailoverProcesses", false);
  }
  return "go on";
}

export async function runFinalHooks(run: FailoverRun): Promise<Next> {
  const { recovery, promoted, tools } = run;
  if (recovery === null) return "stop";
  if (promoted === null) {
    await runRecoveryHooks(tools, recovery, "PostUnsuccessfulFailoverProcesses", false);
  } else {
    tools.backend.endDowntime(promoted.Key);
    await runRecoveryHooks(tools, recovery, "PostFailoverProcesses", false);
  }
  return "go on";
}

export async function waitForReplicas(run: FailoverRun): Promise<Next> {
  await Promise.allSettled(run.moves);
  return "go on";
}
