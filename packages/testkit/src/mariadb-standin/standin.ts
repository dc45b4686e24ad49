import { createServer, type Server, type Socket } from "node:net";
import { accountsSql } from "../servers/mariadb-accounts.js";
import { serve, welcome } from "./connection.js";
import type { Core, ServerIdentity } from "./core.js";
import { Replica } from "./replication/replica.js";
import type { Session } from "./session.js";
import { parseStatement } from "./sql/parse-statement.js";
import type { Definition } from "./sql/statement.js";
import { BinaryLog } from "./storage/binary-log.js";
import { Catalog } from "./storage/catalog.js";
import type { Change } from "./storage/change.js";

/**
 * A small MariaDB in this process, for a machine without one: the statements that the demo's parts send, and an error for
 * every other.
 *
 * It answers as MariaDB 10.11 does with binary log, log_slave_updates and gtid_strict_mode, which the conformance suite
 * asks of both. Nothing here says anything about how MariaDB behaves on a disk that is full, slow or broken.
 */
export class MariaDbStandIn implements Core {
  readonly identity: ServerIdentity;
  readonly catalog = new Catalog();
  readonly log = new BinaryLog();
  readonly replica: Replica;
  readonly sessions = new Map<number, Session>();
  readOnly = false;
  startedAtMs = 0;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #lastId = 0;

  constructor(identity: ServerIdentity) {
    this.identity = identity;
    this.replica = new Replica({ identity, log: this.log, apply: (change) => void this.#apply(change) });
    this.#makeAccounts();
  }

  /** The process begins, on what lies on its disk. @throws when the port is taken */
  async start(readOnly: boolean): Promise<void> {
    const { host, port } = this.identity;
    const server = createServer((socket) => void this.#welcome(socket));
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen({ host, port }, resolve);
    });
    this.#server = server;
    this.readOnly = readOnly;
    if (this.startedAtMs > 0) this.log.rotate();
    this.startedAtMs = Date.now();
    this.replica.startWithServer();
  }

  /** A clean shutdown: clients see their connections closed. */
  stop(): void {
    this.#end((socket) => socket.destroy());
  }

  /** A crash: connections are reset. What was committed stays, what was not is gone. */
  kill(): void {
    this.#end((socket) => socket.resetAndDestroy());
  }

  store(change: Change): void {
    if (this.#apply(change)) this.log.append(this.identity.serverId, change);
  }

  /** @returns false where there was nothing to do, which is not written to the binary log either */
  #apply(change: Change): boolean {
    if (change.kind === "definition") {
      return this.catalog.define(parseStatement(change.sql) as Definition, change.database);
    }
    this.catalog.insert(change.inserts);
    return true;
  }

  #end(close: (socket: Socket) => void): void {
    this.#server?.close();
    this.#server = undefined;
    this.replica.stop();
    for (const socket of this.#sockets) close(socket);
    for (const session of this.sessions.values()) session.end();
    this.sessions.clear();
  }

  async #welcome(socket: Socket): Promise<void> {
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    this.#lastId += 1;
    const welcomed = await welcome(this, socket, this.#lastId);
    // After a kill the client may have been let in by a server that is no more.
    if (welcomed === undefined || socket.destroyed) return;
    const { session, client } = welcomed;
    this.sessions.set(session.id, session);
    socket.once("close", () => {
      this.sessions.delete(session.id);
      session.end();
    });
    serve(this, session, client);
  }

  /** The same accounts as in a real server's data folder. They are not in the binary log there either. */
  #makeAccounts(): void {
    for (const sql of accountsSql().split(";\n")) {
      if (/^(?:CREATE|GRANT) /.test(sql)) this.catalog.define(parseStatement(sql) as Definition, "");
    }
  }
}
