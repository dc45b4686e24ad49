import type { Value } from "../sql/expression.js";
import { type Gtid, gtidText } from "../storage/gtid.js";

/** What CHANGE MASTER TO has set. */
export interface MasterSettings {
  host: string;
  port: number;
  user: string;
  password: string;
  useGtid: "Slave_Pos" | "Current_Pos";
  /** Seconds. */
  connectRetry: number;
}

/** An error as the status keeps it; the number 0 is none. */
export interface ThreadError {
  errno: number;
  message: string;
}

export const NO_ERROR: ThreadError = { errno: 0, message: "" };

/** A place in the master's log. */
interface Place {
  file: string;
  position: number;
}

/** How a replica's two threads are. */
export interface ReplicaState {
  io: "No" | "Connecting" | "Yes";
  sql: "No" | "Yes";
  ioError: ThreadError;
  sqlError: ThreadError;
  read: Place;
  executed: Place;
  masterServerId: number;
  /** The last transaction that was received. */
  received: Gtid | undefined;
  definitions: number;
  transactions: number;
}

export const INITIAL_STATE: ReplicaState = {
  io: "No",
  sql: "No",
  ioError: NO_ERROR,
  sqlError: NO_ERROR,
  read: { file: "", position: 4 },
  executed: { file: "", position: 0 },
  masterServerId: 0,
  received: undefined,
  definitions: 0,
  transactions: 0,
};

/** Columns that are empty texts for everybody who replicates everything and without TLS. */
const FILTERS = [
  "Replicate_Do_DB",
  "Replicate_Ignore_DB",
  "Replicate_Do_Table",
  "Replicate_Ignore_Table",
  "Replicate_Wild_Do_Table",
  "Replicate_Wild_Ignore_Table",
];
const TLS_FILES = ["CA_File", "CA_Path", "Cert", "Cipher", "Key"].map((name) => `Master_SSL_${name}`);

/** The row of SHOW SLAVE STATUS, with the columns of MariaDB 10.11. What is received is applied at once: there is no relay log. */
export function statusRow(settings: MasterSettings, state: ReplicaState): Record<string, Value> {
  const { io, sql, ioError, sqlError, read, executed } = state;
  return {
    Slave_IO_State: ioStateText(state),
    Master_Host: settings.host,
    Master_User: settings.user,
    Master_Port: settings.port,
    Connect_Retry: settings.connectRetry,
    Master_Log_File: read.file,
    Read_Master_Log_Pos: read.position,
    Relay_Log_File: "",
    Relay_Log_Pos: 4,
    Relay_Master_Log_File: executed.file,
    Slave_IO_Running: io,
    Slave_SQL_Running: sql,
    ...empty(FILTERS),
    Last_Errno: sqlError.errno,
    Last_Error: sqlError.message,
    Skip_Counter: 0,
    Exec_Master_Log_Pos: executed.position,
    Relay_Log_Space: 0,
    Until_Condition: "None",
    Until_Log_File: "",
    Until_Log_Pos: 0,
    Master_SSL_Allowed: "No",
    ...empty(TLS_FILES),
    Seconds_Behind_Master: io === "Yes" && sql === "Yes" ? 0 : null,
    Master_SSL_Verify_Server_Cert: "No",
    Last_IO_Errno: ioError.errno,
    Last_IO_Error: ioError.message,
    Last_SQL_Errno: sqlError.errno,
    Last_SQL_Error: sqlError.message,
    Replicate_Ignore_Server_Ids: "",
    Master_Server_Id: state.masterServerId,
    Master_SSL_Crl: "",
    Master_SSL_Crlpath: "",
    Using_Gtid: settings.useGtid,
    Gtid_IO_Pos: gtidText(state.received),
    Replicate_Do_Domain_Ids: "",
    Replicate_Ignore_Domain_Ids: "",
    Parallel_Mode: "optimistic",
    SQL_Delay: 0,
    SQL_Remaining_Delay: null,
    Slave_SQL_Running_State: sql === "Yes" ? "Slave has read all relay log; waiting for more updates" : "",
    Slave_DDL_Groups: state.definitions,
    Slave_Non_Transactional_Groups: 0,
    Slave_Transactional_Groups: state.transactions,
    Replicate_Rewrite_DB: "",
  };
}

function ioStateText({ io, read }: ReplicaState): string {
  if (io === "Yes") return "Waiting for master to send event";
  if (io === "No") return "";
  return read.file === "" ? "Connecting to master" : "Reconnecting after a failed master event read";
}

function empty(columns: readonly string[]): Record<string, Value> {
  return Object.fromEntries(columns.map((name) => [name, ""]));
}
