import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort, startOnFreePorts } from "../ports.js";
import { waitUntil } from "../wait-until.js";
import { type DatabaseOptions, DatabaseServer, type DatabaseSettled, type Row } from "./database-server.js";
import { requireServer } from "./found.js";
import { accounts } from "./mariadb-accounts.js";
import { foldersOf, userOption } from "./mariadb-template.js";
import { makeDataDir, STORAGE_OPTIONS } from "./mysql-template.js";

/**
 * Starts a real MySQL that is ready for replication (binary log, GTIDs unless `extra` says otherwise).
 *
 * Its accounts log in by caching_sha2_password, the default since 8.0 and the only way by password in 9.x: without TLS the
 * client asks the server for its public key.
 *
 * @throws when no MySQL is there, or it does not answer within 30 s (the message has its log's last lines).
 */
export async function startMySql(options: DatabaseOptions): Promise<MySql> {
  const { path, version } = requireServer("mysql");
  const host = options.host ?? "127.0.0.1";
  return startOnFreePorts(async () => {
    const folder = await mkdtemp(join(tmpdir(), "primacy-mysql-"));
    await makeDataDir(path, version, join(folder, "data"));
    const settled = { readOnly: false, extra: [], namespace: undefined, ...options, host };
    return new MySql({ ...settled, port: await freePort(host), program: path, folder });
  });
}

/** A MySQL server (8.0.26 and later: the words are the new ones). */
export class MySql extends DatabaseServer {
  /** By GTID (SOURCE_AUTO_POSITION=1) where this server has GTIDs, else from where the master's binary log ends now. */
  async replicateFrom(master: DatabaseServer): Promise<void> {
    const { user, password } = accounts.repl;
    await this.query("STOP REPLICA");
    await this.query(
      `CHANGE REPLICATION SOURCE TO SOURCE_HOST='${master.host}', SOURCE_PORT=${master.port}, SOURCE_USER='${user}', ` +
        `SOURCE_PASSWORD='${password}', GET_SOURCE_PUBLIC_KEY=1, SOURCE_CONNECT_RETRY=1, SOURCE_HEARTBEAT_PERIOD=1, ` +
        (await this.#startingPoint(master)),
    );
    await this.query("START REPLICA");
    await waitUntil(() => this.#replicates(), { timeoutMs: 30_000, what: `${this.address} to replicate` });
  }

  /** The row of SHOW REPLICA STATUS, or undefined when this server is nobody's replica. */
  async replicaStatus(): Promise<Row | undefined> {
    const [status] = await this.query("SHOW REPLICA STATUS");
    return status;
  }

  async #startingPoint(master: DatabaseServer): Promise<string> {
    const [mode] = await this.query("SELECT @@global.gtid_mode AS mode");
    if (mode?.["mode"] === "ON") return "SOURCE_AUTO_POSITION=1";
    const [end] = await master.query("SHOW BINARY LOG STATUS");
    return `SOURCE_LOG_FILE='${String(end?.["File"])}', SOURCE_LOG_POS=${String(end?.["Position"])}`;
  }

  async #replicates(): Promise<Row | undefined> {
    const status = await this.replicaStatus();
    if (status?.["Replica_IO_Running"] === "Yes" && status["Replica_SQL_Running"] === "Yes") return status;
    throw new Error(JSON.stringify({ io: status?.["Last_IO_Error"], sql: status?.["Last_SQL_Error"] }));
  }

  protected serverArguments(settled: DatabaseSettled): string[] {
    return [
      "--no-defaults",
      ...userOption(),
      ...foldersOf(this.dataDir),
      `--socket=${this.dataDir}/mysql.sock`,
      `--pid-file=${this.dataDir}/mysql.pid`,
      `--bind-address=${settled.host}`,
      `--port=${settled.port}`,
      "--mysqlx=OFF",
      `--server-id=${settled.serverId}`,
      `--read-only=${settled.readOnly ? 1 : 0}`,
      `--report-host=${settled.host}`,
      `--report-port=${settled.port}`,
      "--log-bin=binlog",
      "--gtid-mode=ON",
      "--enforce-gtid-consistency=ON",
      "--replica-net-timeout=5",
      "--skip-name-resolve",
      ...STORAGE_OPTIONS,
      // A killed process loses nothing that it handed to the kernel, so commits need no fsync here.
      "--innodb-flush-log-at-trx-commit=2",
      "--sync-binlog=0",
      "--table-open-cache=200",
      "--table-definition-cache=400",
      "--max-connections=200",
      "--performance-schema-max-table-instances=200",
      "--performance-schema-digests-size=200",
      ...settled.extra,
    ];
  }
}
