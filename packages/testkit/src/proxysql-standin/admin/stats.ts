import type { Core } from "../core.js";
import type { Session } from "../traffic/session.js";
import { statusNames } from "../schema/status-names.js";
import type { StoredValue } from "./sqlite.js";

/** stats_mysql_connection_pool. */
export function connectionPoolRows(core: Core): StoredValue[][] {
  const { pool, servers } = core.hostgroups;
  return servers.map((server) => {
    const { used, free } = pool.connectionsOf(server.id);
    const counted = pool.counters(server.id);
    return [
      server.hostgroup_id,
      server.hostname,
      server.port,
      server.status,
      used,
      free,
      counted.connectionsOk,
      counted.connectErrors,
      counted.maxUsed,
      counted.queries,
      0,
      counted.bytesSent,
      counted.bytesReceived,
      0,
    ];
  });
}

/** stats_mysql_free_connections. */
export function freeConnectionRows(core: Core): StoredValue[][] {
  return core.hostgroups.pool.free().map((backend) => {
    const server = core.hostgroups.server(backend.serverId);
    const place = [server?.hostgroup_id ?? 0, server?.hostname ?? "", server?.port ?? 0];
    return [0, ...place, backend.user, "", "", "", "", "", 0, "", ""];
  });
}

/** stats_mysql_processlist: the clients of the traffic port. */
export function processlistRows(core: Core): StoredValue[][] {
  return [...core.traffic.sessions.values()].map((session) => processRow(core, session));
}

function processRow(core: Core, session: Session): StoredValue[] {
  const { client, running } = session;
  const { hostgroup } = session;
  // Of the connections that it holds, only the one that it used last (lib/MySQL_Thread.cpp, SQL3_Processlist).
  const held = running?.backend ?? session.fastForwarded ?? session.slots.get(hostgroup);
  const server = held && core.hostgroups.server(held.serverId);
  const since = running?.startedAt ?? session.lastActive;
  return [
    0,
    client.id,
    session.user.username,
    session.schema,
    client.address,
    client.socket.remotePort ?? 0,
    hostgroup,
    server ? "127.0.0.1" : null,
    held && server ? held.link.localPort : null,
    server?.hostname ?? null,
    server?.port ?? null,
    commandOf(session),
    Math.max(0, Date.now() - since),
    running?.text ?? null,
    0,
    null,
  ];
}

function commandOf(session: Session): string {
  if (session.fastForwarded) return "Fast forward";
  if (!session.running) return "Sleep";
  return session.running.backend ? "Query" : "Connect";
}

/** stats_mysql_global: the counters that this stand-in keeps; the others are 0. */
export function globalStatusRows(core: Core): StoredValue[][] {
  const sessions = [...core.traffic.sessions.values()];
  const { servers, pool } = core.hostgroups;
  const sum = (of: (id: number) => number): number =>
    servers.reduce((total, server) => total + of(server.id), 0);
  const connected = sum((id) => pool.connectionsOf(id).used + pool.connectionsOf(id).free);
  const values: Record<string, number | string> = {
    Active_Transactions: sessions.filter((session) => session.slots.inTransaction !== undefined).length,
    Client_Connections_aborted: core.traffic.aborted,
    Client_Connections_connected: sessions.length,
    Client_Connections_created: core.traffic.created,
    MySQL_Monitor_ping_check_ERR: core.monitorCounters.pingErr,
    MySQL_Monitor_ping_check_OK: core.monitorCounters.pingOk,
    MySQL_Monitor_read_only_check_ERR: core.monitorCounters.readOnlyErr,
    MySQL_Monitor_read_only_check_OK: core.monitorCounters.readOnlyOk,
    MySQL_Thread_Workers: core.variables.text("mysql-threads"),
    ProxySQL_Uptime: Math.floor((Date.now() - core.startedAt) / 1000),
    Questions: sum((id) => pool.counters(id).queries),
    Server_Connections_connected: connected,
    Server_Connections_created: sum((id) => pool.counters(id).connectionsOk),
    Server_Connections_aborted: sum((id) => pool.counters(id).connectErrors),
    Servers_table_version: core.hostgroups.tableVersion,
    mysql_listener_paused: core.traffic.paused ? "true" : "false",
  };
  return statusNames.map((name) => [name, String(values[name] ?? 0)]);
}
