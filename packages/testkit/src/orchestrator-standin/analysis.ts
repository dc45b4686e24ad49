import { type AnalysisCode, type AnalysisEntry, type ClusterInfo, EMPTY_ANALYSIS } from "./analysis-entry.js";
import { compareKeys, type Instance, sameKey } from "./instance.js";
import { type Downtime, type KnownServer, lastCheckValid } from "./instance-view.js";
import { dateTime } from "./time-text.js";

/** What an analysis of a server is made from. Times are milliseconds since 1970. */
export interface AnalysisInput {
  server: KnownServer;
  servers: readonly KnownServer[];
  downtimeOf: (instance: Instance) => Downtime | undefined;
  cluster: ClusterInfo;
  nowMs: number;
  /** A look that takes longer than this makes the server invalid: InstancePollSeconds + ReasonableInstanceCheckSeconds. */
  checkLimitMs: number;
  /** A replica further behind lags (ReasonableReplicationLagSeconds). */
  reasonableLagSeconds: number;
  orchestrator: { host: string; token: string };
}

/**
 * Orchestrator's analysis of one server: what it counts, and the problem that it sees (3.2.6, go/inst/analysis_dao.go
 * GetReplicationAnalysis). Problems are found of masters only; co-masters and intermediate masters are outside.
 */
export function analyse(input: AnalysisInput): AnalysisEntry {
  const { instance } = input.server;
  const counted = { ...EMPTY_ANALYSIS, ...aboutServer(input), ...aboutReplicas(input) };
  const [Analysis, Description] = problemOf(counted);
  return {
    ...counted,
    AnalyzedInstanceKey: instance.Key,
    Analysis,
    Description,
    SkippableDueToDowntime: counted.IsDowntimed,
    ProcessingNodeHostname: input.orchestrator.host,
    ProcessingNodeToken: input.orchestrator.token,
  };
}

function aboutServer(input: AnalysisInput): Partial<AnalysisEntry> {
  const { server, nowMs } = input;
  const { instance } = server;
  const { Hostname, Port } = instance.MasterKey;
  const downtime = input.downtimeOf(instance);
  return {
    AnalyzedInstanceMasterKey: instance.MasterKey,
    ClusterDetails: input.cluster,
    AnalyzedInstanceBinlogCoordinates: instance.SelfBinlogCoordinates,
    IsMaster: Hostname === "" || Hostname === "_" || Port === 0 || Hostname.startsWith("//"),
    LastCheckValid: lastCheckValid(server) && server.attemptedAtMs <= server.seenAtMs + input.checkLimitMs,
    LastCheckPartialSuccess: server.partialSuccess,
    ReplicationDepth: instance.ReplicationDepth,
    IsDowntimed: downtime !== undefined && downtime.endsAtMs > nowMs,
    DowntimeEndTimestamp: downtime === undefined ? "" : dateTime(downtime.endsAtMs),
    IsReadOnly: instance.ReadOnly,
  };
}

function aboutReplicas(input: AnalysisInput): Partial<AnalysisEntry> {
  const replicas = input.servers
    .filter(({ instance }) => sameKey(instance.MasterKey, input.server.instance.Key))
    .sort((a, b) => compareKeys(a.instance.Key, b.instance.Key));
  const valid = replicas.filter(lastCheckValid);
  const logging = replicas.filter(
    ({ instance: one }) => one.LogBinEnabled && one.LogReplicationUpdatesEnabled,
  );
  const keys = replicas.map(({ instance }) => instance.Key);
  const isDowntimed = (instance: Instance) => (input.downtimeOf(instance)?.endsAtMs ?? 0) > input.nowMs;
  const format = (name: string) => logging.filter(({ instance }) => instance.Binlog_format === name).length;
  return {
    Replicas: keys,
    SlaveHosts: keys,
    CountReplicas: replicas.length,
    CountValidReplicas: valid.length,
    CountValidReplicatingReplicas: valid.filter(({ instance }) => bothThreadsRun(instance)).length,
    CountReplicasFailingToConnectToMaster: valid.filter(({ instance }) => failsToConnect(instance)).length,
    CountDowntimedReplicas: replicas.filter(({ instance }) => isDowntimed(instance)).length,
    CountLaggingReplicas: replicas.filter(({ instance }) => lags(instance, input.reasonableLagSeconds))
      .length,
    CountDelayedReplicas: replicas.filter(({ instance }) => instance.SQLDelay > 0).length,
    MariaDBGTIDImmediateTopology:
      valid.length > 0 && valid.every(({ instance }) => instance.UsingMariaDBGTID),
    CountLoggingReplicas: logging.length,
    CountStatementBasedLoggingReplicas: format("STATEMENT"),
    CountMixedBasedLoggingReplicas: format("MIXED"),
    CountRowBasedLoggingReplicas: format("ROW"),
    CountDistinctMajorVersionsLoggingReplicas: new Set(logging.map(({ instance }) => majorVersion(instance)))
      .size,
  };
}

/** The first that holds; the sentences are Orchestrator's. */
function problemOf(a: AnalysisEntry): [AnalysisCode, string] {
  if (!a.IsMaster) return ["NoProblem", ""];
  return a.LastCheckValid ? problemOfReachable(a) : problemOfUnreachable(a);
}

function problemOfUnreachable(a: AnalysisEntry): [AnalysisCode, string] {
  const unreachable = "Master cannot be reached by orchestrator";
  if (a.CountReplicas === 0) return ["DeadMasterWithoutReplicas", `${unreachable} and has no replica`];
  if (a.CountValidReplicatingReplicas === 0) {
    const dead = `${unreachable} and none of its replicas is replicating`;
    if (a.CountValidReplicas === a.CountReplicas) return ["DeadMaster", dead];
    if (a.CountValidReplicas === 0) return ["DeadMasterAndReplicas", dead];
    return [
      "DeadMasterAndSomeReplicas",
      `${unreachable}; some of its replicas are unreachable and none of its reachable replicas is replicating`,
    ];
  }
  if (a.CountLaggingReplicas === a.CountReplicas && a.CountDelayedReplicas < a.CountReplicas) {
    return ["UnreachableMasterWithLaggingReplicas", `${unreachable} and all of its replicas are lagging`];
  }
  if (!a.LastCheckPartialSuccess || a.CountReplicasFailingToConnectToMaster > 0) {
    const description = `${unreachable} but it has replicating replicas; possibly a network/host issue`;
    return ["UnreachableMaster", description];
  }
  return ["NoProblem", ""];
}

function problemOfReachable(a: AnalysisEntry): [AnalysisCode, string] {
  if (a.CountReplicas === 0 || a.CountValidReplicatingReplicas > 0) return ["NoProblem", ""];
  if (a.CountReplicas === 1) {
    return a.CountValidReplicas === 1
      ? ["MasterSingleReplicaNotReplicating", "Master is reachable but its single replica is not replicating"]
      : ["MasterSingleReplicaDead", "Master is reachable but its single replica is dead"];
  }
  const description = "Master is reachable but none of its replicas is replicating";
  if (a.CountValidReplicas === a.CountReplicas) return ["AllMasterReplicasNotReplicating", description];
  if (a.CountValidReplicas > 0) return ["AllMasterReplicasNotReplicatingOrDead", description];
  return ["NoProblem", ""];
}

/** What Orchestrator does about an analysis: recover, only run the detection hooks, or nothing. */
export function actionFor(analysis: AnalysisCode): "recover" | "detect" | "nothing" {
  switch (analysis) {
    case "DeadMaster":
    case "DeadMasterAndSomeReplicas":
      return "recover";
    case "DeadMasterAndReplicas":
    case "UnreachableMaster":
    case "UnreachableMasterWithLaggingReplicas":
    case "AllMasterReplicasNotReplicating":
    case "AllMasterReplicasNotReplicatingOrDead":
      return "detect";
    case "":
    case "NoProblem":
    case "DeadMasterWithoutReplicas":
    case "MasterSingleReplicaNotReplicating":
    case "MasterSingleReplicaDead":
      return "nothing";
  }
}

function bothThreadsRun(instance: Instance): boolean {
  return instance.ReplicationIOThreadState === 1 && instance.ReplicationSQLThreadState === 1;
}

function failsToConnect(instance: Instance): boolean {
  const failing = /error .*connecting to master/i.test(instance.LastIOError);
  return instance.ReplicationIOThreadState !== 1 && instance.ReplicationSQLThreadState === 1 && failing;
}

function lags(instance: Instance, limitSeconds: number): boolean {
  return instance.SecondsBehindMaster.Valid && instance.SecondsBehindMaster.Int64 > limitSeconds;
}

function majorVersion(instance: Instance): string {
  return instance.Version.split(".").slice(0, 2).join(".");
}
