import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import type { Core } from "../core.js";
import { COM, OFFERED, STATUS } from "../wire/constants.js";
import { ClientConnection } from "../wire/client-connection.js";
import { selfSigned } from "../wire/self-signed.js";
import { type ErrorReply, eofPacket, errorPacket, okPacket, resultSetPackets } from "../wire/replies.js";
import { type AdminAnswer, type AdminClient, runAdminStatement } from "./admin.js";

/** In OK packets: SQLite knows no backslash escapes. */
const OK_STATUS = STATUS.AUTOCOMMIT | STATUS.NO_BACKSLASH_ESCAPES;

/** The port for administrators. */
export class AdminPort {
  readonly #core: Core;
  readonly #nextId: () => number;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  /** Statements run one after another, whichever session they come from. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(core: Core, nextConnectionId: () => number) {
    this.#core = core;
    this.#nextId = nextConnectionId;
  }

  /** @returns the port, which is another one than asked for when that was 0. */
  async listen(host: string, port: number): Promise<number> {
    const server = createServer((socket) => void this.#welcome(socket));
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen({ host, port }, resolve);
    });
    return (server.address() as AddressInfo).port;
  }

  close(): void {
    this.#server?.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  async #welcome(socket: Socket): Promise<void> {
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    const connection = new ClientConnection(socket, this.#nextId());
    const login = await connection.authenticate({
      serverVersion: this.#core.variables.text("mysql-server_version"),
      capabilities: OFFERED,
      tls: this.#core.variables.flag("mysql-have_ssl") ? selfSigned() : undefined,
      storedPassword: (user) => this.#account(user)?.password,
      admit: ({ user }) => refuseFromElsewhere(user, connection.address),
    });
    const account = login && this.#account(login.user);
    if (!account) return;
    const client = { user: login.user, address: connection.address, isAdmin: account.isAdmin };
    connection.start(({ payload }) => {
      this.#last = this.#last
        .then(() => this.#handle(connection, client, payload))
        .catch((error: unknown) => {
          this.#core.proxy.log(`admin session ${connection.id}: ${String(error)}`);
          connection.destroy();
        });
    });
  }

  /** Administrators, users of the statistics, and the monitor's user, who also sees the statistics only. */
  #account(user: string): { password: string; isAdmin: boolean } | undefined {
    const { variables } = this.#core;
    const admin = credentials(variables.text("admin-admin_credentials")).get(user);
    if (admin !== undefined) return { password: admin, isAdmin: true };
    const monitor = [
      variables.text("mysql-monitor_username"),
      variables.text("mysql-monitor_password"),
    ] as const;
    const stats = new Map([...credentials(variables.text("admin-stats_credentials")), monitor]).get(user);
    return stats === undefined ? undefined : { password: stats, isAdmin: false };
  }

  async #handle(connection: ClientConnection, client: AdminClient, payload: Buffer): Promise<void> {
    const send = (...packets: Buffer[]): void => connection.sendFrom(1, ...packets);
    switch (payload[0] ?? 0) {
      case COM.QUERY:
        return answer(send, await runAdminStatement(this.#core, payload.toString("utf8", 1), client));
      case COM.PING:
      case COM.INIT_DB:
        return send(okPacket({ status: OK_STATUS }));
      case COM.STATISTICS:
        return send(Buffer.from("Uptime: 0"));
      case COM.SET_OPTION:
        return send(eofPacket(STATUS.AUTOCOMMIT));
      case COM.CHANGE_USER:
        // Never answered: the client hangs (lib/MySQL_Session.cpp:7464).
        return;
      case COM.RESET_CONNECTION:
        // With the sequence number of the command instead of the next one; clients complain about it.
        return connection.sendFrom(
          2,
          errorPacket({ errno: 1047, sqlstate: "28000", message: unsupported(client) }),
        );
      case COM.STMT_PREPARE:
      case COM.STMT_EXECUTE:
      case COM.FIELD_LIST:
        return send(errorPacket({ errno: 1045, sqlstate: "28000", message: "Command not supported" }));
      case COM.PROCESS_KILL:
        return send(errorPacket({ errno: 9003, sqlstate: "28000", message: "Command not supported" }));
      default:
        return connection.destroy();
    }
  }
}

function answer(send: (...packets: Buffer[]) => void, reply: AdminAnswer): void {
  switch (reply.kind) {
    case "rows":
      return send(...resultSetPackets(reply, STATUS.AUTOCOMMIT));
    case "changed":
      return send(okPacket({ affectedRows: reply.affectedRows, status: OK_STATUS }));
    case "ok":
      return send(okPacket({ status: OK_STATUS, ...(reply.info === undefined ? {} : { info: reply.info }) }));
    case "error":
      return send(
        // Every error of SQLite is this one; only the text tells them apart.
        errorPacket({ errno: 1045, sqlstate: "28000", message: `ProxySQL Admin Error: ${reply.message}` }),
      );
    case "silence":
      return;
  }
}

/** Who goes by one of ProxySQL's own names must come from its own host (2.7.1, lib/MySQL_Session.cpp). */
function refuseFromElsewhere(user: string, address: string): ErrorReply | undefined {
  if (!["admin", "stats", "monitor"].includes(user) || ["127.0.0.1", "::1"].includes(address)) return;
  return { errno: 1040, sqlstate: "42000", message: `User '${user}' can only connect locally` };
}

function unsupported(client: AdminClient): string {
  const type = client.isAdmin ? "ADMIN" : "STATS";
  return `Received unsupported 'COM_RESET_CONNECTION' for session type 'PROXYSQL_SESSION_${type}'`;
}

/** "user:password;user:password". */
function credentials(text: string): Map<string, string> {
  const pairs = text.split(";").filter((pair) => pair.includes(":"));
  return new Map(
    pairs.map((pair) => [pair.slice(0, pair.indexOf(":")), pair.slice(pair.indexOf(":") + 1)] as const),
  );
}
