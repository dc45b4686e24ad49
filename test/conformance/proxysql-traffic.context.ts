import {
  accounts,
  type MariaDb,
  type ProxySql,
  startMariaDb,
  startProxySql,
  waitUntil,
} from "@primacy/testkit";
import type { Connection } from "mysql2/promise";
import { afterAll, afterEach, beforeAll, beforeEach } from "vitest";
import type { Kind } from "./proxysql.context.js";

/** The hostgroups of the tests. */
export const WRITER = 10;
export const READER = 20;

/** How long a statement waits for a server where a test does not say: a restart of MariaDB may be in it. Milliseconds. */
const CONNECT_LIMIT = "60000";

/** How a socket ends that nobody has said anything on: a query that was still unread makes a reset of the end. */
const CLOSED = ["PROTOCOL_CONNECTION_LOST", "ECONNRESET", "EPIPE"];

/** How a server stops being the one of its hostgroup. */
export type Leaving = "OFFLINE_SOFT" | "OFFLINE_HARD" | "deleted" | "moved";

/** A ProxySQL before two real servers that know nothing of each other. */
export interface Traffic {
  readonly proxysql: ProxySql;
  /** The only server of the writer hostgroup before each test. */
  readonly first: MariaDb;
  readonly second: MariaDb;
  /** A client that is closed after the test. */
  client(user?: { user: string; password: string }): Promise<Client>;
  /** Puts servers in force: hostgroup, server and, where it is not ONLINE, the status. */
  load(...rows: (readonly [number, MariaDb, string?])[]): Promise<void>;
  /** The first server leaves the writer hostgroup, and the second one takes its place unless there is to be none. */
  leave(how: Leaving, options?: { replaced: boolean }): Promise<void>;
  setVariable(name: string, value: string): Promise<void>;
  /** Status and connections of a server in a hostgroup; undefined when ProxySQL has forgotten it. */
  pool(hostgroup: number, server: MariaDb): Promise<PoolRow | undefined>;
  /** Waits until statements whose text has `part` in it run on the server. */
  running(server: MariaDb, part: string, count?: number): Promise<void>;
  /**
   * Locks the rows of `whoami` on the first server: whoever reads them with a lock there waits, for as long as it takes.
   * The other server is not locked.
   *
   * @returns what ends that.
   */
  lock(): Promise<() => Promise<void>>;
  /** Rows of the table `notes` on a server itself. */
  notes(server: MariaDb): Promise<unknown[]>;
}

export interface PoolRow {
  status: string;
  used: number;
  free: number;
}

/** A client of the traffic port. */
export class Client {
  readonly connection: Connection;

  constructor(connection: Connection) {
    this.connection = connection;
  }

  /** Which server answers, asked without tying the session to it. */
  async where(): Promise<string> {
    const rows = await this.rows("SELECT name FROM whoami");
    return String(rows[0]?.["name"]);
  }

  async rows(sql: string): Promise<Record<string, unknown>[]> {
    const [rows] = await this.connection.query(sql);
    return rows as Record<string, unknown>[];
  }

  async run(sql: string): Promise<void> {
    await this.connection.query(sql);
  }

  /** What a statement ends with: "done", or the error's code. */
  async ending(sql: string): Promise<string> {
    try {
      await this.connection.query(sql);
      return "done";
    } catch (error) {
      const { code, errno, message } = error as { code?: string; errno?: number; message: string };
      const closed = CLOSED.includes(code ?? "") || message.includes("in closed state");
      return closed ? "closed without an error" : String(errno ?? code);
    }
  }
}

/** Starts everything before the tests of a block; each test begins with the first server as the only writer. */
export function trafficContext(kind: Kind): Traffic {
  let proxysql: ProxySql;
  let first: MariaDb;
  let second: MariaDb;
  const clients: Connection[] = [];

  beforeAll(async () => {
    [first, second] = await Promise.all([startMariaDb({ serverId: 1 }), startMariaDb({ serverId: 2 })]);
    await Promise.all([prepare(first, "first"), prepare(second, "second")]);
    const { user, password } = accounts.app;
    const common = { default_hostgroup: WRITER, default_schema: "app" };
    proxysql = await startProxySql({
      kind,
      variables: { "mysql-monitor_enabled": "false", "mysql-connect_timeout_server_max": CONNECT_LIMIT },
      users: [
        { username: user, password, ...common },
        { username: "forward", password: "forward-password", fast_forward: 1, ...common },
      ],
    });
  });
  afterAll(async () => {
    await Promise.all([proxysql?.close(), first?.close(), second?.close()]);
  });
  beforeEach(() => restore());
  afterEach(() => {
    for (const connection of clients.splice(0)) connection.destroy();
  });

  const restore = async (): Promise<void> => {
    await Promise.all([revive(first), revive(second)]);
    await setVariable("mysql-query_retries_on_failure", "1");
    await setVariable("mysql-connect_timeout_server_max", CONNECT_LIMIT);
    await proxysql.admin("DELETE FROM mysql_query_rules");
    await proxysql.admin("LOAD MYSQL QUERY RULES TO RUNTIME");
    await proxysql.admin("DELETE FROM mysql_hostgroup_attributes");
    // Without a row for a moment, so that no connection of one test is left for the next.
    await load();
    await load([WRITER, first]);
    await waitUntil(async () => (await proxysql.admin(LEFT_OVER)).length === 0, {
      timeoutMs: 60_000,
      what: "the connections of the last test to be gone",
    });
  };
  const load: Traffic["load"] = async (...rows) => {
    await proxysql.admin("DELETE FROM mysql_servers");
    for (const [hostgroup, server, status = "ONLINE"] of rows)
      await proxysql.admin(
        `INSERT INTO mysql_servers (hostgroup_id, hostname, port, status) VALUES (${hostgroup}, '${server.host}', ${server.port}, '${status}')`,
      );
    await proxysql.admin("LOAD MYSQL SERVERS TO RUNTIME");
  };
  const setVariable = async (name: string, value: string): Promise<void> => {
    await proxysql.admin(`SET ${name}='${value}'`);
    await proxysql.admin("LOAD MYSQL VARIABLES TO RUNTIME");
  };
  return {
    get proxysql() {
      return proxysql;
    },
    get first() {
      return first;
    },
    get second() {
      return second;
    },
    client: async (user = accounts.app) => {
      const connection = await proxysql.connectClient(user);
      clients.push(connection);
      return new Client(connection);
    },
    load,
    leave: async (how, { replaced } = { replaced: true }) => {
      const rows: (readonly [number, MariaDb, string?])[] = replaced ? [[WRITER, second]] : [];
      if (how === "moved") rows.push([READER, first]);
      else if (how !== "deleted") rows.push([WRITER, first, how]);
      await load(...rows);
    },
    setVariable,
    pool: async (hostgroup, server) => {
      const [row] = await proxysql.admin(
        `SELECT status, ConnUsed, ConnFree FROM stats_mysql_connection_pool WHERE hostgroup=${hostgroup} AND srv_port=${server.port}`,
      );
      return (
        row && { status: row["status"] ?? "", used: Number(row["ConnUsed"]), free: Number(row["ConnFree"]) }
      );
    },
    running: async (server, part, count = 1) => {
      const sql = `SELECT 1 FROM information_schema.PROCESSLIST WHERE USER='app' AND INFO LIKE '%${part.replaceAll("'", "''")}%'`;
      await waitUntil(async () => (await server.query(sql)).length >= count, {
        timeoutMs: 60_000,
        what: `${count} of ${part} to run on ${server.address}`,
      });
    },
    lock: async () => {
      const holder = await first.connect(accounts.root);
      clients.push(holder);
      await holder.query("BEGIN");
      await holder.query("SELECT * FROM whoami FOR UPDATE");
      return async () => void (await holder.query("COMMIT"));
    },
    notes: async (server) =>
      (await server.query("SELECT text FROM app.notes ORDER BY id")).map((row) => row["text"]),
  };
}

const LEFT_OVER = "SELECT * FROM stats_mysql_connection_pool WHERE ConnUsed > 0";

async function prepare(server: MariaDb, name: string): Promise<void> {
  await server.query("CREATE TABLE app.whoami (name VARCHAR(20))");
  await server.query(`INSERT INTO app.whoami VALUES ('${name}')`);
  await server.query("CREATE TABLE app.notes (id INT AUTO_INCREMENT PRIMARY KEY, text VARCHAR(100))");
  await server.query("CREATE TABLE app.plain (text VARCHAR(100))");
  await server.query("CREATE USER 'forward'@'%' IDENTIFIED BY 'forward-password'");
  await server.query("GRANT ALL ON app.* TO 'forward'@'%'");
}

/** As after {@link prepare}: running, writable and empty. */
async function revive(server: MariaDb): Promise<void> {
  await server.query("SELECT 1").catch(() => server.start());
  await server.query("SET GLOBAL read_only=0");
  await server.query("DELETE FROM app.notes");
  await server.query("DELETE FROM app.plain");
}
