import { type Account, accounts, createLoadTable, type MariaDb, type MariaDbOptions } from "@primacy/testkit";
import type { Connection } from "mysql2/promise";
import { afterAll, afterEach, beforeAll, beforeEach } from "vitest";

/** Starts a real MariaDB, or its stand-in. */
export type StartDatabase = (options: MariaDbOptions) => Promise<MariaDb>;

/** One server with the load's table and the table `notes`, writable before each test. */
export interface Database {
  readonly server: MariaDb;
  /** Ids from here on are this test's own. */
  readonly id: number;
  /** A session that is closed after the test (default: as the application, in its database). */
  connect(account?: Account, database?: string): Promise<Connection>;
  /** What a statement answers in a session of its own (default: without a database). */
  run(account: Account, sql: string, database?: string): Promise<unknown>;
  /** How often an id is in `notes`, as everybody sees it. */
  count(id: number): Promise<number>;
}

export function databaseContext(start: StartDatabase): Database {
  let server: MariaDb;
  let id = 0;
  const sessions: Connection[] = [];

  beforeAll(async () => {
    server = await start({ serverId: 7 });
    await createLoadTable(server);
    await server.query("CREATE TABLE app.notes (id INT UNSIGNED NOT NULL, note VARCHAR(10))");
  });
  afterAll(async () => server?.close());
  beforeEach(async () => {
    id += 100;
    await server.query("SET GLOBAL read_only=0");
  });
  afterEach(() => {
    for (const session of sessions.splice(0)) session.destroy();
  });

  const connect = async (account: Account = accounts.app, database = "app"): Promise<Connection> => {
    const session = await server.connect(account, database);
    sessions.push(session);
    return session;
  };
  return {
    get server() {
      return server;
    },
    get id() {
      return id;
    },
    connect,
    run: async (account, sql, database = "") => {
      const session = await connect(account, database);
      const [rows] = await session.query(sql);
      return rows;
    },
    count: async (wanted) => {
      const [row] = await server.query(`SELECT COUNT(*) AS n FROM app.notes WHERE id = ${wanted}`);
      return Number(row?.["n"]);
    },
  };
}
