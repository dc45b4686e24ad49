import mysql, { type Connection, type ConnectionOptions } from "mysql2/promise";
import { type AdminError, adminError } from "./admin-error.js";

/** How to reach one ProxySQL's admin port. */
export interface AdminOptions {
  readonly host: string;
  readonly port: number;
  /** Path of a Unix socket, instead of host and port. */
  readonly socketPath: string | null;
  readonly user: string;
  readonly password: string;
  readonly tls: boolean;
  /** Limit of a connect and of each statement. Milliseconds. Several deadlocks of the admin are known (#1578, #3847). */
  readonly timeoutMs: number;
}

/** A row as the admin answers it: every column is text or NULL. */
export type AdminRow = Readonly<Record<string, string | null>>;

/**
 * One kept connection to an admin port. Statements run one after another; after any failure of the connection or a
 * time-out it is thrown away, and the next statement connects anew: the outcome of what timed out is unknown.
 *
 * The only importer of mysql2 in the watcher. It sends plain text only: no placeholders, no prepared statements, no
 * transactions, no several statements at once and never an empty one (`;` alone ends the ProxySQL process, 2.7.1).
 */
export class Admin {
  #connection: Connection | null = null;
  #queue: Promise<unknown> = Promise.resolve();
  #running: Promise<unknown> = Promise.resolve();
  #connects = 0;

  constructor(readonly options: AdminOptions) {}

  /** Grows with every new connection: whoever keeps state of a connection compares it. */
  get connects(): number {
    return this.#connects;
  }

  /** Rows of a SELECT or SHOW. Throws {@link AdminError}. */
  async rows(sql: string): Promise<readonly AdminRow[]> {
    const result = await this.#run(sql);
    return Array.isArray(result) ? (result as AdminRow[]) : [];
  }

  /** Runs a statement that changes something. Throws {@link AdminError}. */
  async execute(sql: string): Promise<void> {
    await this.#run(sql);
  }

  /** Runs `work` with nobody else's statements in between (of this process: others' always may be). */
  async exclusively<T>(work: () => Promise<T>): Promise<T> {
    const before = this.#queue;
    let release = (): void => undefined;
    this.#queue = new Promise<void>((resolve) => {
      release = resolve;
    });
    await before.catch(() => undefined);
    try {
      return await work();
    } finally {
      release();
    }
  }

  close(): void {
    this.#connection?.destroy();
    this.#connection = null;
  }

  /**
   * One statement at a time is given to mysql2: one that waits behind another there is never answered, and never times out,
   * once the connection was thrown away because of the first (3.24.5; its timer begins with the sending).
   */
  async #run(sql: string): Promise<unknown> {
    if (sql.replaceAll(/[;\s]/g, "") === "") throw new RangeError("an empty statement ends ProxySQL (#4716)");
    const running = this.#running.then(async () => await this.#ask(sql));
    this.#running = running.catch(() => undefined);
    return await running;
  }

  async #ask(sql: string): Promise<unknown> {
    const connection = this.#connection ?? (await this.#connect());
    try {
      const [result] = await connection.query({ sql, timeout: this.options.timeoutMs });
      return result;
    } catch (cause) {
      const error = adminError(cause);
      if (loses(error)) this.close();
      throw error;
    }
  }

  async #connect(): Promise<Connection> {
    const { host, port, socketPath, user, password, tls, timeoutMs } = this.options;
    const options: ConnectionOptions = {
      ...(socketPath === null ? { host, port } : { socketPath }),
      user,
      password,
      connectTimeout: timeoutMs,
      // ProxySQL makes its certificate itself: TLS here hides the password from the wire, it proves no identity.
      ...(tls ? { ssl: { rejectUnauthorized: false } } : {}),
    };
    let connection: Connection;
    try {
      connection = await mysql.createConnection(options);
    } catch (cause) {
      throw adminError(cause);
    }
    // Without a listener, a connection that breaks between two statements would end the process.
    connection.on("error", () => {
      if (this.#connection === connection) this.close();
    });
    this.#connection = connection;
    this.#connects += 1;
    return connection;
  }
}

function loses(error: AdminError): boolean {
  return (
    error.code === "PROXYSQL_TIMEOUT" ||
    error.code === "PROXYSQL_UNREACHABLE" ||
    error.code === "PROXYSQL_LOGIN_REFUSED"
  );
}
