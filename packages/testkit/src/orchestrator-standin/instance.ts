// Orchestrator's Instance as its HTTP API spells it (3.2.6, go/inst/instance.go; fields that nothing of ours reads are
// answered with what a server without that feature has).

/** A server as Orchestrator names it. A server that is nobody's replica has the master `{Hostname: "", Port: 0}`. */
export interface InstanceKey {
  Hostname: string;
  Port: number;
}

/** A place in a binary log (Type 0) or relay log (Type 1). */
export interface Coordinates {
  LogFile: string;
  LogPos: number;
  Type: 0 | 1;
}

/** Go's sql.NullInt64: where `Valid` is false the number is NULL, whatever `Int64` says. */
export interface NullableNumber {
  Int64: number;
  Valid: boolean;
}

/** State of a replication thread: no such thread, stopped, running, something in between. */
export type ThreadState = -1 | 0 | 1 | 2;

/** What one look at a server found. What depends on the time of asking is added by `instanceView`. */
export interface Instance {
  Key: InstanceKey;
  Uptime: number;
  ServerID: number;
  Version: string;
  VersionComment: string;
  ReadOnly: boolean;
  Binlog_format: string;
  LogBinEnabled: boolean;
  LogReplicationUpdatesEnabled: boolean;
  SelfBinlogCoordinates: Coordinates;
  MasterKey: InstanceKey;
  MasterUUID: string;
  ReplicationSQLThreadState: ThreadState;
  ReplicationIOThreadState: ThreadState;
  UsingMariaDBGTID: boolean;
  ReadBinlogCoordinates: Coordinates;
  ExecBinlogCoordinates: Coordinates;
  RelaylogCoordinates: Coordinates;
  LastSQLError: string;
  LastIOError: string;
  SecondsBehindMaster: NullableNumber;
  SQLDelay: number;
  Replicas: readonly InstanceKey[];
  ClusterName: string;
  SuggestedClusterAlias: string;
  ReplicationDepth: number;
  HasReplicationCredentials: boolean;
  SemiSyncMasterTimeout: number;
  LastDiscoveryLatency: number;
}

export const NO_KEY: InstanceKey = { Hostname: "", Port: 0 };
export const NO_COORDINATES: Coordinates = { LogFile: "", LogPos: 0, Type: 0 };
export const NO_NUMBER: NullableNumber = { Int64: 0, Valid: false };

/** `host:port`: how Orchestrator names clusters. */
export function keyText(key: InstanceKey): string {
  return `${key.Hostname}:${key.Port}`;
}

/** Reads `host:port`; undefined for anything else. */
export function parseKey(text: string): InstanceKey | undefined {
  const match = /^(.+):(\d+)$/.exec(text);
  return match === null ? undefined : { Hostname: match[1] ?? "", Port: Number(match[2]) };
}

export function sameKey(a: InstanceKey, b: InstanceKey): boolean {
  return a.Hostname === b.Hostname && a.Port === b.Port;
}

/** By host, then port: the order of Orchestrator's lists unless it says otherwise. */
export function compareKeys(a: InstanceKey, b: InstanceKey): number {
  if (a.Hostname !== b.Hostname) return a.Hostname < b.Hostname ? -1 : 1;
  return a.Port - b.Port;
}

/** Does it replicate from somebody, running or not? */
export function isReplica(instance: Instance): boolean {
  const { MasterKey } = instance;
  if (MasterKey.Hostname === "" || MasterKey.Hostname === "_" || MasterKey.Port === 0) return false;
  return instance.ReadBinlogCoordinates.LogFile !== "" || instance.UsingMariaDBGTID;
}

/** Do both threads run? */
export function replicates(instance: Instance): boolean {
  return (
    isReplica(instance) && instance.ReplicationSQLThreadState === 1 && instance.ReplicationIOThreadState === 1
  );
}

export function threadsExist(instance: Instance): boolean {
  return instance.ReplicationSQLThreadState !== -1 && instance.ReplicationIOThreadState !== -1;
}

export function threadsStopped(instance: Instance): boolean {
  return instance.ReplicationSQLThreadState === 0 && instance.ReplicationIOThreadState === 0;
}

/** Below zero where `a` comes before `b` in the log: file by name, then position. */
export function compareCoordinates(a: Coordinates, b: Coordinates): number {
  if (a.LogFile !== b.LogFile) return a.LogFile < b.LogFile ? -1 : 1;
  return a.LogPos - b.LogPos;
}
