import { type ProxySql, type ProxySqlOptions, startProxySql } from "@primacy/testkit";
import type { Connection, ResultSetHeader } from "mysql2/promise";
import { afterAll, beforeAll } from "vitest";

export type Kind = NonNullable<ProxySqlOptions["kind"]>;

/** A ProxySQL for the tests of a block, with a session on its admin port. */
export interface AdminContext {
  readonly proxysql: ProxySql;
  readonly session: Connection;
  rows(sql: string): Promise<Record<string, string | null>[]>;
  /** A statement without rows. */
  write(sql: string): Promise<ResultSetHeader>;
  /** What a statement fails with. @throws when it does not fail. */
  errorOf(sql: string, connection?: Connection): Promise<MySqlError>;
}

export interface MySqlError {
  errno: number;
  code: string;
  sqlState: string;
  sqlMessage: string;
}

/** Starts a ProxySQL before the tests of this block and removes it afterwards. The monitor is off. */
export function adminContext(kind: Kind, options: ProxySqlOptions = {}): AdminContext {
  let proxysql: ProxySql | undefined;
  let session: Connection | undefined;
  beforeAll(async () => {
    const variables = { "mysql-monitor_enabled": "false", ...options.variables };
    proxysql = await startProxySql({ ...options, kind, variables });
    session = await proxysql.connectAdmin();
  });
  afterAll(async () => {
    session?.destroy();
    await proxysql?.close();
  });
  return {
    get proxysql() {
      return there(proxysql);
    },
    get session() {
      return there(session);
    },
    rows: (sql) => there(proxysql).admin(sql),
    write: async (sql) => (await there(session).query<ResultSetHeader>(sql))[0],
    errorOf: (sql, connection) => failure((connection ?? there(session)).query(sql)),
  };
}

/** What a promise is rejected with. @throws when it is not rejected. */
export async function failure(promise: Promise<unknown>): Promise<MySqlError> {
  let error: unknown;
  try {
    await promise;
  } catch (caught) {
    error = caught;
  }
  if (error === undefined) throw new Error("it did not fail");
  return error as MySqlError;
}

function there<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("only inside a test");
  return value;
}
