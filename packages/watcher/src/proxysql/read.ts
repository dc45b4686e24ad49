import { compareServers } from "@primacy/contract";
import type { Mark } from "../admission.js";
import type { Probe } from "../drift.js";
import type { OwnershipFacts, TopologyRow } from "../ownership.js";
import type { Layers } from "../plan.js";
import type { ConnectionsInUse } from "../restraint.js";
import type { ServerRow, Status } from "../rows.js";
import type { Admin, AdminRow } from "./admin.js";
import { AdminError } from "./admin-error.js";
import { SELECT_LAYER, SELECT_STAMPS, SERVER_COLUMNS } from "./sql.js";

/** Memory and runtime; the disk layer too where asked for. */
export async function readLayers(admin: Admin, withDisk: boolean): Promise<Layers> {
  return {
    memory: await readServers(admin, "memory"),
    runtime: await readServers(admin, "runtime"),
    disk: withDisk ? await readServers(admin, "disk") : null,
  };
}

export async function readServers(
  admin: Admin,
  layer: keyof typeof SELECT_LAYER,
): Promise<readonly ServerRow[]> {
  return (await admin.rows(SELECT_LAYER[layer])).map(serverRow);
}

function serverRow(row: AdminRow): ServerRow {
  const entries = Object.entries(SERVER_COLUMNS).map(
    ([column, property]) => [property, row[column] ?? ""] as const,
  );
  const text = Object.fromEntries(entries) as Record<keyof ServerRow, string>;
  return {
    hostgroup: Number(text.hostgroup),
    host: text.host,
    port: Number(text.port),
    gtidPort: Number(text.gtidPort),
    // The CHECK takes lower case; the runtime shows upper case (ProxySQL 2.7.1, observed).
    status: text.status.toUpperCase() as Status,
    weight: Number(text.weight),
    compression: Number(text.compression),
    maxConnections: Number(text.maxConnections),
    maxReplicationLag: Number(text.maxReplicationLag),
    useSsl: Number(text.useSsl),
    maxLatencyMs: Number(text.maxLatencyMs),
    comment: text.comment,
  };
}

/** The drift probe: cheap, it takes no lock of the connection pool. Null where this ProxySQL keeps no checksum. */
export async function readProbe(admin: Admin): Promise<Probe | null> {
  const [row] = await admin.rows(
    "SELECT version, epoch, checksum FROM runtime_checksums_values WHERE name='mysql_servers'",
  );
  if (row === undefined || (row["checksum"] ?? "") === "" || row["checksum"] === "0x0") return null;
  return { version: Number(row["version"]), epoch: Number(row["epoch"]), checksum: row["checksum"] ?? "" };
}

/** The marks stamped on this ProxySQL, by cluster; none where it has never had one. */
export async function readStamps(admin: Admin): Promise<ReadonlyMap<string, Mark>> {
  const rows = await rowsIfTable(admin, SELECT_STAMPS);
  return new Map(
    rows.map((row) => [
      row["cluster"] ?? "",
      {
        generation: Number(row["generation"]),
        incarnation: row["incarnation"] ?? "",
        hash: row["hash"] ?? "",
      },
    ]),
  );
}

/** Connections in use on rows of a hostgroup. Reading them also drops free connections of servers not ONLINE. */
export async function readConnectionsInUse(
  admin: Admin,
  hostgroup: number,
): Promise<readonly ConnectionsInUse[]> {
  const rows = await admin.rows(
    "SELECT srv_host, srv_port, status, ConnUsed FROM stats_mysql_connection_pool " +
      `WHERE hostgroup=${String(hostgroup)}`,
  );
  return rows
    .map((row) => ({
      host: row["srv_host"] ?? "",
      port: Number(row["srv_port"]),
      status: row["status"] ?? "",
      used: Number(row["ConnUsed"]),
    }))
    .sort(compareServers);
}

const GROUP_COLUMNS = [
  "writer_hostgroup",
  "backup_writer_hostgroup",
  "reader_hostgroup",
  "offline_hostgroup",
] as const;

/** ProxySQL's own topology tables and the columns that name hostgroups. */
const TOPOLOGY_TABLES = [
  {
    table: "mysql_replication_hostgroups",
    hostgroups: ["writer_hostgroup", "reader_hostgroup"],
    active: false,
  },
  { table: "mysql_group_replication_hostgroups", hostgroups: GROUP_COLUMNS, active: true },
  { table: "mysql_galera_hostgroups", hostgroups: GROUP_COLUMNS, active: true },
  {
    table: "mysql_aws_aurora_hostgroups",
    hostgroups: ["writer_hostgroup", "reader_hostgroup"],
    active: true,
  },
] as const;

export async function readOwnership(admin: Admin): Promise<OwnershipFacts> {
  const topology: TopologyRow[] = [];
  for (const one of TOPOLOGY_TABLES) {
    for (const layer of ["memory", "runtime"] as const) {
      const from = layer === "memory" ? one.table : `runtime_${one.table}`;
      const where = one.active ? " WHERE active=1" : "";
      const rows = await rowsIfTable(admin, `SELECT ${one.hostgroups.join(", ")} FROM ${from}${where}`);
      topology.push(
        ...rows.map((row) => ({
          table: one.table,
          layer,
          writerHostgroup: Number(row["writer_hostgroup"]),
          hostgroups: one.hostgroups.map((column) => Number(row[column])),
        })),
      );
    }
  }
  return { topology, ...(await readSettings(admin)) };
}

const VARIABLES = {
  diffs: "admin-cluster_mysql_servers_diffs_before_sync",
  retries: "mysql-query_retries_on_failure",
  connectTimeout: "mysql-connect_timeout_server_max",
} as const;

async function readSettings(admin: Admin): Promise<Omit<OwnershipFacts, "topology">> {
  const names = Object.values(VARIABLES).map((name) => `'${name}'`);
  const variables = await admin.rows(
    `SELECT variable_name, variable_value FROM runtime_global_variables WHERE variable_name IN (${names.join(", ")})`,
  );
  const value = (name: string): number | null => {
    const found = variables.find((row) => row["variable_name"] === name)?.["variable_value"];
    return found === undefined || found === null ? null : Number(found);
  };
  const peers = await rowsIfTable(admin, "SELECT hostname, port FROM runtime_proxysql_servers");
  const users = await rowsIfTable(
    admin,
    "SELECT username, default_hostgroup FROM runtime_mysql_users WHERE active=1 AND frontend=1 AND fast_forward=1",
  );
  return {
    clusterPeers: peers.map((row) => `${row["hostname"] ?? ""}:${row["port"] ?? ""}`),
    clusterDiffsBeforeSync: value(VARIABLES.diffs) ?? 0,
    queryRetriesOnFailure: value(VARIABLES.retries),
    connectTimeoutServerMaxMs: value(VARIABLES.connectTimeout),
    fastForwardUsers: users.map((row) => ({
      user: row["username"] ?? "",
      hostgroup: Number(row["default_hostgroup"]),
    })),
  };
}

/** Rows of a table that not every version of ProxySQL has. */
async function rowsIfTable(admin: Admin, sql: string): Promise<readonly AdminRow[]> {
  try {
    return await admin.rows(sql);
  } catch (error) {
    if (error instanceof AdminError && /no such table/i.test(error.message)) return [];
    throw error;
  }
}
