import mysql from "mysql2/promise";
import type { LoadTarget } from "./options.js";

const CONNECT_TIMEOUT_MS = 3000;

/** What became of a statement that failed. */
export class StatementError extends Error {
  override readonly name = "StatementError";
  /** The error number that the server or the proxy sent; null where it sent none. */
  readonly errno: number | null;
  readonly code: string;
  /** Must the session be given up? After an error packet it goes on. */
  readonly sessionLost: boolean;

  constructor(cause: unknown) {
    super(String(cause), { cause });
    const { errno, code, sqlState, fatal } = cause as {
      errno?: number;
      code?: string;
      sqlState?: string;
      fatal?: boolean;
    };
    const answered = sqlState !== undefined && errno !== undefined;
    this.errno = answered ? errno : null;
    this.code = code ?? "UNKNOWN";
    this.sessionLost = !answered || fatal === true;
  }
}

/** One client's connection through a proxy. */
export class LoadSession {
  readonly #connection: mysql.Connection;
  readonly #timeoutMs: number;
  /** Rejects when the session is closed: mysql2 never answers a query whose connection was destroyed. */
  readonly #closed: Promise<never>;
  #reject: (error: unknown) => void = () => undefined;

  private constructor(connection: mysql.Connection, timeoutMs: number) {
    this.#connection = connection;
    this.#timeoutMs = timeoutMs;
    this.#closed = new Promise((_resolve, reject) => {
      this.#reject = reject;
    });
    this.#closed.catch(() => undefined);
  }

  /** @throws StatementError */
  static async open(target: LoadTarget, timeoutMs: number): Promise<LoadSession> {
    const { host, port, user, password } = target;
    try {
      const connection = await mysql.createConnection({
        host,
        port,
        user,
        password,
        database: "app",
        connectTimeout: CONNECT_TIMEOUT_MS,
      });
      connection.on("error", () => undefined);
      return new LoadSession(connection, timeoutMs);
    } catch (error) {
      throw new StatementError(error);
    }
  }

  /** One statement. @throws StatementError */
  async query(sql: string): Promise<Record<string, unknown>[]> {
    try {
      const answer = this.#connection.query({ sql, timeout: this.#timeoutMs });
      const [rows] = await Promise.race([answer, this.#closed]);
      return Array.isArray(rows) ? (rows as Record<string, unknown>[]) : [];
    } catch (error) {
      throw new StatementError(error);
    }
  }

  /** Ends the connection at once; a statement under way fails. */
  close(): void {
    this.#connection.destroy();
    this.#reject(Object.assign(new Error("the session was closed"), { code: "SESSION_CLOSED" }));
  }
}
