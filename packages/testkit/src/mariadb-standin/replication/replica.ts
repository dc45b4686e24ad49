import { LinkError } from "../../proxysql-standin/wire/server-link.js";
import type { ServerIdentity } from "../core.js";
import { SqlError } from "../errors.js";
import type { Value } from "../sql/expression.js";
import type { MasterChange } from "../sql/statement.js";
import type { BinaryLog, LogEntry } from "../storage/binary-log.js";
import type { Change } from "../storage/change.js";
import { currentPosition, type Gtid, gtidText, reaches } from "../storage/gtid.js";
import { MasterLink } from "./master-link.js";
import type { DumpMessage } from "./messages.js";
import {
  INITIAL_STATE,
  type MasterSettings,
  NO_ERROR,
  type ReplicaState,
  statusRow,
  type ThreadError,
} from "./status.js";
import { PositionWaits } from "./waits.js";

/** What a replica changes on its own server. */
export interface ReplicaHost {
  readonly identity: ServerIdentity;
  readonly log: BinaryLog;
  /** Does what another server has done. @throws {SqlError} */
  apply(change: Change): void;
}

const DEFAULTS: MasterSettings = {
  host: "",
  port: 3306,
  user: "",
  password: "",
  useGtid: "Slave_Pos",
  connectRetry: 60,
};

/** A server as somebody's replica: it takes over its master's transactions as they come. Nothing is filtered or delayed. */
export class Replica {
  /** `@@gtid_slave_pos`: the last transaction that was replicated. */
  position: Gtid | undefined;
  readonly #host: ReplicaHost;
  readonly #waits = new PositionWaits();
  #settings: MasterSettings | undefined;
  #defaults = DEFAULTS;
  #state: ReplicaState = INITIAL_STATE;
  #link: MasterLink | undefined;
  #retry: NodeJS.Timeout | undefined;

  constructor(host: ReplicaHost) {
    this.#host = host;
  }

  /** Undefined for who is nobody's replica. */
  statusRow(): Record<string, Value> | undefined {
    return this.#settings && statusRow(this.#settings, this.#state);
  }

  /** CHANGE MASTER TO. @throws {SqlError} 1198 while a thread runs */
  changeMaster(change: MasterChange): void {
    this.#needStopped();
    const before = this.#settings ?? this.#defaults;
    const { demote, ...given } = change;
    const set = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
    const settings: MasterSettings = { ...before, ...set };
    this.#settings = settings;
    if (settings.host !== before.host || settings.port !== before.port) {
      this.#update({ read: INITIAL_STATE.read, executed: INITIAL_STATE.executed });
    }
    if (demote) this.#moveTo(this.#current());
  }

  /** START SLAVE: both threads. @throws {SqlError} 1200 where there is no master to replicate from */
  start(): void {
    if (this.#settings === undefined) {
      const text =
        "Misconfigured slave: MASTER_HOST was not set; Fix in config file or with CHANGE MASTER TO";
      throw new SqlError(1200, text);
    }
    const { io, sql } = this.#state;
    if (io !== "No" && sql === "Yes") return;
    // What came while nothing was applied has not been kept: it is asked for again.
    this.stop();
    const { executed } = this.#state;
    this.#update({
      sql: "Yes",
      sqlError: NO_ERROR,
      executed: { ...executed, position: Math.max(executed.position, 4) },
    });
    this.#update({ ioError: NO_ERROR });
    void this.#connect(this.#settings, "connecting");
  }

  /** STOP SLAVE; also what becomes of the threads when the server ends. */
  stop(): void {
    this.#disconnect();
    this.#update({ io: "No", sql: "No" });
  }

  /** The server has been started: replication goes on where there is a master, even if it had been stopped. */
  startWithServer(): void {
    if (this.#settings !== undefined) this.start();
  }

  /**
   * RESET SLAVE ALL. What has been replicated stays known; so do, for the next CHANGE MASTER TO, the pause between two
   * tries and the last master's id (MariaDB 10.11).
   *
   * @throws {SqlError} 1198 while a thread runs
   */
  forgetMaster(): void {
    this.#needStopped();
    const { connectRetry } = this.#settings ?? this.#defaults;
    this.#defaults = { ...DEFAULTS, connectRetry };
    this.#settings = undefined;
    this.#state = { ...INITIAL_STATE, masterServerId: this.#state.masterServerId };
  }

  /** Waits until all of `wanted` has been replicated. @returns false when the time is over or the wait was aborted */
  waitFor(wanted: readonly Gtid[], limitMs: number, signal: AbortSignal): Promise<boolean> {
    return this.#waits.wait({ isOver: () => reaches(this.position, wanted), limitMs, signal });
  }

  async #connect(settings: MasterSettings, how: "connecting" | "reconnecting"): Promise<void> {
    const position = settings.useGtid === "Current_Pos" ? this.#current() : this.position;
    this.#update({ received: position });
    if (settings.user === "") {
      return this.#stopIo({
        errno: 1593,
        message:
          "Fatal error: Invalid (empty) username when attempting to connect to the master server. Connection attempt terminated.",
      });
    }
    this.#update({ io: "Connecting" });
    const link = new MasterLink(settings);
    this.#link = link;
    try {
      await link.open(settings, this.#host.identity, position, {
        message: (message) => this.#receive(message),
        refused: (errno, message) => this.#refused(errno, message),
        lost: () => void this.#connect(settings, "reconnecting"),
      });
    } catch (error) {
      if (this.#link === link) this.#tryAgain(settings, how, error);
    }
  }

  #tryAgain(settings: MasterSettings, how: "connecting" | "reconnecting", error: unknown): void {
    const { host, port, user, connectRetry } = settings;
    // What the link calls 2002 is 2003 to MariaDB's replicas.
    const errno = error instanceof LinkError && error.errno !== 2002 ? error.errno : 2003;
    const why = error instanceof Error ? error.message : String(error);
    const message =
      `error ${how} to master '${user}@${host}:${port}' - retry-time: ${connectRetry}  ` +
      `maximum-retries: 100000  message: ${why}`;
    this.#update({ ioError: { errno, message } });
    this.#retry = setTimeout(() => void this.#connect(settings, how), connectRetry * 1000);
    this.#retry.unref();
  }

  #refused(errno: number, message: string): void {
    const words = `Got fatal error ${errno} from master when reading data from binary log: '${message}'`;
    this.#stopIo({ errno, message: words });
  }

  #receive(message: DumpMessage): void {
    if (message.kind === "entry") return this.#receiveEntry(message.entry);
    const { serverId, file, position } = message;
    this.#update({ masterServerId: serverId });
    if (serverId === this.#host.identity.serverId) {
      return this.#stopIo({
        errno: 1593,
        message:
          "Fatal error: The slave I/O thread stops because master and slave have equal MariaDB server ids; these ids " +
          "must be different for replication to work (or the --replicate-same-server-id option must be used on slave " +
          "but this does not always make sense; please check the manual before using it).",
      });
    }
    const place = { file, position };
    this.#update({ io: "Yes", ioError: NO_ERROR, read: place });
    if (this.#state.sql === "Yes") this.#update({ executed: place });
  }

  #receiveEntry(entry: LogEntry): void {
    const place = { file: entry.file, position: entry.position };
    this.#update({ read: place, received: entry.gtid });
    if (this.#state.sql === "No") return;
    try {
      this.#apply(entry);
    } catch (error) {
      if (!(error instanceof SqlError)) throw error;
      this.#update({ sql: "No", sqlError: { errno: error.errno, message: error.message } });
      return;
    }
    const { definitions, transactions } = this.#state;
    const counted =
      entry.change.kind === "rows" ? { transactions: transactions + 1 } : { definitions: definitions + 1 };
    this.#update({ executed: place, ...counted });
    this.#moveTo(entry.gtid);
  }

  #apply({ gtid, change }: LogEntry): void {
    const { identity, log } = this.#host;
    // A server's own transaction that has come round is not done twice (replicate_same_server_id=0).
    if (gtid.server === identity.serverId) return;
    if (gtid.sequence <= (log.position?.sequence ?? 0)) {
      const text =
        `An attempt was made to binlog GTID ${gtidText(gtid)} which would create an out-of-order sequence number ` +
        `with existing GTID ${gtidText(log.position)}, and gtid strict mode is enabled`;
      throw new SqlError(1950, text);
    }
    this.#host.apply(change);
    log.appendReplicated(gtid, change);
  }

  #stopIo(ioError: ThreadError): void {
    this.#disconnect();
    this.#update({ io: "No", ioError });
  }

  #disconnect(): void {
    clearTimeout(this.#retry);
    this.#link?.close();
    this.#link = undefined;
  }

  #current(): Gtid | undefined {
    return currentPosition(this.#host.identity.serverId, this.#host.log.position, this.position);
  }

  #moveTo(position: Gtid | undefined): void {
    this.position = position;
    this.#waits.look();
  }

  #needStopped(): void {
    const { io, sql } = this.#state;
    if (io === "No" && sql === "No") return;
    const text = "This operation cannot be performed as you have a running slave ''; run STOP SLAVE '' first";
    throw new SqlError(1198, text);
  }

  #update(change: Partial<ReplicaState>): void {
    this.#state = { ...this.#state, ...change };
  }
}
