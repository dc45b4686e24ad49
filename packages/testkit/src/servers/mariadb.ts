import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MariaDbStandIn } from "../mariadb-standin/standin.js";
import { freePort, startOnFreePorts } from "../ports.js";
import { waitUntil } from "../wait-until.js";
import { accounts } from "./mariadb-accounts.js";
import {
  type DatabaseOptions,
  type DatabaseRunner,
  DatabaseServer,
  type DatabaseSettled,
  type Row,
} from "./database-server.js";
import { requireServer } from "./found.js";
import { runMariaDbHere } from "./mariadb-here.js";
import { foldersOf, makeDataDir, STORAGE_OPTIONS, userOption } from "./mariadb-template.js";

/** How to start a MariaDB. */
export interface MariaDbOptions extends DatabaseOptions {
  /** The program (default), or the stand-in inside this process: it keeps its data in memory and can't be suspended. */
  kind?: MariaDbKind;
}

export type MariaDbKind = "real" | "stand-in";

/**
 * Starts a MariaDB that is ready for replication by GTID (binary log, log_slave_updates, gtid_strict_mode).
 *
 * @throws when no MariaDB is installed and none was to stand in, or it does not answer within 30 s (the message has its
 *   log's last lines).
 */
export async function startMariaDb(options: MariaDbOptions): Promise<MariaDb> {
  const settle = options.kind === "stand-in" ? settleStandIn : settleReal;
  return startOnFreePorts(async () => new MariaDb(await settle(options), options.kind));
}

/** Options by which no write is acknowledged that one server only has: a killed master takes none along. */
export const SEMI_SYNCHRONOUS = [
  "--rpl-semi-sync-master-enabled=1",
  "--rpl-semi-sync-slave-enabled=1",
  // A replica has a binary log too, and would wait for replicas of its own, which it has not.
  "--rpl-semi-sync-master-wait-no-slave=0",
] as const;

async function settleReal(options: MariaDbOptions): Promise<DatabaseSettled> {
  const { path, version } = requireServer("mariadb");
  const folder = await mkdtemp(join(tmpdir(), "primacy-mariadb-"));
  await makeDataDir(join(folder, "data"), version);
  const host = options.host ?? "127.0.0.1";
  // Inside a namespace of its own, every port is free.
  const port = await freePort(options.namespace === undefined ? host : "127.0.0.1");
  return { readOnly: false, extra: [], namespace: undefined, ...options, host, port, program: path, folder };
}

async function settleStandIn(options: MariaDbOptions): Promise<DatabaseSettled> {
  const { serverId, extra = [], host = "127.0.0.1", readOnly = false } = options;
  if (extra.length > 0) throw new RangeError("a stand-in for MariaDB knows no more options");
  const port = await freePort(host);
  return { serverId, host, port, namespace: undefined, readOnly, extra, program: "", folder: undefined };
}

/** A MariaDB server, or its stand-in. */
export class MariaDb extends DatabaseServer {
  readonly kind: MariaDbKind;
  #standIn: MariaDbStandIn | undefined;

  constructor(settled: DatabaseSettled, kind: MariaDbKind = "real") {
    super(settled);
    this.kind = kind;
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

  /**
   * Throws away what it has, and makes it a replica of `master` from the beginning of its binary log: what is left for a
   * server that has transactions which the master has not.
   */
  async rebuildFrom(master: { host: string; port: number }): Promise<void> {
    if (this.kind !== "real") throw new Error("a stand-in for MariaDB can't be rebuilt");
    await this.kill9();
    await rm(this.dataDir, { recursive: true, force: true });
    await makeDataDir(this.dataDir, requireServer("mariadb").version);
    await this.start(true);
    await this.replicateFrom(master);
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

  async #replicates(): Promise<Row | undefined> {
    const status = await this.replicaStatus();
    if (status?.["Slave_IO_Running"] === "Yes" && status["Slave_SQL_Running"] === "Yes") return status;
    throw new Error(JSON.stringify({ io: status?.["Last_IO_Error"], sql: status?.["Last_SQL_Error"] }));
  }

  protected override async run(settled: DatabaseSettled): Promise<DatabaseRunner> {
    if (this.kind === "real") return await super.run(settled);
    this.#standIn ??= new MariaDbStandIn({ serverId: this.serverId, host: this.host, port: this.port });
    return await runMariaDbHere(this.#standIn, settled.readOnly);
  }

  protected serverArguments(settled: DatabaseSettled): string[] {
    return [
      "--no-defaults",
      ...userOption(),
      ...foldersOf(this.dataDir),
      `--socket=${this.dataDir}/mariadb.sock`,
      `--pid-file=${this.dataDir}/mariadb.pid`,
      `--bind-address=${settled.host}`,
      `--port=${settled.port}`,
      `--server-id=${settled.serverId}`,
      `--read-only=${settled.readOnly ? 1 : 0}`,
      `--report-host=${settled.host}`,
      `--report-port=${settled.port}`,
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
      ...settled.extra,
    ];
  }
}
