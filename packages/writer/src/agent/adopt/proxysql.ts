import type { Server } from "@primacy/contract";
import { connectMySql } from "../../database/mysql-client.js";
import type { DatabaseAccount } from "../../database/session.js";
import type { ProxyRows } from "./plan.js";

/**
 * Reads a running ProxySQL's layout from its admin port. Two SELECTs and nothing else: the names stand in lower case,
 * or the runtime tables are not made anew (ProxySQL 2.7.1, GenericRefreshStatistics).
 *
 * @throws {DatabaseError}
 */
export async function readProxyRows(
  admin: Server,
  account: DatabaseAccount,
  timeoutMs: number,
): Promise<ProxyRows> {
  const session = await connectMySql(admin, account, timeoutMs);
  try {
    const servers = await session.query(
      "SELECT hostgroup_id, hostname, port, status, weight, max_connections, use_ssl FROM runtime_mysql_servers",
      timeoutMs,
    );
    const pairs = await session.query(
      "SELECT writer_hostgroup, reader_hostgroup FROM runtime_mysql_replication_hostgroups",
      timeoutMs,
    );
    return {
      servers: servers.map((row) => ({
        hostgroup: Number(row["hostgroup_id"]),
        host: String(row["hostname"]),
        port: Number(row["port"]),
        status: String(row["status"]),
        weight: Number(row["weight"]),
        maxConnections: Number(row["max_connections"]),
        useSsl: Number(row["use_ssl"]) === 1,
      })),
      pairs: pairs.map((row) => ({
        writer: Number(row["writer_hostgroup"]),
        reader: Number(row["reader_hostgroup"]),
      })),
    };
  } finally {
    session.close();
  }
}
