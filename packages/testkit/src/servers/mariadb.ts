import { mkdtemp, rm } from "node:fs/promises";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import mysql from "mysql2/promise";
import { freePort } from "../ports.js";
import { type ProcessExit, type RunningProcess, startProcess } from "../process.js";
import { waitUntil } from "../wait-until.js";
import { dieWithParent } from "./die-with-parent.js";
import { requireServer } from "./found.js";
import { type Account, accounts } from "./mariadb-accounts.js";
import { makeDataDir, STORAGE_OPTIONS, userOption } from "./mariadb-template.js";

/** How to start a MariaDB. */
export interface MariaDbOptions {
  /** Must differ between the servers of one topology. */
  serverId: number;
  /** An existing or new data folder (default: a temporary one, removed by close()). */
  dataDir?: string;
  host?: string;
  port?: number;
  /** read_only as the configuration file would have it, so also after each restart (default false). */
  readOnly?: boolean;
  /** More options of mariadbd. */
  extra?: readonly string[];
}

/** One row of a result. */
export type Row = Record<string, unknown>;

/**
 * Starts a real MariaDB that is ready for replication by GTID (binary log, log_slave_updates, gtid_strict_mode).
 *
 * @throws when no MariaDB is installed, or it does not answer within 30 s (the message has its log's last lines).
 */
export async function startMariaDb(options: MariaDbOptions): Promise<MariaDb> {
  const { path, version } = requireServer("mariadb");
  const temporary =
    options.dataDir === undefined ? await mkdtemp(join(tmpdir(), "primacy-mariadb-")) : undefined;
  const dataDir = options.dataDir ?? join(temporary ?? "", "data");
  if (!existsSync(dataDir)) await makeDataDir(dataDir, version);
  const host = options.host ?? "127.0.0.1";
  const port = options.port ?? (await freePort(host));
  const server = new MariaDb(
    path,
    { readOnly: false, extra: [], ...options, dataDir, host, port },
    temporary,
  );
  try {
    await server.start();
  } catch (error) {
    await server.close();
    throw error;
  }
  return server;
}

/** A MariaDB server: the process may come and go, host, port and data stay. */
export class MariaDb {
  readonly host: string;
  readonly port: number;
  readonly serverId: number;
  readonly dataDir: string;
  readonly #program: string;
  readonly #options: Required<MariaDbOptions>;
  readonly #temporary: string | undefined;
  #process: RunningProcess | undefined;

  constructor(program: string, options: Required<MariaDbOptions>, temporary: string | undefined) {
    this.host = options.host;
    this.port = options.port;
    this.serverId = options.serverId;
    this.dataDir = options.dataDir;
    this.#program = program;
    this.#options = options;
    this.#temporary = temporary;
  }

  /** "host:port" */
  get address(): string {
    return `${this.host}:${this.port}`;
  }

  /** Starts the server on its data (again) and waits until it answers. */
  async start(readOnly = this.#options.readOnly): Promise<void> {
    const line = dieWithParent(this.#program, serverArguments({ ...this.#options, readOnly }));
    this.#process = await startProcess({
      name: `mariadb ${this.address}`,
      ...line,
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
      connectTimeout: 5_000,
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

  /**
   * Makes this server a replica of `master` by MASTER_USE_GTID=slave_pos and waits until both threads run. What it
   * wrote itself as a master counts as its position (MASTER_DEMOTE_TO_SLAVE, MariaDB 10.10 and later).
   */
  async replicateFrom(master: { host: string; port: number }): Promise<void> {
    const { user, password } = accounts.repl;
    await this.query("STOP SLAVE");
    await this.query(
      `CHANGE MASTER TO MASTER_HOST='${master.host}', MASTER_PORT=${master.port}, MASTER_USER='${user}', ` +
        `MASTER_PASSWORD='${password}', MASTER_USE_GTID=slave_pos, MASTER_DEMOTE_TO_SLAVE=1, ` +
        "MASTER_CONNECT_RETRY=1, MASTER_HEARTBEAT_PERIOD=1",
    );
    await this.query("START SLAVE");
    await waitUntil(() => this.#replicates(), { timeoutMs: 30_000, what: `${this.address} to replicate` });
  }

  /** The row of SHOW SLAVE STATUS, or undefined when this server is nobody's replica. */
  async replicaStatus(): Promise<Row | undefined> {
    const [status] = await this.query("SHOW SLAVE STATUS");
    return status;
  }

  /** Waits until this replica has everything that `master` has in its binary log now. */
  async catchUpWith(master: MariaDb, timeoutMs = 30_000): Promise<void> {
    const [position] = await master.query("SELECT @@global.gtid_binlog_pos AS gtid");
    const wanted = String(position?.["gtid"]);
    const seconds = Math.min(timeoutMs, 29_000) / 1000;
    const [answer] = await this.query(`SELECT MASTER_GTID_WAIT('${wanted}', ${seconds}) AS result`);
    if (Number(answer?.["result"]) === 0) return;
    const status = JSON.stringify(await this.replicaStatus());
    throw new Error(
      `${this.address} did not reach ${wanted} of ${master.address} in ${seconds} s: ${status}`,
    );
  }

  /** Clean shutdown (SIGTERM); SIGKILL when it takes longer than `graceMs`. */
  async stop(graceMs?: number): Promise<ProcessExit | undefined> {
    return this.#process?.stop(graceMs);
  }

  /** A crash. What was acknowledged is on disk. */
  async kill9(): Promise<ProcessExit | undefined> {
    return this.#process?.kill9();
  }

  /** The server hangs with its sockets open. */
  suspend(): void {
    this.#process?.suspend();
  }

  resume(): void {
    this.#process?.resume();
  }

  /** Stops what runs and starts again on the same port and data; `readOnly` as in the configuration file. */
  async restart(options: { readOnly?: boolean } = {}): Promise<void> {
    await this.stop();
    await this.start(options.readOnly);
  }

  /** Kills the server and removes its data where they were temporary. */
  async close(): Promise<void> {
    await this.kill9();
    if (this.#temporary !== undefined) await rm(this.#temporary, { recursive: true, force: true });
  }

  async #replicates(): Promise<Row | undefined> {
    const status = await this.replicaStatus();
    if (status?.["Slave_IO_Running"] === "Yes" && status["Slave_SQL_Running"] === "Yes") return status;
    throw new Error(JSON.stringify({ io: status?.["Last_IO_Error"], sql: status?.["Last_SQL_Error"] }));
  }
}

function serverArguments(options: Required<MariaDbOptions>): string[] {
  return [
    "--no-defaults",
    ...userOption(),
    `--datadir=${options.dataDir}`,
    `--socket=${options.dataDir}/mariadb.sock`,
    `--pid-file=${options.dataDir}/mariadb.pid`,
    `--bind-address=${options.host}`,
    `--port=${options.port}`,
    `--server-id=${options.serverId}`,
    `--read-only=${options.readOnly ? 1 : 0}`,
    `--report-host=${options.host}`,
    `--report-port=${options.port}`,
    "--log-bin=binlog",
    "--binlog-format=ROW",
    "--log-slave-updates=1",
    "--gtid-strict-mode=1",
    "--slave-net-timeout=5",
    "--skip-name-resolve",
    ...STORAGE_OPTIONS,
    // A killed process loses nothing that it handed to the kernel, so commits need no fsync here.
    "--innodb-flush-log-at-trx-commit=2",
    "--key-buffer-size=1M",
    "--aria-pagecache-buffer-size=1M",
    "--table-open-cache=200",
    "--max-connections=500",
    "--thread-stack=256K",
    ...options.extra,
  ];
}
