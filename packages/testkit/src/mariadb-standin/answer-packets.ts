import { CAPABILITY, STATUS } from "../proxysql-standin/wire/constants.js";
import { errorPacket, okPacket, resultSetPackets } from "../proxysql-standin/wire/replies.js";
import { SqlError } from "./errors.js";
import type { Answer } from "./execute/answer.js";
import type { Session } from "./session.js";
import type { Value } from "./sql/expression.js";

/** What the port offers its clients: no TLS, no prepared statements, one statement at a time. */
export const CAPABILITIES =
  CAPABILITY.LONG_PASSWORD |
  CAPABILITY.FOUND_ROWS |
  CAPABILITY.LONG_FLAG |
  CAPABILITY.CONNECT_WITH_DB |
  CAPABILITY.PROTOCOL_41 |
  CAPABILITY.TRANSACTIONS |
  CAPABILITY.SECURE_CONNECTION |
  CAPABILITY.MULTI_RESULTS |
  CAPABILITY.PLUGIN_AUTH |
  // mysql2 reads the text of an OK packet rightly only where this is offered; nothing is ever said to have changed.
  CAPABILITY.SESSION_TRACK;

/** Server status in OK and EOF packets: by it a proxy knows that the session has to stay on this server. */
export function statusOf({ autocommit, transaction }: Session): number {
  return (autocommit ? STATUS.AUTOCOMMIT : 0) | (transaction === undefined ? 0 : STATUS.IN_TRANSACTION);
}

export function answerPackets(answer: Answer, status: number): Buffer[] {
  if (answer.kind === "ok") {
    const { affectedRows, info } = answer;
    return [okPacket({ affectedRows, status, ...(info === undefined ? {} : { info }) })];
  }
  const { columns, rows } = answer;
  const integers = columns.map((_name, index) => isIntegerColumn(rows.map((row) => row[index] ?? null)));
  const texts = rows.map((row) => row.map((value) => (value === null ? null : String(value))));
  return resultSetPackets({ columns, rows: texts, integers }, status);
}

/** Anything that is no SqlError is a fault of the stand-in, and told as one. */
export function failurePacket(error: unknown): Buffer {
  const { errno, sqlstate, message } =
    error instanceof SqlError ? error : new SqlError(1105, `the MariaDB stand-in failed: ${String(error)}`);
  return errorPacket({ errno, sqlstate, message });
}

function isIntegerColumn(values: readonly Value[]): boolean {
  const known = values.filter((value) => value !== null);
  return known.length > 0 && known.every((value) => Number.isInteger(value));
}
