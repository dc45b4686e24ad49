import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { OFFERED } from "../wire/constants.js";
import { ClientConnection } from "../wire/client-connection.js";
import { selfSigned } from "../wire/self-signed.js";
import type { Proxy } from "./proxy.js";
import { Session } from "./session.js";

/** ProxySQL's threads look at all sessions about once a second. */
const MAINTENANCE_MS = 1000;

/** The port for the applications. */
export class TrafficPort {
  readonly sessions = new Map<number, Session>();
  created = 0;
  aborted = 0;
  readonly #proxy: Proxy;
  readonly #nextId: () => number;
  #server: Server | undefined;
  #maintenance: NodeJS.Timeout | undefined;
  #seenTableVersion = 0;
  #lastIdleDrop = Date.now();

  constructor(proxy: Proxy, nextConnectionId: () => number) {
    this.#proxy = proxy;
    this.#nextId = nextConnectionId;
  }

  get paused(): boolean {
    return this.#server === undefined;
  }

  /** Opens the listener. @returns the port, which is another one than asked for when that was 0. */
  async listen(host: string, port: number): Promise<number> {
    const server = createServer((socket) => void this.#welcome(socket));
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen({ host, port }, resolve);
    });
    this.#maintenance ??= setInterval(() => this.#maintain(), MAINTENANCE_MS).unref();
    return (server.address() as AddressInfo).port;
  }

  /** PROXYSQL PAUSE: closes the listener; the sessions go on. */
  pause(): void {
    this.#server?.close();
    this.#server = undefined;
  }

  /** Closes the listener and drops every session. */
  close(): void {
    this.pause();
    clearInterval(this.#maintenance);
    this.#proxy.hostgroups.close();
    for (const session of this.sessions.values()) session.destroy();
  }

  async #welcome(socket: Socket): Promise<void> {
    const client = new ClientConnection(socket, this.#nextId());
    this.created += 1;
    const { variables } = this.#proxy;
    const login = await client.authenticate({
      serverVersion: variables.text("mysql-server_version"),
      capabilities: OFFERED,
      tls: variables.flag("mysql-have_ssl") ? selfSigned() : undefined,
      storedPassword: (user) => this.#frontend(user)?.password,
    });
    const user = login && this.#frontend(login.user);
    if (!login || !user) {
      this.aborted += 1;
      return;
    }
    const session = new Session(this.#proxy, client, user, login);
    this.sessions.set(client.id, session);
    session.signal.addEventListener("abort", () => void this.sessions.delete(client.id));
    session.start();
  }

  #frontend(name: string) {
    return this.#proxy.users.find((user) => user.frontend && user.username === name);
  }

  #maintain(): void {
    const { hostgroups, variables } = this.#proxy;
    const changed = hostgroups.tableVersion !== this.#seenTableVersion;
    this.#seenTableVersion = hostgroups.tableVersion;
    const delayMs = variables.number("mysql-auto_increment_delay_multiplex_timeout_ms");
    for (const session of this.sessions.values()) {
      session.slots.releaseDelayed(delayMs);
      const backend = session.fastForwarded;
      // Only a LOAD is noticed, not what the monitor does (lib/MySQL_Thread.cpp:3988).
      if (changed && backend && hostgroups.isOffline(backend.serverId)) session.destroy();
    }
    if (Date.now() - this.#lastIdleDrop < variables.number("mysql-ping_interval_server_msec")) return;
    this.#lastIdleDrop = Date.now();
    hostgroups.dropIdle(variables.number("mysql-free_connections_pct"));
  }
}
