import { type ConnectionsOf, newServer, type RuntimeServer, sameServer, type ServerRow } from "./server.js";

/** The servers in force after a LOAD, and those whose free connections are dropped at once. */
export interface Committed {
  readonly servers: readonly RuntimeServer[];
  readonly dropFree: readonly number[];
}

/**
 * LOAD MYSQL SERVERS TO RUNTIME: puts the rows of memory in force (lib/MySQL_HostGroups_Manager.cpp:1241, commit).
 *
 * - A server that is in force and not in memory becomes OFFLINE_HARD and loses its free connections; it stays as long
 *   as a connection is in use.
 * - A row for a server that still drains revives it, and the connections in use with it.
 * - A status that differs from memory is set to memory's, which brings a SHUNNED server back (un-shuns it).
 */
export function commit(
  before: readonly RuntimeServer[],
  rows: readonly ServerRow[],
  connectionsOf: ConnectionsOf,
  newId: () => number,
): Committed {
  const inForce = purge(before, connectionsOf);
  const removed = inForce.filter((server) => !rows.some((row) => sameServer(row, server)));
  const servers = inForce.map((server): RuntimeServer => {
    const row = rows.find((candidate) => sameServer(candidate, server));
    return row ? update(server, row) : { ...server, status: "OFFLINE_HARD" };
  });
  const added = rows.filter((row) => !inForce.some((server) => sameServer(row, server)));
  return {
    servers: [...servers, ...added.map((row) => newServer(row, newId()))],
    dropFree: removed.map((server) => server.id),
  };
}

/** Forgets the OFFLINE_HARD servers without a connection. Also done whenever runtime_mysql_servers is read. */
export function purge(
  servers: readonly RuntimeServer[],
  connectionsOf: ConnectionsOf,
): readonly RuntimeServer[] {
  return servers.filter((server) => {
    const { used, free } = connectionsOf(server.id);
    return server.status !== "OFFLINE_HARD" || used + free > 0;
  });
}

function update(server: RuntimeServer, row: ServerRow): RuntimeServer {
  const changed = { ...server, ...row };
  // A status that an administrator sets to SHUNNED never recovers by itself.
  if (server.status !== row.status && row.status === "SHUNNED")
    return { ...changed, shunnedAutomatically: false };
  return changed;
}
