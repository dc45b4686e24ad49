import { type Instance, NO_KEY, type NullableNumber, replicates, threadsExist } from "./instance.js";
import { dateTime, timestamp } from "./time-text.js";

/** A server that Orchestrator knows, and when it looked. Times are milliseconds since 1970. */
export interface KnownServer {
  instance: Instance;
  /** When it last answered. */
  seenAtMs: number;
  /** When a look at it last ended, with or without an answer. */
  checkedAtMs: number;
  /** When a look that took longer than a second began. */
  attemptedAtMs: number;
  /** Did the last look get some of its answers? */
  partialSuccess: boolean;
}

/** Planned or lost: the server is left alone by automatic recoveries. */
export interface Downtime {
  owner: string;
  reason: string;
  beginsAtMs: number;
  endsAtMs: number;
}

/** Was the last look at it a success? */
export function lastCheckValid(server: KnownServer): boolean {
  return server.checkedAtMs <= server.seenAtMs;
}

/** What else a view depends on. */
export interface ViewContext {
  nowMs: number;
  instancePollSeconds: number;
  reasonableLagSeconds: number;
  downtime: Downtime | undefined;
}

/** The JSON of an instance in the order in which Orchestrator 3.2.6 writes it (recorded over MariaDB 10.11). */
export function instanceView(server: KnownServer, context: ViewContext): Record<string, unknown> {
  const { instance } = server;
  const mariadb = instance.Version.includes("MariaDB");
  return {
    Key: instance.Key,
    InstanceAlias: "",
    Uptime: instance.Uptime,
    ServerID: instance.ServerID,
    ServerUUID: "",
    Version: instance.Version,
    VersionComment: instance.VersionComment,
    FlavorName: mariadb ? "MariaDB" : "MySQL",
    ReadOnly: instance.ReadOnly,
    Binlog_format: instance.Binlog_format,
    BinlogRowImage: "",
    LogBinEnabled: instance.LogBinEnabled,
    LogSlaveUpdatesEnabled: instance.LogReplicationUpdatesEnabled,
    LogReplicationUpdatesEnabled: instance.LogReplicationUpdatesEnabled,
    SelfBinlogCoordinates: instance.SelfBinlogCoordinates,
    ...replicationView(instance),
    SlaveHosts: instance.Replicas,
    Replicas: instance.Replicas,
    ClusterName: instance.ClusterName,
    SuggestedClusterAlias: instance.SuggestedClusterAlias,
    DataCenter: "",
    Region: "",
    PhysicalEnvironment: "",
    ReplicationDepth: instance.ReplicationDepth,
    IsCoMaster: false,
    HasReplicationCredentials: instance.HasReplicationCredentials,
    ReplicationCredentialsAvailable: false,
    ...semiSyncView(instance),
    ...checkView(server, context),
    CountMySQLSnapshots: 0,
    IsCandidate: false,
    PromotionRule: "neutral",
    ...downtimeView(context),
    UnresolvedHostname: "",
    AllowTLS: false,
    Problems: problems(server, context),
    LastDiscoveryLatency: instance.LastDiscoveryLatency,
    ReplicationGroupName: "",
    ReplicationGroupIsSinglePrimary: false,
    ReplicationGroupMemberState: "",
    ReplicationGroupMemberRole: "",
    ReplicationGroupMembers: [],
    ReplicationGroupPrimaryInstanceKey: NO_KEY,
  };
}

function replicationView(instance: Instance): Record<string, unknown> {
  const sqlRunning = instance.ReplicationSQLThreadState === 1;
  const ioRunning = instance.ReplicationIOThreadState === 1;
  return {
    MasterKey: instance.MasterKey,
    MasterUUID: instance.MasterUUID,
    AncestryUUID: "",
    IsDetachedMaster: instance.MasterKey.Hostname.startsWith("//"),
    Slave_SQL_Running: sqlRunning,
    ReplicationSQLThreadRuning: sqlRunning,
    Slave_IO_Running: ioRunning,
    ReplicationIOThreadRuning: ioRunning,
    ReplicationSQLThreadState: instance.ReplicationSQLThreadState,
    ReplicationIOThreadState: instance.ReplicationIOThreadState,
    HasReplicationFilters: false,
    GTIDMode: "",
    SupportsOracleGTID: false,
    UsingOracleGTID: false,
    UsingMariaDBGTID: instance.UsingMariaDBGTID,
    UsingPseudoGTID: false,
    ReadBinlogCoordinates: instance.ReadBinlogCoordinates,
    ExecBinlogCoordinates: instance.ExecBinlogCoordinates,
    IsDetached: false,
    RelaylogCoordinates: instance.RelaylogCoordinates,
    LastSQLError: instance.LastSQLError,
    LastIOError: instance.LastIOError,
    SecondsBehindMaster: instance.SecondsBehindMaster,
    SQLDelay: instance.SQLDelay,
    ExecutedGtidSet: "",
    GtidPurged: "",
    GtidErrant: "",
    SlaveLagSeconds: instance.SecondsBehindMaster,
    ReplicationLagSeconds: instance.SecondsBehindMaster,
  };
}

/** MariaDB has semi-synchronous replication built in: available, and off. */
function semiSyncView(instance: Instance): Record<string, unknown> {
  return {
    SemiSyncAvailable: instance.SemiSyncMasterTimeout > 0,
    SemiSyncPriority: 0,
    SemiSyncMasterEnabled: false,
    SemiSyncReplicaEnabled: false,
    SemiSyncMasterTimeout: instance.SemiSyncMasterTimeout,
    SemiSyncMasterWaitForReplicaCount: 0,
    SemiSyncMasterStatus: false,
    SemiSyncMasterClients: 0,
    SemiSyncReplicaStatus: false,
  };
}

function checkView(server: KnownServer, context: ViewContext): Record<string, unknown> {
  const sinceSeen: NullableNumber = { Int64: seconds(context.nowMs - server.seenAtMs), Valid: true };
  return {
    LastSeenTimestamp: timestamp(server.seenAtMs),
    IsLastCheckValid: lastCheckValid(server),
    IsUpToDate: seconds(context.nowMs - server.checkedAtMs) <= context.instancePollSeconds,
    IsRecentlyChecked: recentlyChecked(server, context),
    SecondsSinceLastSeen: sinceSeen,
  };
}

function downtimeView(context: ViewContext): Record<string, unknown> {
  const { downtime, nowMs } = context;
  return {
    IsDowntimed: downtime !== undefined && downtime.endsAtMs > nowMs,
    DowntimeReason: downtime?.reason ?? "",
    DowntimeOwner: downtime?.owner ?? "",
    DowntimeEndTimestamp: downtime === undefined ? "" : dateTime(downtime.endsAtMs),
    // Nanoseconds, in whole seconds.
    ElapsedDowntime: downtime === undefined ? 0 : seconds(nowMs - downtime.beginsAtMs) * 1_000_000_000,
  };
}

/** The first that holds (3.2.6, go/inst/instance_dao.go readInstanceRow). */
function problems(server: KnownServer, context: ViewContext): string[] {
  const { instance } = server;
  const lag = instance.SecondsBehindMaster;
  if (!lastCheckValid(server)) return ["last_check_invalid"];
  if (!recentlyChecked(server, context)) return ["not_recently_checked"];
  if (threadsExist(instance) && !replicates(instance)) return ["not_replicating"];
  if (lag.Valid && Math.abs(lag.Int64 - instance.SQLDelay) > context.reasonableLagSeconds)
    return ["replication_lag"];
  return [];
}

function recentlyChecked(server: KnownServer, context: ViewContext): boolean {
  return seconds(context.nowMs - server.checkedAtMs) <= context.instancePollSeconds * 5;
}

function seconds(ms: number): number {
  return Math.max(0, Math.floor(ms / 1000));
}
