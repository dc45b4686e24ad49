import { type Coordinates, type InstanceKey, NO_COORDINATES, NO_KEY } from "./instance.js";

/** What Orchestrator says of a cluster. */
export interface ClusterInfo {
  ClusterName: string;
  ClusterAlias: string;
  ClusterDomain: string;
  CountInstances: number;
  HeuristicLag: number;
  HasAutomatedMasterRecovery: boolean;
  HasAutomatedIntermediateMasterRecovery: boolean;
}

/** The analyses of a master that the stand-in can come to. */
export type AnalysisCode =
  | ""
  | "NoProblem"
  | "DeadMasterWithoutReplicas"
  | "DeadMaster"
  | "DeadMasterAndReplicas"
  | "DeadMasterAndSomeReplicas"
  | "UnreachableMasterWithLaggingReplicas"
  | "UnreachableMaster"
  | "MasterSingleReplicaNotReplicating"
  | "MasterSingleReplicaDead"
  | "AllMasterReplicasNotReplicating"
  | "AllMasterReplicasNotReplicatingOrDead";

/** Orchestrator's ReplicationAnalysis, in the order of its JSON (3.2.6, go/inst/analysis.go). */
export interface AnalysisEntry {
  AnalyzedInstanceKey: InstanceKey;
  AnalyzedInstanceMasterKey: InstanceKey;
  ClusterDetails: ClusterInfo;
  AnalyzedInstanceDataCenter: string;
  AnalyzedInstanceRegion: string;
  AnalyzedInstancePhysicalEnvironment: string;
  AnalyzedInstanceBinlogCoordinates: Coordinates;
  IsMaster: boolean;
  IsReplicationGroupMember: boolean;
  IsCoMaster: boolean;
  LastCheckValid: boolean;
  LastCheckPartialSuccess: boolean;
  CountReplicas: number;
  CountValidReplicas: number;
  CountValidReplicatingReplicas: number;
  CountReplicasFailingToConnectToMaster: number;
  CountDowntimedReplicas: number;
  ReplicationDepth: number;
  Replicas: readonly InstanceKey[];
  SlaveHosts: readonly InstanceKey[];
  IsFailingToConnectToMaster: boolean;
  Analysis: AnalysisCode;
  Description: string;
  StructureAnalysis: null;
  IsDowntimed: boolean;
  IsReplicasDowntimed: boolean;
  DowntimeEndTimestamp: string;
  DowntimeRemainingSeconds: number;
  IsBinlogServer: boolean;
  PseudoGTIDImmediateTopology: boolean;
  OracleGTIDImmediateTopology: boolean;
  MariaDBGTIDImmediateTopology: boolean;
  BinlogServerImmediateTopology: boolean;
  SemiSyncMasterEnabled: boolean;
  SemiSyncMasterStatus: boolean;
  SemiSyncMasterWaitForReplicaCount: number;
  SemiSyncMasterClients: number;
  CountSemiSyncReplicasEnabled: number;
  CountLoggingReplicas: number;
  CountStatementBasedLoggingReplicas: number;
  CountMixedBasedLoggingReplicas: number;
  CountRowBasedLoggingReplicas: number;
  CountDistinctMajorVersionsLoggingReplicas: number;
  CountDelayedReplicas: number;
  CountLaggingReplicas: number;
  IsActionableRecovery: boolean;
  ProcessingNodeHostname: string;
  ProcessingNodeToken: string;
  CountAdditionalAgreeingNodes: number;
  StartActivePeriod: string;
  SkippableDueToDowntime: boolean;
  GTIDMode: string;
  MinReplicaGTIDMode: string;
  MaxReplicaGTIDMode: string;
  MaxReplicaGTIDErrant: string;
  CommandHint: string;
  IsReadOnly: boolean;
}

/** Nothing known: also what the audit answers for all that is not kept there. */
export const EMPTY_ANALYSIS: AnalysisEntry = {
  AnalyzedInstanceKey: NO_KEY,
  AnalyzedInstanceMasterKey: NO_KEY,
  ClusterDetails: {
    ClusterName: "",
    ClusterAlias: "",
    ClusterDomain: "",
    CountInstances: 0,
    HeuristicLag: 0,
    HasAutomatedMasterRecovery: false,
    HasAutomatedIntermediateMasterRecovery: false,
  },
  AnalyzedInstanceDataCenter: "",
  AnalyzedInstanceRegion: "",
  AnalyzedInstancePhysicalEnvironment: "",
  AnalyzedInstanceBinlogCoordinates: NO_COORDINATES,
  IsMaster: false,
  IsReplicationGroupMember: false,
  IsCoMaster: false,
  LastCheckValid: false,
  LastCheckPartialSuccess: false,
  CountReplicas: 0,
  CountValidReplicas: 0,
  CountValidReplicatingReplicas: 0,
  CountReplicasFailingToConnectToMaster: 0,
  CountDowntimedReplicas: 0,
  ReplicationDepth: 0,
  Replicas: [],
  SlaveHosts: [],
  IsFailingToConnectToMaster: false,
  Analysis: "",
  Description: "",
  StructureAnalysis: null,
  IsDowntimed: false,
  IsReplicasDowntimed: false,
  DowntimeEndTimestamp: "",
  DowntimeRemainingSeconds: 0,
  IsBinlogServer: false,
  PseudoGTIDImmediateTopology: false,
  OracleGTIDImmediateTopology: false,
  MariaDBGTIDImmediateTopology: false,
  BinlogServerImmediateTopology: false,
  SemiSyncMasterEnabled: false,
  SemiSyncMasterStatus: false,
  SemiSyncMasterWaitForReplicaCount: 0,
  SemiSyncMasterClients: 0,
  CountSemiSyncReplicasEnabled: 0,
  CountLoggingReplicas: 0,
  CountStatementBasedLoggingReplicas: 0,
  CountMixedBasedLoggingReplicas: 0,
  CountRowBasedLoggingReplicas: 0,
  CountDistinctMajorVersionsLoggingReplicas: 0,
  CountDelayedReplicas: 0,
  CountLaggingReplicas: 0,
  IsActionableRecovery: false,
  ProcessingNodeHostname: "",
  ProcessingNodeToken: "",
  CountAdditionalAgreeingNodes: 0,
  StartActivePeriod: "",
  SkippableDueToDowntime: false,
  GTIDMode: "",
  MinReplicaGTIDMode: "",
  MaxReplicaGTIDMode: "",
  MaxReplicaGTIDErrant: "",
  CommandHint: "",
  IsReadOnly: false,
};
