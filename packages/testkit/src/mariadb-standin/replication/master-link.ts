import { parseError } from "../../proxysql-standin/wire/response.js";
import { passwordKey } from "../../proxysql-standin/wire/native-password.js";
import { PacketReader } from "../../proxysql-standin/wire/packets.js";
import { ServerLink } from "../../proxysql-standin/wire/server-link.js";
import type { ServerIdentity } from "../core.js";
import type { Gtid } from "../storage/gtid.js";
import { gtidText } from "../storage/gtid.js";
import { dumpRequestPacket, POSITION_VARIABLE, registerPacket } from "./dump.js";
import { type DumpMessage, parseDumpPacket } from "./messages.js";

const CONNECT_TIMEOUT_MS = 5000;

/** Where the master is and as whom to log in. */
export interface MasterAddress {
  host: string;
  port: number;
  user: string;
  password: string;
}

/** What comes from the master. */
export interface MasterListener {
  message(message: DumpMessage): void;
  /** The master does not give what was asked for. */
  refused(errno: number, message: string): void;
  /** The connection has ended by itself. */
  lost(): void;
}

/** A replica's connection to its master. */
export class MasterLink {
  readonly #link: ServerLink;
  #closed = false;

  constructor(address: MasterAddress) {
    this.#link = new ServerLink(address.host, address.port);
  }

  /** Logs in and asks for everything after `position`. @throws LinkError */
  async open(
    address: MasterAddress,
    self: ServerIdentity,
    position: Gtid | undefined,
    listener: MasterListener,
  ): Promise<void> {
    const { user, password } = address;
    const key = password === "" ? Buffer.alloc(0) : passwordKey(password);
    await this.#link.login({ user, key, database: "", timeoutMs: CONNECT_TIMEOUT_MS });
    await this.#link.execute(`SET @${POSITION_VARIABLE} = '${gtidText(position)}'`);
    await this.#link.run(registerPacket(self));
    this.#link.onClose = () => {
      if (!this.#closed) listener.lost();
    };
    const reader = new PacketReader();
    const request = this.#link.passThrough((chunk) => {
      for (const { payload } of reader.push(chunk)) this.#receive(payload, listener);
    });
    request({ sequence: 0, payload: dumpRequestPacket(self.serverId) });
    if (this.#link.closed) this.#link.onClose();
  }

  /** Ends it; the listener hears nothing more. */
  close(): void {
    this.#closed = true;
    this.#link.destroy();
  }

  #receive(payload: Buffer, listener: MasterListener): void {
    if (this.#closed) return;
    if (payload[0] !== 0xff) {
      listener.message(parseDumpPacket(payload));
      return;
    }
    const { errno, message } = parseError(payload);
    listener.refused(errno, message);
  }
}
