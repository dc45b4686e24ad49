import { COM } from "../wire/constants.js";
import type { Verdict } from "./rules.js";

/** A statement on its way to a backend server. */
export interface Statement {
  /** How it is sent: as text, to be prepared, or prepared before. */
  readonly kind: "query" | "prepare" | "execute";
  readonly text: string;
  readonly digest: string;
  /** The client's packet. */
  readonly payload: Buffer;
  readonly hostgroup: number;
  readonly verdict: Verdict;
  /** A SET that can't be repeated on another connection. */
  readonly locksHostgroup: boolean;
  /** For "execute": the id that the client knows the statement by. */
  readonly clientId?: number;
}

/** A statement that a client has prepared. */
export interface PreparedStatement {
  readonly text: string;
  readonly hostgroup: number;
}

/** The packet that prepares a text. */
export function preparePacket(text: string): Buffer {
  return Buffer.concat([Buffer.from([COM.STMT_PREPARE]), Buffer.from(text, "utf8")]);
}

/** The same packet with another statement id in it (bytes 1 to 4 of a prepare's answer and of an execute). */
export function withStatementId(packet: Buffer, id: number): Buffer {
  const copy = Buffer.from(packet);
  copy.writeUInt32LE(id, 1);
  return copy;
}

/** Number of parameters in a prepare's answer. */
export function parameterCount(answer: Buffer): number {
  return answer.readUInt16LE(7);
}
