import { FieldReader, integer, uint16, uint32 } from "./codec.js";
import { CAPABILITY, CHARSET_UTF8, NATIVE_PASSWORD, STATUS } from "./constants.js";

/** The server's first packet. */
export interface Greeting {
  serverVersion: string;
  connectionId: number;
  nonce: Buffer;
  capabilities: number;
}

/** The client's answer to it. */
export interface Login {
  capabilities: number;
  charset: number;
  user: string;
  answer: Buffer;
  /** Empty when none was named. */
  database: string;
  /** Empty when the client names none. */
  plugin: string;
}

export function greetingPacket(greeting: Greeting): Buffer {
  return Buffer.concat([
    Buffer.from([10]),
    Buffer.from(`${greeting.serverVersion}\0`),
    uint32(greeting.connectionId),
    greeting.nonce.subarray(0, 8),
    Buffer.from([0]),
    uint16(greeting.capabilities & 0xff_ff),
    Buffer.from([CHARSET_UTF8]),
    uint16(STATUS.AUTOCOMMIT),
    uint16(greeting.capabilities >>> 16),
    Buffer.from([21]),
    Buffer.alloc(10),
    greeting.nonce.subarray(8),
    Buffer.from([0]),
    Buffer.from(`${NATIVE_PASSWORD}\0`),
  ]);
}

export function parseGreeting(payload: Buffer): Greeting {
  const fields = new FieldReader(payload);
  if (fields.byte() !== 10) throw new Error("not a MySQL server of protocol 10");
  const serverVersion = fields.text();
  const connectionId = fields.uint32();
  const start = fields.bytes(8);
  fields.skip(1);
  const low = fields.uint16();
  fields.skip(3);
  const high = fields.uint16();
  fields.skip(11);
  const nonce = Buffer.concat([start, fields.bytes(12)]);
  return { serverVersion, connectionId, nonce, capabilities: low + high * 0x1_0000 };
}

export function loginPacket(login: Login): Buffer {
  const withDatabase = login.database !== "";
  return Buffer.concat([
    uint32(login.capabilities | (withDatabase ? CAPABILITY.CONNECT_WITH_DB : 0)),
    uint32(0x4000_0000),
    Buffer.from([login.charset]),
    Buffer.alloc(23),
    Buffer.from(`${login.user}\0`),
    integer(login.answer.length),
    login.answer,
    withDatabase ? Buffer.from(`${login.database}\0`) : Buffer.alloc(0),
    Buffer.from(`${login.plugin}\0`),
  ]);
}

/** True for the short packet by which a client asks for TLS; its login comes encrypted. */
export function asksForTls(payload: Buffer): boolean {
  return payload.length === 32 && (payload.readUInt32LE(0) & CAPABILITY.SSL) !== 0;
}

/** @throws for a client without PROTOCOL_41 and SECURE_CONNECTION: none is left since MySQL 4.1. */
export function parseLogin(payload: Buffer): Login {
  const fields = new FieldReader(payload);
  const capabilities = fields.uint32();
  if ((capabilities & CAPABILITY.PROTOCOL_41) === 0) throw new Error("client is older than MySQL 4.1");
  fields.skip(4);
  const charset = fields.byte();
  fields.skip(23);
  const user = fields.text();
  const lenenc = (capabilities & CAPABILITY.PLUGIN_AUTH_LENENC) !== 0;
  const answer = lenenc ? fields.block() : fields.bytes(fields.byte());
  const database =
    (capabilities & CAPABILITY.CONNECT_WITH_DB) === 0 || fields.left === 0 ? "" : fields.text();
  const plugin = (capabilities & CAPABILITY.PLUGIN_AUTH) === 0 || fields.left === 0 ? "" : fields.text();
  return { capabilities, charset, user, answer, database, plugin };
}

/** Asks the client to prove its password by another plugin, with the same nonce. */
export function authSwitchPacket(plugin: string, nonce: Buffer): Buffer {
  return Buffer.concat([Buffer.from([0xfe]), Buffer.from(`${plugin}\0`), nonce, Buffer.from([0])]);
}

/** The server's wish for another plugin: its name and nonce. */
export function parseAuthSwitch(payload: Buffer): { plugin: string; nonce: Buffer } {
  const fields = new FieldReader(payload, 1);
  const plugin = fields.text();
  return { plugin, nonce: fields.rest().subarray(0, 20) };
}
