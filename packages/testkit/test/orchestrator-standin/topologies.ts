import type { Instance } from "../../src/orchestrator-standin/instance.js";
import { NO_COORDINATES, NO_KEY, NO_NUMBER } from "../../src/orchestrator-standin/instance.js";
import type { KnownServer } from "../../src/orchestrator-standin/instance-view.js";

/** Every server of these tests is on one host. */
export function key(port: number): { Hostname: string; Port: number } {
  return { Hostname: "127.0.0.1", Port: port };
}

/** A server that answers, is nobody's replica and takes writes, but for what `changes` says. */
export function root(port: number, changes: Partial<Instance> = {}): Instance {
  return {
    Key: key(port),
    Uptime: 100,
    ServerID: port,
    Version: "10.11.19-MariaDB-0+deb12u1-log",
    VersionComment: "Debian 12",
    ReadOnly: false,
    Binlog_format: "ROW",
    LogBinEnabled: true,
    LogReplicationUpdatesEnabled: true,
    SelfBinlogCoordinates: { LogFile: "mysql-bin.000001", LogPos: 2926, Type: 0 },
    MasterKey: NO_KEY,
    MasterUUID: "",
    ReplicationSQLThreadState: -1,
    ReplicationIOThreadState: -1,
    UsingMariaDBGTID: false,
    ReadBinlogCoordinates: NO_COORDINATES,
    ExecBinlogCoordinates: NO_COORDINATES,
    RelaylogCoordinates: { ...NO_COORDINATES, Type: 1 },
    LastSQLError: "",
    LastIOError: "",
    SecondsBehindMaster: NO_NUMBER,
    SQLDelay: 0,
    Replicas: [],
    ClusterName: `127.0.0.1:${port}`,
    SuggestedClusterAlias: "main",
    ReplicationDepth: 0,
    HasReplicationCredentials: false,
    SemiSyncMasterTimeout: 10_000,
    LastDiscoveryLatency: 5_000_000,
    ...changes,
  };
}

/** A replica by GTID that has applied everything. */
export function replica(port: number, masterPort: number, changes: Partial<Instance> = {}): Instance {
  const position = { LogFile: "mysql-bin.000001", LogPos: 2926, Type: 0 } as const;
  return root(port, {
    ReadOnly: true,
    MasterKey: key(masterPort),
    MasterUUID: "No",
    ReplicationSQLThreadState: 1,
    ReplicationIOThreadState: 1,
    UsingMariaDBGTID: true,
    ReadBinlogCoordinates: position,
    ExecBinlogCoordinates: position,
    RelaylogCoordinates: { LogFile: "relay-bin.000002", LogPos: 3225, Type: 1 },
    SecondsBehindMaster: { Int64: 0, Valid: true },
    ClusterName: `127.0.0.1:${masterPort}`,
    ReplicationDepth: 1,
    HasReplicationCredentials: true,
    ...changes,
  });
}

/** Seen a moment ago. */
export function seen(instance: Instance, atMs = 1_000_000): KnownServer {
  return { instance, seenAtMs: atMs, checkedAtMs: atMs, attemptedAtMs: atMs, partialSuccess: true };
}

/** The last look at it failed. */
export function unreachable(instance: Instance, atMs = 1_000_000): KnownServer {
  return { ...seen(instance, atMs), checkedAtMs: atMs + 1, partialSuccess: false };
}
