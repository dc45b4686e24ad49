import { block, integer, uint16, uint32 } from "./codec.js";
import { CHARSET_BINARY, CHARSET_UTF8, TYPE_LONGLONG, TYPE_VAR_STRING } from "./constants.js";

/** What an OK packet says. */
export interface OkReply {
  affectedRows?: number;
  status: number;
  /** Free text; MySQL clients show it as "info". */
  info?: string;
}

/** What an ERR packet says. */
export interface ErrorReply {
  errno: number;
  /** Five characters. */
  sqlstate: string;
  message: string;
}

/** Rows as text: every value a string or null, in the order of `columns`. */
export interface TextRows {
  columns: readonly string[];
  rows: readonly (readonly (string | null)[])[];
  /** Which columns are integers: all, or those with true (default: texts, like everything on the admin port). */
  integers?: boolean | readonly boolean[];
}

export function okPacket(reply: OkReply): Buffer {
  return Buffer.concat([
    Buffer.from([0x00]),
    integer(reply.affectedRows ?? 0),
    integer(0),
    uint16(reply.status),
    uint16(0),
    reply.info === undefined ? Buffer.alloc(0) : block(reply.info),
  ]);
}

export function errorPacket(reply: ErrorReply): Buffer {
  return Buffer.concat([
    Buffer.from([0xff]),
    uint16(reply.errno),
    Buffer.from(`#${reply.sqlstate}${reply.message}`, "utf8"),
  ]);
}

export function eofPacket(status: number): Buffer {
  return Buffer.concat([Buffer.from([0xfe]), uint16(0), uint16(status)]);
}

/** The packets of a text result set with the classic EOF packets. */
export function resultSetPackets(result: TextRows, status: number): Buffer[] {
  const { integers = false } = result;
  const isInteger = (index: number): boolean =>
    typeof integers === "boolean" ? integers : integers[index] === true;
  return [
    integer(result.columns.length),
    ...result.columns.map((name, index) => columnPacket(name, isInteger(index))),
    eofPacket(status),
    ...result.rows.map(rowPacket),
    eofPacket(status),
  ];
}

/** Every column of ProxySQL's own result sets is a VAR_STRING without database and table name. */
function columnPacket(name: string, isInteger: boolean): Buffer {
  return Buffer.concat([
    block("def"),
    block(""),
    block(""),
    block(""),
    block(name),
    block(""),
    Buffer.from([0x0c]),
    uint16(isInteger ? CHARSET_BINARY : CHARSET_UTF8),
    uint32(15),
    Buffer.from([isInteger ? TYPE_LONGLONG : TYPE_VAR_STRING]),
    uint16(1),
    Buffer.from([0x1f, 0x00, 0x00]),
  ]);
}

function rowPacket(row: readonly (string | null)[]): Buffer {
  return Buffer.concat(row.map((value) => (value === null ? Buffer.from([0xfb]) : block(value))));
}
