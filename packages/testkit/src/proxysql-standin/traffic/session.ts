import { CAPABILITY, COM, STATUS } from "../wire/constants.js";
import type { Authenticated, ClientConnection } from "../wire/client-connection.js";
import type { Packet } from "../wire/packets.js";
import { eofPacket, errorPacket, okPacket } from "../wire/replies.js";
import type { Backend, SessionState } from "./backend.js";
import { changeUser } from "./change-user.js";
import { fastForward } from "./fast-forward.js";
import type { Proxy } from "./proxy.js";
import { handleQuery } from "./query.js";
import { executeStatement, prepareStatement } from "./prepared.js";
import { killOn, Slots } from "./slots.js";
import type { PreparedStatement } from "./statement.js";
import type { User } from "./users.js";

/** What a session does just now, for stats_mysql_processlist. */
export interface Running {
  text: string;
  hostgroup: number;
  startedAt: number;
  backend: Backend | undefined;
}

/** A client of the traffic port with everything that ProxySQL remembers for it. */
export class Session {
  readonly proxy: Proxy;
  readonly client: ClientConnection;
  readonly slots: Slots;
  user: User;
  key: Buffer;
  schema: string;
  autocommit = true;
  multiStatements: boolean;
  /** SET statements that are repeated on every backend connection, by what they set. */
  readonly settings = new Map<string, string>();
  readonly prepared = new Map<number, PreparedStatement>();
  /** Where all statements go since a SET was not understood. */
  lockedHostgroup: number | undefined;
  /** Where all statements go while a transaction is open there. */
  transactionHostgroup: number | undefined;
  running: Running | undefined;
  /** Where its last statement went; -1: it has sent none. */
  hostgroup = -1;
  /** The connection of a fast_forward session. */
  fastForwarded: Backend | undefined;
  lastActive = Date.now();
  readonly #abort = new AbortController();
  readonly #queue: Packet[] = [];
  #busy = false;
  #lastStatementId = 0;
  #forward: ((packet: Packet) => void) | undefined;

  constructor(proxy: Proxy, client: ClientConnection, user: User, login: Authenticated) {
    this.proxy = proxy;
    this.client = client;
    this.user = user;
    this.key = login.key;
    this.schema = login.database === "" ? user.defaultSchema : login.database;
    this.multiStatements = (login.capabilities & CAPABILITY.MULTI_STATEMENTS) !== 0;
    this.slots = new Slots(proxy.hostgroups, () => this.destroy());
    client.socket.once("close", () => this.destroy());
  }

  /** Aborted when the session ends. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  get ended(): boolean {
    return this.#abort.signal.aborted;
  }

  /** What has to hold on a backend connection before a statement of this session runs there. */
  get state(): SessionState {
    const { schema, autocommit, multiStatements, settings } = this;
    return { schema, autocommit, multiStatements, settings };
  }

  /** Server status in ProxySQL's own answers. */
  get status(): number {
    const inTransaction = this.slots.inTransaction !== undefined;
    return (this.autocommit ? STATUS.AUTOCOMMIT : 0) | (inTransaction ? STATUS.IN_TRANSACTION : 0);
  }

  start(): void {
    this.client.start((packet) => {
      if (this.#forward) {
        this.#forward(packet);
        return;
      }
      this.#queue.push(packet);
      void this.#work();
    });
  }

  ok(affectedRows = 0): void {
    this.client.send(okPacket({ affectedRows, status: this.status }));
  }

  fail(errno: number, sqlstate: string, message: string): void {
    this.client.send(errorPacket({ errno, sqlstate, message }));
  }

  /** Ends the session: the client's socket is closed without an error packet. */
  destroy(): void {
    if (this.ended) return;
    this.#abort.abort();
    this.client.destroy();
    const backend = this.running?.backend;
    if (backend) this.#giveUp(backend);
    this.fastForwarded?.link.destroy();
    void this.slots.recycle();
  }

  /** KILL CONNECTION on the admin port: a running statement is killed on its server, then the client is dropped. */
  kill(): void {
    const backend = this.running?.backend;
    if (backend) void killOn(this.proxy.hostgroups, backend, "QUERY", this.key);
    this.destroy();
  }

  nextStatementId(): number {
    this.#lastStatementId += 1;
    return this.#lastStatementId;
  }

  /** Forgets what the client set, as COM_RESET_CONNECTION and COM_CHANGE_USER want it. */
  async forget(): Promise<void> {
    this.autocommit = true;
    this.settings.clear();
    this.prepared.clear();
    this.lockedHostgroup = undefined;
    this.transactionHostgroup = undefined;
    await this.slots.recycle();
  }

  async #work(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    try {
      for (let packet = this.#queue.shift(); packet && !this.ended; packet = this.#queue.shift()) {
        this.lastActive = Date.now();
        await this.#handle(packet);
        this.lastActive = Date.now();
      }
    } catch (error) {
      // A packet that makes no sense: ProxySQL drops such a client too.
      this.proxy.log(`session ${this.client.id}: ${String(error)}`);
      this.destroy();
    } finally {
      this.#busy = false;
    }
  }

  async #handle(packet: Packet): Promise<void> {
    const { payload } = packet;
    if (this.user.fastForward) {
      this.#forward = await fastForward(this, packet);
      for (const waiting of this.#queue.splice(0)) this.#forward?.(waiting);
      return;
    }
    switch (payload[0] ?? 0) {
      case COM.QUERY:
        return handleQuery(this, payload);
      case COM.STMT_PREPARE:
        return prepareStatement(this, payload);
      case COM.STMT_EXECUTE:
        return executeStatement(this, payload);
      case COM.STMT_CLOSE:
        return void this.prepared.delete(payload.readUInt32LE(1));
      case COM.INIT_DB:
        this.schema = payload.toString("utf8", 1);
        return this.ok();
      case COM.PING:
      case COM.STMT_RESET:
        return this.ok();
      case COM.SET_OPTION:
        this.multiStatements = payload[1] === 0;
        return this.client.send(eofPacket(this.status));
      case COM.STATISTICS:
        return this.client.send(Buffer.from("Uptime: 0"));
      case COM.RESET_CONNECTION:
        await this.forget();
        return this.ok();
      case COM.CHANGE_USER:
        return changeUser(this, payload);
      default:
        // Unknown commands and COM_QUIT: the connection is dropped.
        return this.destroy();
    }
  }

  #giveUp(backend: Backend): void {
    const { hostgroups, variables } = this.proxy;
    const online = hostgroups.server(backend.serverId)?.status === "ONLINE";
    // Only a server that is ONLINE is told to stop (lib/MySQL_HostGroups_Manager.cpp:2539).
    if (online && variables.flag("mysql-kill_backend_connection_when_disconnect"))
      void killOn(hostgroups, backend, "CONNECTION", this.key);
    backend.link.destroy();
  }
}
