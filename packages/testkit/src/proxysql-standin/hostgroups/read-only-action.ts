import type { Committed } from "./commit.js";
import { newServer, type RuntimeServer, type ServerRow } from "./server.js";

/** A row of mysql_replication_hostgroups in force. */
export interface ReplicationPair {
  readonly writer_hostgroup: number;
  readonly reader_hostgroup: number;
}

/** What the monitor has read from a server. */
export interface ReadOnlyCheck {
  readonly hostname: string;
  readonly port: number;
  readonly readOnly: boolean;
}

/**
 * What the read_only monitor does with a server (lib/MySQL_HostGroups_Manager.cpp:3920, read_only_action_v2). It changes
 * what is in force and leaves the tables in memory alone.
 *
 * - read_only=0 and not in the writer hostgroup: it is copied there from the reader hostgroup, however many writers
 *   there are already, and even when an administrator had made it OFFLINE_HARD there (issue 3186).
 * - read_only=1 and in the writer hostgroup: it is copied to the reader hostgroup and made OFFLINE_HARD in the other.
 *
 * @returns undefined when nothing changes.
 */
export function readOnlyAction(
  servers: readonly RuntimeServer[],
  pairs: readonly ReplicationPair[],
  check: ReadOnlyCheck,
  options: { writerIsAlsoReader: boolean; newId: () => number },
): Committed | undefined {
  const found = pairs.map((pair) => ({
    pair,
    writer: alive(servers, check, pair.writer_hostgroup),
    reader: alive(servers, check, pair.reader_hostgroup),
  }));
  const copies = (from: "writer" | "reader", to: "writer" | "reader") =>
    found.flatMap((node) => {
      const source = node[from];
      const hostgroup = to === "writer" ? node.pair.writer_hostgroup : node.pair.reader_hostgroup;
      return source && !node[to] ? [{ source, hostgroup }] : [];
    });
  if (check.readOnly) {
    const writers = found.flatMap((node) => node.writer ?? []);
    if (writers.length === 0) return undefined;
    return retire(copyAll(servers, copies("writer", "reader"), options.newId), writers);
  }
  const missing = copies("reader", "writer");
  if (missing.length === 0) return undefined;
  const copied = copyAll(servers, missing, options.newId);
  if (options.writerIsAlsoReader) return { servers: copied, dropFree: [] };
  return retire(
    copied,
    found.flatMap((node) => node.reader ?? []),
  );
}

/** An OFFLINE_HARD server is not seen: that is how it gets resurrected (line 987, "WHERE status<>3"). */
function alive(
  servers: readonly RuntimeServer[],
  check: ReadOnlyCheck,
  hostgroup: number,
): RuntimeServer | undefined {
  return servers.find(
    (server) =>
      server.hostgroup_id === hostgroup &&
      server.hostname === check.hostname &&
      server.port === check.port &&
      server.status !== "OFFLINE_HARD",
  );
}

interface Copy {
  readonly source: RuntimeServer;
  readonly hostgroup: number;
}

/** Copies with all columns of the source, so a promoted row takes the reader's attributes (issue 5208). */
function copyAll(
  servers: readonly RuntimeServer[],
  copies: readonly Copy[],
  newId: () => number,
): readonly RuntimeServer[] {
  let result = servers;
  for (const { source, hostgroup } of copies) {
    result = result.map((server) => (server.id === source.id ? awake(server) : server));
    const row: ServerRow = { ...columnsOf(awake(source)), hostgroup_id: hostgroup };
    const draining = result.find(
      (server) =>
        server.hostgroup_id === hostgroup &&
        server.hostname === row.hostname &&
        server.port === row.port &&
        server.status === "OFFLINE_HARD",
    );
    result = draining
      ? result.map((server) => (server.id === draining.id ? { ...server, ...row, status: "ONLINE" } : server))
      : [...result, newServer(row, newId())];
  }
  return result;
}

/** A server that answered is not dead: its shunning ends. */
function awake(server: RuntimeServer): RuntimeServer {
  const shunned = server.status === "SHUNNED" || server.status === "SHUNNED_REPLICATION_LAG";
  return shunned ? { ...server, status: "ONLINE" } : server;
}

function columnsOf(server: RuntimeServer): ServerRow {
  const { id: _id, shunnedAutomatically: _s, killAll: _k, lastErrorAt: _l, errorsThen: _e, ...row } = server;
  return row;
}

function retire(servers: readonly RuntimeServer[], gone: readonly RuntimeServer[]): Committed {
  const ids = gone.map((server) => server.id);
  return {
    servers: servers.map((server) =>
      ids.includes(server.id) ? { ...server, status: "OFFLINE_HARD" } : server,
    ),
    dropFree: ids,
  };
}
