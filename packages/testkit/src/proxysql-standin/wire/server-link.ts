import { connect, type Socket } from "node:net";
import { CAPABILITY, CHARSET_UTF8, COM, NATIVE_PASSWORD } from "./constants.js";
import { loginPacket, parseAuthSwitch, parseGreeting } from "./handshake.js";
import { proof } from "./native-password.js";
import { frame, type Packet, PacketReader } from "./packets.js";
import { parseError, parseOk, type ResponseEnd, ResponseReader } from "./response.js";

/** As whom to log in, and how long that may take. */
export interface LinkLogin {
  user: string;
  /** SHA1(password); empty for an empty password. */
  key: Buffer;
  database: string;
  timeoutMs: number;
}

/** The server refused the login or could not be reached; `errno` is MySQL's (2003: no connection). */
export class LinkError extends Error {
  override readonly name = "LinkError";
  readonly errno: number;
  readonly sqlstate: string;

  constructor(errno: number, sqlstate: string, message: string) {
    super(message);
    this.errno = errno;
    this.sqlstate = sqlstate;
  }
}

const CAPABILITIES =
  CAPABILITY.LONG_PASSWORD |
  CAPABILITY.FOUND_ROWS |
  CAPABILITY.LONG_FLAG |
  CAPABILITY.PROTOCOL_41 |
  CAPABILITY.TRANSACTIONS |
  CAPABILITY.SECURE_CONNECTION |
  CAPABILITY.MULTI_RESULTS |
  CAPABILITY.PS_MULTI_RESULTS |
  CAPABILITY.PLUGIN_AUTH;

/**
 * A connection to a MySQL server, as ProxySQL holds them: the client's commands go through as they are and the
 * packets of the answer come back as they are.
 */
export class ServerLink {
  /** The server's connection id, for KILL. */
  threadId = 0;
  /** Server status of the last answer. */
  status = 0;
  /** Called once when the server has closed the connection or it was destroyed. */
  onClose: () => void = () => undefined;
  readonly #socket: Socket;
  readonly #reader = new PacketReader();
  readonly #inbox: Packet[] = [];
  #wake: () => void = () => undefined;
  #raw: ((chunk: Buffer) => void) | undefined;
  #failure: NodeJS.ErrnoException | undefined;
  readonly #host: string;

  /** Begins to connect; {@link login} does the rest. */
  constructor(host: string, port: number) {
    this.#host = host;
    this.#socket = connect({ host, port, noDelay: true });
    this.#socket.on("data", (chunk: Buffer) => {
      if (this.#raw) {
        this.#raw(chunk);
        return;
      }
      this.#inbox.push(...this.#reader.push(chunk));
      this.#wake();
    });
    this.#socket.on("error", (error) => (this.#failure = error));
    this.#socket.once("close", () => {
      this.#wake();
      this.onClose();
    });
  }

  /** Of this side; 0 while there is none. */
  get localPort(): number {
    return this.#socket.localPort ?? 0;
  }

  get closed(): boolean {
    return this.#socket.destroyed;
  }

  /** Waits for the connection and logs in. @throws {LinkError}, after which the link is closed. */
  async login(login: LinkLogin): Promise<void> {
    const timer = setTimeout(() => this.destroy(), login.timeoutMs);
    try {
      await this.#handshake(login);
    } catch (error) {
      this.destroy();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  /**
   * Sends a command and hands every packet of the answer to `sink`.
   *
   * @returns how the answer ended, or "lost" when the connection ended before it.
   */
  async command(payload: Buffer, sink: (payload: Buffer) => void): Promise<ResponseEnd | "lost"> {
    const reader = new ResponseReader(payload[0] === COM.STMT_PREPARE);
    this.#write(payload, 0);
    for (;;) {
      const packet = await this.#next();
      if (!packet) return "lost";
      sink(packet.payload);
      if (!reader.feed(packet.payload)) continue;
      if (reader.end.status !== undefined) this.status = reader.end.status;
      return reader.end;
    }
  }

  /** A statement whose rows nobody needs. @throws {LinkError} when it fails. */
  async execute(sql: string): Promise<void> {
    await this.run(Buffer.concat([Buffer.from([COM.QUERY]), Buffer.from(sql, "utf8")]));
  }

  /** A command that is answered by OK. @throws {LinkError} when it fails. */
  async run(payload: Buffer): Promise<void> {
    const end = await this.command(payload, () => undefined);
    if (end === "lost") throw new LinkError(2013, "HY000", "Lost connection to server during query");
    if (end.error) throw new LinkError(end.error.errno, end.error.sqlstate, end.error.message);
  }

  /** A command without an answer (closing a prepared statement). */
  notify(payload: Buffer): void {
    this.#write(payload, 0);
  }

  /** From now on bytes go through untouched, in both directions (fast_forward). */
  passThrough(sink: (chunk: Buffer) => void): (packet: Packet) => void {
    this.#raw = sink;
    return (packet) => void this.#socket.write(frame(packet.payload, packet.sequence).bytes);
  }

  /** Says goodbye and closes. */
  quit(): void {
    this.#write(Buffer.from([COM.QUIT]), 0);
    this.#socket.end();
    this.#socket.destroySoon();
  }

  /** Closes without a word: the server goes on with what it is doing. */
  destroy(): void {
    this.#socket.destroy();
  }

  async #handshake(login: LinkLogin): Promise<void> {
    const greeting = await this.#expect();
    if (greeting.payload[0] === 0xff) throw refused(greeting.payload);
    const { connectionId, nonce } = parseGreeting(greeting.payload);
    this.threadId = connectionId;
    const { user, key, database } = login;
    const answer = key.length === 0 ? Buffer.alloc(0) : proof(key, nonce);
    const charset = CHARSET_UTF8;
    const plugin = NATIVE_PASSWORD;
    this.#write(loginPacket({ capabilities: CAPABILITIES, charset, user, answer, database, plugin }), 1);
    let reply = await this.#expect();
    if (reply.payload[0] === 0xfe) {
      const wish = parseAuthSwitch(reply.payload);
      if (wish.plugin !== NATIVE_PASSWORD) throw new LinkError(2059, "HY000", `no plugin ${wish.plugin}`);
      this.#write(key.length === 0 ? Buffer.alloc(0) : proof(key, wish.nonce), reply.sequence + 1);
      reply = await this.#expect();
    }
    if (reply.payload[0] === 0xff) throw refused(reply.payload);
    this.status = parseOk(reply.payload).status ?? 0;
  }

  async #expect(): Promise<Packet> {
    const packet = await this.#next();
    if (packet) return packet;
    // In the words of MariaDB's client library, which ProxySQL passes on.
    const number = Math.abs(this.#failure?.errno ?? 110);
    throw new LinkError(2002, "HY000", `Can't connect to server on '${this.#host}' (${number})`);
  }

  async #next(): Promise<Packet | undefined> {
    while (this.#inbox.length === 0 && !this.#socket.destroyed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#wake = () => undefined;
    return this.#inbox.shift();
  }

  #write(payload: Buffer, sequence: number): void {
    if (!this.#socket.destroyed) this.#socket.write(frame(payload, sequence).bytes);
  }
}

function refused(payload: Buffer): LinkError {
  const { errno, sqlstate, message } = parseError(payload);
  return new LinkError(errno, sqlstate, message);
}
