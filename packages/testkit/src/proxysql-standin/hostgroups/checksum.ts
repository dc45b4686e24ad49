import { createHash } from "node:crypto";
import { COLUMNS, type ServerRow } from "./server.js";

/** What runtime_checksums_values says of a module. */
export interface ModuleChecksum {
  /** Grows by one at every LOAD, changed or not; 1 after a start. */
  readonly version: number;
  /** Unix second of the last LOAD or, for mysql_servers, of the monitor's last change. */
  readonly epoch: number;
  readonly checksum: string;
}

/**
 * Checksum of rows: the same for the same rows, zero for none. ProxySQL uses SpookyHash and other values, which nobody
 * can tell by looking.
 */
export function checksumOf(rows: readonly (readonly unknown[])[]): string {
  if (rows.length === 0) return `0x${"0".repeat(16)}`;
  const digest = createHash("sha256").update(JSON.stringify(rows)).digest("hex");
  return `0x${digest.slice(0, 16).toUpperCase()}`;
}

/** What counts of the servers in force: SHUNNED counts as ONLINE, OFFLINE_HARD not at all, the order is fixed. */
export function countedRows(servers: readonly ServerRow[]): unknown[][] {
  return servers
    .filter((server) => server.status !== "OFFLINE_HARD")
    .map((server) => COLUMNS.map((column) => (column === "status" ? counted(server) : server[column])))
    .sort((left, right) => (JSON.stringify(left) < JSON.stringify(right) ? -1 : 1));
}

function counted(server: ServerRow): string {
  return server.status === "OFFLINE_SOFT" ? "OFFLINE_SOFT" : "ONLINE";
}
