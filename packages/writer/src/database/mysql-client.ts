import type { Server } from "@primacy/contract";
import mysql from "mysql2/promise";
import {
  type DatabaseAccount,
  DatabaseError,
  type DatabaseErrorCode,
  type DatabaseSession,
  type Row,
} from "./session.js";

/*
 * The one file of the writer that knows mysql2. It is built into a file of its own (bundle.mjs), which is loaded only where
 * there is an account for the database servers.
 */

/** The login was refused, or a privilege is missing. Also a server that may not be reached from here (1130). */
const DENIED: ReadonlySet<number> = new Set([1044, 1045, 1095, 1130, 1142, 1227, 1251, 1698, 3118, 3159]);

/** @see Connect */
export async function connectMySql(
  server: Server,
  account: DatabaseAccount,
  timeoutMs: number,
): Promise<DatabaseSession> {
  const where = `${server.host}:${String(server.port)}`;
  const options: mysql.ConnectionOptions = {
    host: server.host,
    port: server.port,
    user: account.user,
    password: account.password,
    connectTimeout: Math.max(1, Math.ceil(timeoutMs)),
    // A result is only read for a few columns, and never as anything but text.
    supportBigNumbers: true,
    bigNumberStrings: true,
    dateStrings: true,
    enableKeepAlive: false,
    ...tlsOptions(account),
  };
  let connection: mysql.Connection;
  try {
    connection = await mysql.createConnection(options);
  } catch (error) {
    throw asDatabaseError(error, where);
  }
  // Without a listener, a session that the server kills would end this process.
  connection.on("error", () => undefined);
  return {
    id: connection.threadId,
    query: async (sql, limitMs) => {
      try {
        const [rows] = await connection.query({ sql, timeout: Math.max(1, Math.ceil(limitMs)) });
        return Array.isArray(rows) ? rows.map((row) => plainRow(row as Record<string, unknown>)) : [];
      } catch (error) {
        const said = asDatabaseError(error, where);
        // The next answer would be this one's.
        if (said.code === "timeout") connection.destroy();
        throw said;
      }
    },
    close: () => connection.destroy(),
  };
}

/** Texts come as bytes where the server calls them binary; dates and large numbers were asked for as texts. */
function plainRow(row: Record<string, unknown>): Row {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, plainValue(value)]));
}

function plainValue(value: unknown): Row[string] {
  if (typeof value === "string" || typeof value === "number") return value;
  return Buffer.isBuffer(value) ? value.toString("utf8") : null;
}

function tlsOptions(account: DatabaseAccount): Pick<mysql.ConnectionOptions, "ssl"> {
  if (account.tls === "off") return {};
  const verify = account.tls === "verify";
  return {
    ssl: {
      minVersion: "TLSv1.2",
      rejectUnauthorized: verify,
      verifyIdentity: verify,
      ...(account.ca === undefined ? {} : { ca: account.ca }),
    },
  };
}

/** In our words. The server's own text never has the password in it. */
function asDatabaseError(error: unknown, where: string): DatabaseError {
  const { code = "", errno, message } = error as { code?: string; errno?: number; message: string };
  const number = typeof errno === "number" && errno >= 1000 ? errno : undefined;
  const said = message === "" ? code : message;
  return new DatabaseError(codeOf(code, number), `${where}: ${said}`, number, { cause: error });
}

function codeOf(code: string, errno: number | undefined): DatabaseErrorCode {
  if (code === "PROTOCOL_SEQUENCE_TIMEOUT" || code === "ETIMEDOUT") return "timeout";
  if (errno === undefined) return "unreachable";
  return DENIED.has(errno) ? "denied" : "refused";
}
