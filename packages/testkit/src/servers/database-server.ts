import { join } from "node:path";
import mysql from "mysql2/promise";
import type { ProcessExit } from "../process.js";
import { startProcess } from "../process.js";
import { removeFolder } from "../remove-folder.js";
import { dieWithParent } from "./die-with-parent.js";
import { type Account, accounts } from "./mariadb-accounts.js";

/** How to start a database server. */
export interface DatabaseOptions {
  /** Must differ between the servers of one topology. */
  serverId: number;
  /** By which it is reached, and on which it listens (default 127.0.0.1). */
  host?: string;
  /** The network namespace to run in, which must have `host` (default: that of this process). */
  namespace?: string | undefined;
  /** read_only as the configuration file would have it, so also after each restart (default false). */
  readOnly?: boolean;
  /** More options of the server. */
  extra?: readonly string[];
}

/** One row of a result. */
export type Row = Record<string, unknown>;

/** What a server was settled on. */
export interface DatabaseSettled extends Required<DatabaseOptions> {
  readonly port: number;
  readonly program: string;
  /** Its data and its log are in it; removed by close(). Undefined where it keeps none. */
  readonly folder: string | undefined;
}

/** What runs a database server. */
export interface DatabaseRunner {
  /** A clean shutdown; SIGKILL where it takes longer than `graceMs`. */
  stop(graceMs?: number): Promise<ProcessExit>;
  kill9(): Promise<ProcessExit>;
  suspend(): void;
  resume(): void;
}

/** A database server: the process may come and go, host, port and data stay. */
export abstract class DatabaseServer {
  readonly host: string;
  readonly port: number;
  readonly serverId: number;
  readonly dataDir: string;
  readonly #settled: DatabaseSettled;
  #runner: DatabaseRunner | undefined;

  constructor(settled: DatabaseSettled) {
    this.host = settled.host;
    this.port = settled.port;
    this.serverId = settled.serverId;
    this.dataDir = join(settled.folder ?? "", "data");
    this.#settled = settled;
  }

  protected abstract serverArguments(settled: DatabaseSettled): string[];

  /** Makes this server a replica of `master` by GTID and waits until both threads run. */
  abstract replicateFrom(master: { host: string; port: number }): Promise<void>;

  /** The row of SHOW SLAVE (REPLICA) STATUS, or undefined when this server is nobody's replica. */
  abstract replicaStatus(): Promise<Row | undefined>;

  /** "host:port" */
  get address(): string {
    return `${this.host}:${this.port}`;
  }

  /** Starts the server on its data (again) and waits until it answers. */
  async start(readOnly = this.#settled.readOnly): Promise<void> {
    this.#runner = await this.run({ ...this.#settled, readOnly });
  }

  /** Starts what runs the server, and waits until it answers. */
  protected async run(settled: DatabaseSettled): Promise<DatabaseRunner> {
    return await startProcess({
      name: `${this.constructor.name} ${this.address}`,
      ...dieWithParent(settled.program, this.serverArguments(settled)),
      namespace: settled.namespace,
      logFile: `${this.dataDir}.log`,
      ready: () => this.query("SELECT 1"),
    });
  }

  /** A new session (default: as the application). The caller ends it. */
  async connect(account: Account = accounts.app, database = "app"): Promise<mysql.Connection> {
    const { host, port } = this;
    const connection = await mysql.createConnection({
      host,
      port,
      ...account,
      database,
      connectTimeout: 20_000,
    });
    // Without a listener, a server that is killed would end the test process.
    connection.on("error", () => undefined);
    return connection;
  }

  /** One statement as root in a session of its own; answers the rows, none for a statement that has no rows. */
  async query(sql: string): Promise<Row[]> {
    const connection = await this.connect(accounts.root, "");
    try {
      const [rows] = await connection.query({ sql, timeout: 30_000 });
      return Array.isArray(rows) ? (rows as Row[]) : [];
    } finally {
      connection.destroy();
    }
  }

  /** Clean shutdown (SIGTERM); SIGKILL when it takes longer than `graceMs`. */
  async stop(graceMs?: number): Promise<ProcessExit | undefined> {
    return this.#runner?.stop(graceMs);
  }

  /** A crash. What was acknowledged is on disk. */
  async kill9(): Promise<ProcessExit | undefined> {
    return this.#runner?.kill9();
  }

  /** The server hangs with its sockets open. */
  suspend(): void {
    this.#runner?.suspend();
  }

  resume(): void {
    this.#runner?.resume();
  }

  /** Stops what runs and starts again on the same port and data; `readOnly` as in the configuration file. */
  async restart(options: { readOnly?: boolean } = {}): Promise<void> {
    await this.stop();
    await this.start(options.readOnly);
  }

  /** Kills the server and removes its data. */
  async close(): Promise<void> {
    await this.kill9();
    const { folder } = this.#settled;
    if (folder !== undefined) await removeFolder(folder);
  }
}
