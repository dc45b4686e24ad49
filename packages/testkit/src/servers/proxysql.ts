import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import mysql from "mysql2/promise";
import { freePort, startOnFreePorts } from "../ports.js";
import type { Elsewhere, ProcessExit } from "../process.js";
import { removeFolder } from "../remove-folder.js";
import type { Configuration, ConfigurationRow } from "../proxysql-standin/configuration.js";
import { type Account, accounts } from "./mariadb-accounts.js";
import {
  type ProxySqlRunner,
  type ProxySqlRunnerInput,
  runRealProxySql,
  runStandInHere,
  runStandInProcess,
} from "./proxysql-runner.js";

/** How to start a ProxySQL. Rows have the columns of ProxySQL's tables; those left out get their default. */
export interface ProxySqlOptions {
  /**
   * The stand-in as a process of its own (default), inside this process (quick, can't be suspended), or the program that
   * PRIMACY_PROXYSQL_BIN names.
   */
  kind?: "stand-in" | "stand-in here" | "real";
  /** Where it runs, if not here on 127.0.0.1. There, it listens on every address. */
  elsewhere?: Elsewhere | undefined;
  /** By full name, for instance "mysql-query_retries_on_failure". */
  variables?: Readonly<Record<string, string>>;
  servers?: readonly ConfigurationRow[];
  users?: readonly ConfigurationRow[];
  rules?: readonly ConfigurationRow[];
  replicationHostgroups?: readonly ConfigurationRow[];
  scheduler?: readonly ConfigurationRow[];
  proxysqlServers?: readonly ConfigurationRow[];
}

/** A row of the admin port: every value is a text, or null. */
export type AdminRow = Record<string, string | null>;

/** The accounts of the admin port. */
export const proxySqlAccounts = {
  admin: { user: "admin", password: "admin-password" },
  /** ProxySQL takes the user called "admin" from its own host only (2.7.1, lib/MySQL_Session.cpp). */
  adminFromElsewhere: { user: "remote-admin", password: "remote-admin-password" },
  stats: { user: "stats", password: "stats-password" },
} as const;

/**
 * Starts a ProxySQL and waits until both of its ports answer.
 *
 * @throws when it does not answer within 30 s (the message has its log's last lines).
 */
export async function startProxySql(options: ProxySqlOptions = {}): Promise<ProxySql> {
  return startOnFreePorts(async () => {
    const folder = await mkdtemp(join(tmpdir(), "primacy-proxysql-"));
    return new ProxySql({ ...options, folder, adminPort: await freePort(), port: await freePort() });
  });
}

const LOOPBACK = "127.0.0.1";

/** `folder`: proxysql.db is kept there; removed by close(). */
type Settled = ProxySqlOptions & { folder: string; adminPort: number; port: number };

const RUNNERS: Readonly<
  Record<NonNullable<ProxySqlOptions["kind"]>, (input: ProxySqlRunnerInput) => Promise<ProxySqlRunner>>
> = {
  "stand-in": runStandInProcess,
  "stand-in here": runStandInHere,
  real: runRealProxySql,
};

/** A ProxySQL: the process may come and go; ports and data folder stay. */
export class ProxySql {
  readonly kind: NonNullable<ProxySqlOptions["kind"]>;
  /** By which it is reached from here. */
  readonly host: string;
  readonly adminPort: number;
  readonly port: number;
  readonly dataDir: string;
  /** As it names itself. */
  version = "";
  readonly #options: Settled;
  #runner: ProxySqlRunner | undefined;
  #session: mysql.Connection | undefined;

  constructor(options: Settled) {
    this.kind = options.kind ?? "stand-in";
    this.host = options.elsewhere?.address ?? LOOPBACK;
    this.adminPort = options.adminPort;
    this.port = options.port;
    this.dataDir = join(options.folder, "data");
    this.#options = options;
  }

  /** Everything that the process has printed is in this file. */
  get logFile(): string {
    return `${this.dataDir}.log`;
  }

  /** Settles when the process that runs now has ended. */
  get exited(): Promise<ProcessExit> {
    return this.#runner?.exited ?? Promise.reject(new Error("ProxySQL was never started"));
  }

  /** Starts it (again) on its data folder: what was saved to disk is in force, and nothing else. */
  async start(): Promise<void> {
    this.#runner = await RUNNERS[this.kind]({
      dataDir: this.dataDir,
      configuration: configurationOf(this.#options),
      namespace: this.#options.elsewhere?.namespace,
      logFile: this.logFile,
      ready: () => this.#answers(),
    });
    if (this.version === "") await this.#answers();
  }

  /**
   * One statement on the administrator's session, which is kept. The text is sent as it is: double every ' in a value.
   *
   * @returns the rows; none for a statement that has no rows.
   */
  async admin(sql: string): Promise<AdminRow[]> {
    this.#session ??= await this.connectAdmin();
    try {
      const [rows] = await this.#session.query({ sql, timeout: 30_000 });
      return Array.isArray(rows) ? (rows as AdminRow[]) : [];
    } catch (error) {
      if ((error as { fatal?: boolean }).fatal) this.#forgetSession();
      throw error;
    }
  }

  /** A session of its own on the admin port. The caller ends it. */
  async connectAdmin(account: Account = this.#administrator): Promise<mysql.Connection> {
    return connect(this, this.adminPort, account);
  }

  /** A client's session on the traffic port (default: as the application). The caller ends it. */
  async connectClient(account: Account = accounts.app, database = "app"): Promise<mysql.Connection> {
    return connect(this, this.port, account, { database });
  }

  async stop(): Promise<void> {
    this.#forgetSession();
    await this.#runner?.stop();
  }

  /** A crash: what was not saved to disk is lost. */
  async kill9(): Promise<void> {
    this.#forgetSession();
    await this.#runner?.kill9();
  }

  /** Stops it and starts it again on the same data folder. */
  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  /** It hangs with its sockets open. */
  suspend(): void {
    this.#runner?.suspend();
  }

  resume(): void {
    this.#runner?.resume();
  }

  async close(): Promise<void> {
    await this.kill9();
    await removeFolder(this.#options.folder);
  }

  async #answers(): Promise<boolean> {
    // The listener for the applications comes last.
    const client = await connect(this, this.port, { user: "nobody", password: "" }).catch(
      (error: unknown) => error,
    );
    if ((client as { errno?: number }).errno !== 1045) throw client;
    const [row] = await this.admin("SELECT @@version");
    this.version = row?.["@@version"] ?? "";
    return true;
  }

  get #administrator(): Account {
    const { admin, adminFromElsewhere } = proxySqlAccounts;
    return this.#options.elsewhere === undefined ? admin : adminFromElsewhere;
  }

  #forgetSession(): void {
    this.#session?.destroy();
    this.#session = undefined;
  }
}

async function connect(
  { host }: ProxySql,
  port: number,
  account: Account,
  options: { database?: string } = {},
): Promise<mysql.Connection> {
  const connection = await mysql.createConnection({
    host,
    port,
    ...account,
    ...options,
    connectTimeout: 20_000,
  });
  // Without a listener, a ProxySQL that drops the session would end the test process.
  connection.on("error", () => undefined);
  return connection;
}

function configurationOf(options: Settled): Configuration {
  const { admin, adminFromElsewhere, stats } = proxySqlAccounts;
  const listen = options.elsewhere === undefined ? LOOPBACK : "0.0.0.0";
  return {
    variables: {
      "admin-admin_credentials": [admin, ...(options.elsewhere === undefined ? [] : [adminFromElsewhere])]
        .map(({ user, password }) => `${user}:${password}`)
        .join(";"),
      "admin-stats_credentials": `${stats.user}:${stats.password}`,
      "admin-mysql_ifaces": `${listen}:${options.adminPort}`,
      "mysql-interfaces": `${listen}:${options.port}`,
      "mysql-threads": "2",
      "mysql-monitor_username": accounts.monitor.user,
      "mysql-monitor_password": accounts.monitor.password,
      ...options.variables,
    },
    tables: {
      mysql_servers: options.servers ?? [],
      mysql_users: options.users ?? [],
      mysql_query_rules: options.rules ?? [],
      mysql_replication_hostgroups: options.replicationHostgroups ?? [],
      scheduler: options.scheduler ?? [],
      proxysql_servers: options.proxysqlServers ?? [],
    },
  };
}
