import type { Wanted } from "./desired.js";
import { type ServerRow, mayBeWritten } from "./rows.js";

/**
 * The layout that is to lie on ProxySQL's disk: what it takes traffic on after a restart, before any watcher can act.
 * Under a lease that is a writer hostgroup without a writer: clients wait until a watcher has read the record. Pure.
 */
export function wantedOnDisk(wanted: Wanted): Wanted {
  if (wanted.lease === null) return wanted;
  return {
    ...wanted,
    rows: wanted.rows.map((row) =>
      row.hostgroup === wanted.hostgroups.writer ? { ...row, status: "OFFLINE_HARD" } : row,
    ),
    writer: null,
  };
}

/** Would a restart bring back a writer that no watcher has approved of? Only a lease forbids that. */
export function diskMustBeFenced(wanted: Wanted, disk: readonly ServerRow[] | null): boolean {
  if (wanted.lease === null || disk === null) return false;
  return disk.some((row) => row.hostgroup === wanted.hostgroups.writer && mayBeWritten(row));
}
