import type { RuntimeServer, ServerStatus } from "./server.js";

/** How many servers of a hostgroup are ONLINE. */
export function onlineServers(servers: readonly RuntimeServer[], hostgroup: number): number {
  return servers.filter((server) => server.hostgroup_id === hostgroup && server.status === "ONLINE").length;
}

/**
 * True when a connection to the server must not be used for another statement, nor go on with a running one
 * (lib/mysql_connection.cpp:2076, IsServerOffline). OFFLINE_SOFT and a server shunned for failed connects do not count.
 */
export function isOffline(server: RuntimeServer, tooManyOnline: boolean): boolean {
  const lagging: ServerStatus = "SHUNNED_REPLICATION_LAG";
  return (
    server.status === "OFFLINE_HARD" ||
    server.status === lagging ||
    (server.status === "SHUNNED" && server.shunnedAutomatically && server.killAll) ||
    tooManyOnline
  );
}
