import type { AnalysisEntry } from "./analysis-entry.js";
import { type Coordinates, type InstanceKey, keyText } from "./instance.js";

/** What a hook is told. */
export interface HookSituation {
  analysis: AnalysisEntry;
  /** `<unix nanoseconds>:<hash>`; empty before a graceful takeover. */
  recoveryUid: string;
  successor: InstanceKey | null;
  successorBinlogCoordinates: Coordinates | null;
  lostReplicas: readonly InstanceKey[];
  orchestratorHost: string;
}

/**
 * The variables that Orchestrator 3.2.6 adds to a hook's environment (go/logic/topology_recovery.go
 * applyEnvironmentVariables). Those of a successor are missing where there is none, not empty.
 */
export function hookEnvironment(situation: HookSituation): Record<string, string> {
  const { analysis, successor, successorBinlogCoordinates: coordinates } = situation;
  return {
    ORC_FAILURE_TYPE: analysis.Analysis,
    ORC_INSTANCE_TYPE: instanceType(analysis),
    ORC_IS_MASTER: String(analysis.IsMaster),
    ORC_IS_CO_MASTER: String(analysis.IsCoMaster),
    ORC_FAILURE_DESCRIPTION: analysis.Description,
    ORC_COMMAND: analysis.CommandHint,
    ORC_FAILED_HOST: analysis.AnalyzedInstanceKey.Hostname,
    ORC_FAILED_PORT: String(analysis.AnalyzedInstanceKey.Port),
    ORC_FAILURE_CLUSTER: analysis.ClusterDetails.ClusterName,
    ORC_FAILURE_CLUSTER_ALIAS: analysis.ClusterDetails.ClusterAlias,
    ORC_FAILURE_CLUSTER_DOMAIN: analysis.ClusterDetails.ClusterDomain,
    ORC_COUNT_REPLICAS: String(analysis.CountReplicas),
    ORC_IS_DOWNTIMED: String(analysis.IsDowntimed),
    ORC_AUTO_MASTER_RECOVERY: String(analysis.ClusterDetails.HasAutomatedMasterRecovery),
    ORC_AUTO_INTERMEDIATE_MASTER_RECOVERY: String(
      analysis.ClusterDetails.HasAutomatedIntermediateMasterRecovery,
    ),
    ORC_ORCHESTRATOR_HOST: situation.orchestratorHost,
    // Also true where nothing has been decided yet: before a graceful takeover the successor is designated.
    ORC_IS_SUCCESSFUL: String(successor !== null),
    ORC_LOST_REPLICAS: keyList(situation.lostReplicas),
    ORC_REPLICA_HOSTS: keyList(analysis.Replicas),
    ORC_RECOVERY_UID: situation.recoveryUid,
    ...(successor === null
      ? {}
      : { ORC_SUCCESSOR_HOST: successor.Hostname, ORC_SUCCESSOR_PORT: String(successor.Port) }),
    ...(successor === null || coordinates === null
      ? {}
      : { ORC_SUCCESSOR_BINLOG_COORDINATES: coordinatesText(coordinates) }),
    ...(successor === null ? {} : { ORC_SUCCESSOR_ALIAS: "" }),
  };
}

/**
 * A hook's command with its placeholders replaced by plain text, nothing quoted (prepareCommand). A trailing "&" is taken
 * off: Orchestrator itself does not wait for that command. Placeholders of a successor stay as they are where there is
 * none.
 */
export function prepareCommand(command: string, situation: HookSituation): { text: string; async: boolean } {
  const trimmed = command.trim();
  const async = trimmed.endsWith("&");
  let text = async ? trimmed.replace(/&+$/, "") : trimmed;
  for (const [name, value] of Object.entries(placeholders(situation)))
    text = text.replaceAll(`{${name}}`, () => value);
  return { text, async };
}

/** In Orchestrator's order: a value that contains a later placeholder has it replaced in its turn. */
function placeholders(situation: HookSituation): Record<string, string> {
  const { analysis, successor, successorBinlogCoordinates: coordinates } = situation;
  const replicas = keyList(analysis.Replicas);
  const lost = keyList(situation.lostReplicas);
  return {
    failureType: analysis.Analysis,
    instanceType: instanceType(analysis),
    isMaster: String(analysis.IsMaster),
    isCoMaster: String(analysis.IsCoMaster),
    failureDescription: analysis.Description,
    command: analysis.CommandHint,
    failedHost: analysis.AnalyzedInstanceKey.Hostname,
    failedPort: String(analysis.AnalyzedInstanceKey.Port),
    failureCluster: analysis.ClusterDetails.ClusterName,
    failureClusterAlias: analysis.ClusterDetails.ClusterAlias,
    failureClusterDomain: analysis.ClusterDetails.ClusterDomain,
    countSlaves: String(analysis.CountReplicas),
    countReplicas: String(analysis.CountReplicas),
    isDowntimed: String(analysis.IsDowntimed),
    autoMasterRecovery: String(analysis.ClusterDetails.HasAutomatedMasterRecovery),
    autoIntermediateMasterRecovery: String(analysis.ClusterDetails.HasAutomatedIntermediateMasterRecovery),
    orchestratorHost: situation.orchestratorHost,
    recoveryUID: situation.recoveryUid,
    isSuccessful: String(successor !== null),
    ...(successor === null
      ? {}
      : { successorHost: successor.Hostname, successorPort: String(successor.Port) }),
    ...(successor === null || coordinates === null
      ? {}
      : { successorBinlogCoordinates: coordinatesText(coordinates) }),
    ...(successor === null ? {} : { successorAlias: "" }),
    lostSlaves: lost,
    lostReplicas: lost,
    countLostReplicas: String(situation.lostReplicas.length),
    slaveHosts: replicas,
    replicaHosts: replicas,
  };
}

function instanceType(analysis: AnalysisEntry): string {
  if (analysis.IsCoMaster) return "co-master";
  if (analysis.IsReplicationGroupMember) return "group-member";
  return analysis.IsMaster ? "master" : "intermediate-master";
}

function keyList(keys: readonly InstanceKey[]): string {
  return keys.map(keyText).join(",");
}

function coordinatesText(coordinates: Coordinates): string {
  return `${coordinates.LogFile}:${coordinates.LogPos}`;
}
