import type { Socket } from "node:net";
import { type SecureContext, TLSSocket } from "node:tls";
import { CAPABILITY, NATIVE_PASSWORD, STATUS } from "./constants.js";
import { asksForTls, authSwitchPacket, greetingPacket, type Login, parseLogin } from "./handshake.js";
import { checkProof, createNonce } from "./native-password.js";
import { frame, type Packet, PacketReader } from "./packets.js";
import { type ErrorReply, errorPacket, okPacket } from "./replies.js";

/** What a port tells its clients, and how it decides on a login. */
export interface Doorkeeper {
  serverVersion: string;
  capabilities: number;
  /** For clients that ask for TLS; it is not offered without. */
  tls: SecureContext | undefined;
  /** The stored password of a user (clear or hashed), or undefined when there is no such user. */
  storedPassword: (user: string) => string | undefined;
  /** Asked after the password was right; an error refuses the client all the same. */
  admit?: (login: Login) => ErrorReply | undefined;
  /** What a wrong password is told (default: ProxySQL's words, which are not MySQL's). */
  accessDenied?: (user: string, address: string, withPassword: boolean) => ErrorReply;
}

/** Who has logged in. */
export interface Authenticated {
  user: string;
  /** SHA1(password); empty for an empty password. */
  key: Buffer;
  /** Empty when none was named. */
  database: string;
  capabilities: number;
}

/** A client of one of ProxySQL's ports: handshake, then one packet after another. */
export class ClientConnection {
  readonly id: number;
  readonly socket: Socket;
  /** What is written to and read from: the socket, or TLS on it. */
  #stream: Socket;
  #sequence = 0;
  readonly #reader = new PacketReader();
  readonly #inbox: Packet[] = [];
  #wake: () => void = () => undefined;
  #receive: ((packet: Packet) => void) | undefined;
  readonly #nonce = createNonce();

  constructor(socket: Socket, id: number) {
    this.socket = socket;
    this.#stream = socket;
    this.id = id;
    socket.setNoDelay(true);
    this.#listen(socket);
    socket.once("close", () => this.#wake());
  }

  /** Remote address as in "Access denied for user 'x'@'127.0.0.1'". */
  get address(): string {
    return (this.socket.remoteAddress ?? "").replace(/^::ffff:/, "");
  }

  /** Does the handshake. @returns who logged in; undefined when the client was refused or went away. */
  async authenticate(door: Doorkeeper): Promise<Authenticated | undefined> {
    const capabilities = door.capabilities | (door.tls ? CAPABILITY.SSL : 0);
    const { serverVersion } = door;
    this.send(greetingPacket({ serverVersion, capabilities, connectionId: this.id, nonce: this.#nonce }));
    const first = await this.#loginPacket(door.tls);
    if (!first) return undefined;
    const login = readLogin(first.payload);
    if (!login) return this.#refuse({ errno: 1043, sqlstate: "08S01", message: "Bad handshake" });
    const answer = needsSwitch(login) ? await this.#switched() : login.answer;
    if (!answer) return undefined;
    const stored = door.storedPassword(login.user);
    const key = stored === undefined ? undefined : this.check(answer, stored);
    const { accessDenied: denied = accessDenied } = door;
    if (!key) return this.#refuse(denied(login.user, this.address, answer.length > 0));
    const refusal = door.admit?.(login);
    if (refusal) return this.#refuse(refusal);
    this.send(okPacket({ status: STATUS.AUTOCOMMIT }));
    return { user: login.user, key, database: login.database, capabilities: login.capabilities };
  }

  /** Checks an answer to this connection's nonce. @returns SHA1(password), or undefined when it is wrong. */
  check(answer: Buffer, storedPassword: string): Buffer | undefined {
    return checkProof(answer, this.#nonce, storedPassword);
  }

  /** From now on every packet goes to `receive`, beginning with those that are already here. */
  start(receive: (packet: Packet) => void): void {
    this.#receive = receive;
    this.#deliver();
  }

  /** Sends packets as the answer to the packet received last. */
  send(...payloads: Buffer[]): void {
    if (this.#stream.destroyed) return;
    for (const payload of payloads) {
      const { bytes, nextSequence } = frame(payload, this.#sequence);
      this.#sequence = nextSequence;
      this.#stream.write(bytes);
    }
  }

  /** Sends bytes that are packets already. */
  write(bytes: Buffer): void {
    if (!this.#stream.destroyed) this.#stream.write(bytes);
  }

  /** Sends packets whose sequence numbers start at `sequence`. */
  sendFrom(sequence: number, ...payloads: Buffer[]): void {
    this.#sequence = sequence;
    this.send(...payloads);
  }

  /** Closes without a word, as ProxySQL does when it drops a client. */
  destroy(): void {
    this.socket.destroy();
  }

  /** The client's login; before it, where the client asks for that, everything is put on TLS. */
  async #loginPacket(tls: SecureContext | undefined): Promise<Packet | undefined> {
    const first = await this.#next();
    if (!first || !tls || !asksForTls(first.payload)) return first;
    this.socket.removeAllListeners("data").pause();
    // The client does not wait for an answer: its first bytes of TLS may have come with the packet.
    this.socket.unshift(this.#reader.takeRest());
    this.#stream = new TLSSocket(this.socket, { isServer: true, secureContext: tls });
    this.#listen(this.#stream);
    return this.#next();
  }

  #listen(stream: Socket): void {
    // A reset by the peer is a normal end; 'close' follows and is what counts.
    stream.on("error", () => stream.destroy());
    stream.on("data", (chunk: Buffer) => {
      this.#inbox.push(...this.#reader.push(chunk));
      this.#wake();
      this.#deliver();
    });
  }

  #deliver(): void {
    while (this.#receive) {
      const packet = this.#take();
      if (!packet) return;
      this.#receive(packet);
    }
  }

  #take(): Packet | undefined {
    const packet = this.#inbox.shift();
    if (packet) this.#sequence = (packet.sequence + 1) & 0xff;
    return packet;
  }

  async #next(): Promise<Packet | undefined> {
    while (this.#inbox.length === 0 && !this.socket.destroyed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#wake = () => undefined;
    return this.#take();
  }

  async #switched(): Promise<Buffer | undefined> {
    this.send(authSwitchPacket(NATIVE_PASSWORD, this.#nonce));
    return (await this.#next())?.payload;
  }

  #refuse(error: ErrorReply): undefined {
    this.send(errorPacket(error));
    this.#stream.end();
    return undefined;
  }
}

function readLogin(payload: Buffer): Login | undefined {
  try {
    return parseLogin(payload);
  } catch {
    return undefined;
  }
}

function needsSwitch(login: Login): boolean {
  const named = (login.capabilities & CAPABILITY.PLUGIN_AUTH) !== 0 && login.plugin !== "";
  return named && login.plugin !== NATIVE_PASSWORD;
}

/** ProxySQL's words, which are not MySQL's. */
function accessDenied(user: string, address: string, withPassword: boolean): ErrorReply {
  const using = withPassword ? "YES" : "NO";
  const message = `ProxySQL Error: Access denied for user '${user}'@'${address}' (using password: ${using})`;
  return { errno: 1045, sqlstate: "28000", message };
}
