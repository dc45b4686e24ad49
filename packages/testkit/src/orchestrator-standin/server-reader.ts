import mysql from "mysql2/promise";
import {
  type Coordinates,
  type Instance,
  type InstanceKey,
  NO_COORDINATES,
  NO_KEY,
  NO_NUMBER,
  type NullableNumber,
  type ThreadState,
} from "./instance.js";

/** What the statements used here answer with: no dates, no binary columns. */
type Row = Record<string, string | number | null>;

/** How to log in, and how long to wait. */
export interface TopologyLogin {
  user: string;
  password: string;
  connectTimeoutMs: number;
}

/** What one look finds, before it is known to which cluster the server belongs. */
export type FoundInstance = Omit<Instance, "ClusterName" | "ReplicationDepth">;

/** One session with a database server; ended when `use` has answered. Each statement has `readTimeoutMs`. */
export async function withSession<T>(
  key: InstanceKey,
  login: TopologyLogin & { readTimeoutMs: number },
  use: (query: (sql: string) => Promise<Row[]>) => Promise<T>,
): Promise<T> {
  const connection = await mysql.createConnection({
    host: key.Hostname,
    port: key.Port,
    user: login.user,
    password: login.password,
    connectTimeout: login.connectTimeoutMs,
  });
  connection.on("error", () => undefined);
  const query = async (sql: string): Promise<Row[]> => {
    const [rows] = await connection.query({ sql, timeout: login.readTimeoutMs });
    return Array.isArray(rows) ? (rows as Row[]) : [];
  };
  try {
    return await use(query);
  } finally {
    connection.destroy();
  }
}

/** What Orchestrator asks a MariaDB (3.2.6, go/inst/instance_dao.go ReadTopologyInstanceBufferable). */
export async function readInstance(
  key: InstanceKey,
  query: (sql: string) => Promise<Row[]>,
  aliasQuery: string,
): Promise<FoundInstance> {
  const startedAt = performance.now();
  const [global = {}] = await query(
    "SELECT @@global.server_id AS server_id, @@global.version AS version, @@global.version_comment AS comment, " +
      "@@global.read_only AS read_only, @@global.binlog_format AS binlog_format, @@global.log_bin AS log_bin, " +
      "@@global.log_slave_updates AS log_slave_updates",
  );
  const [uptime = {}] = await query("SHOW GLOBAL STATUS LIKE 'Uptime'");
  const [semiSync = {}] = await query("SHOW GLOBAL VARIABLES LIKE 'rpl_semi_sync_master_timeout'");
  const [log = {}] = await query("SHOW MASTER STATUS");
  const [replication] = await query("SHOW SLAVE STATUS");
  const replicas = await query("SHOW SLAVE HOSTS");
  const [alias = {}] = aliasQuery === "" ? [] : await query(aliasQuery);
  return {
    Key: key,
    Uptime: number(uptime, "Value"),
    ServerID: number(global, "server_id"),
    Version: text(global, "version"),
    VersionComment: text(global, "comment"),
    ReadOnly: number(global, "read_only") === 1,
    Binlog_format: text(global, "binlog_format"),
    LogBinEnabled: number(global, "log_bin") === 1,
    LogReplicationUpdatesEnabled: number(global, "log_slave_updates") === 1,
    SelfBinlogCoordinates: { LogFile: text(log, "File"), LogPos: number(log, "Position"), Type: 0 },
    ...replicationOf(replication),
    Replicas: replicas.map((row) => ({ Hostname: text(row, "Host"), Port: number(row, "Port") })),
    SuggestedClusterAlias: String(Object.values(alias)[0] ?? ""),
    SemiSyncMasterTimeout: number(semiSync, "Value"),
    // Nanoseconds.
    LastDiscoveryLatency: Math.round((performance.now() - startedAt) * 1_000_000),
  };
}

type ReplicationFields =
  | "MasterKey"
  | "MasterUUID"
  | "ReplicationSQLThreadState"
  | "ReplicationIOThreadState"
  | "UsingMariaDBGTID"
  | "ReadBinlogCoordinates"
  | "ExecBinlogCoordinates"
  | "RelaylogCoordinates"
  | "LastSQLError"
  | "LastIOError"
  | "SecondsBehindMaster"
  | "SQLDelay"
  | "HasReplicationCredentials";

function replicationOf(row: Row | undefined): Pick<Instance, ReplicationFields> {
  if (row === undefined) {
    return {
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
      HasReplicationCredentials: false,
    };
  }
  return {
    MasterKey: { Hostname: text(row, "Master_Host"), Port: number(row, "Master_Port") },
    // MariaDB has no Master_UUID; Orchestrator's default for it is this word.
    MasterUUID: text(row, "Master_UUID") || "No",
    ReplicationSQLThreadState: threadState(row, "Slave_SQL_Running"),
    ReplicationIOThreadState: threadState(row, "Slave_IO_Running"),
    UsingMariaDBGTID: (text(row, "Using_Gtid") || "No") !== "No",
    ReadBinlogCoordinates: coordinates(row, "Master_Log_File", "Read_Master_Log_Pos"),
    ExecBinlogCoordinates: coordinates(row, "Relay_Master_Log_File", "Exec_Master_Log_Pos"),
    RelaylogCoordinates: { ...coordinates(row, "Relay_Log_File", "Relay_Log_Pos"), Type: 1 },
    LastSQLError: quoted(text(row, "Last_SQL_Error")),
    LastIOError: quoted(text(row, "Last_IO_Error")),
    SecondsBehindMaster: nullable(row, "Seconds_Behind_Master"),
    SQLDelay: number(row, "SQL_Delay"),
    HasReplicationCredentials: text(row, "Master_User") !== "",
  };
}

function text(row: Row, column: string): string {
  const value = row[column];
  return value === undefined || value === null ? "" : String(value);
}

function number(row: Row, column: string): number {
  return Number(text(row, column));
}

function nullable(row: Row, column: string): NullableNumber {
  const value = text(row, column);
  return value === "" ? NO_NUMBER : { Int64: Math.max(0, Number(value)), Valid: true };
}

function coordinates(row: Row, file: string, position: string): Coordinates {
  return { LogFile: text(row, file), LogPos: number(row, position), Type: 0 };
}

function threadState(row: Row, column: string): ThreadState {
  const state = text(row, column);
  if (state === "Yes") return 1;
  return state === "No" ? 0 : 2;
}

/** Go's strconv.QuoteToASCII, with an empty text left empty. */
function quoted(message: string): string {
  return message === "" ? "" : JSON.stringify(message);
}
