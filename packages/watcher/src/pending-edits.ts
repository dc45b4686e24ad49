import { formatServer } from "@primacy/contract";
import type { Wanted } from "./desired.js";
import type { Layers } from "./plan.js";
import { type ServerRow, managed, runtimeShows } from "./rows.js";

/** What operators set on a row and Primacy never does: property → column. */
const OPERATORS_COLUMNS = {
  gtidPort: "gtid_port",
  weight: "weight",
  compression: "compression",
  maxConnections: "max_connections",
  maxReplicationLag: "max_replication_lag",
  useSsl: "use_ssl",
  maxLatencyMs: "max_latency_ms",
  comment: "comment",
} as const satisfies Partial<Record<keyof ServerRow, string>>;

/**
 * Somebody's pending edits, which our LOAD will publish: where memory and runtime differ, but for what is ours to set.
 * One sentence each. Pure.
 */
export function pendingEditsOfOthers({ hostgroups }: Wanted, { memory, runtime }: Layers): readonly string[] {
  const inRuntime = byName(runtime);
  const inMemory = byName(memory);
  const foreign = (row: ServerRow): boolean => !managed(hostgroups, row);
  const edited = memory
    .filter((row) => foreign(row) && !runtimeShows(row.status, inRuntime.get(name(row))))
    .map((row) => `${name(row)} ${row.status} is not in the runtime`);
  const removed = runtime
    .filter((row) => foreign(row) && row.status !== "OFFLINE_HARD" && !inMemory.has(name(row)))
    .map((row) => `${name(row)} is no longer in memory`);
  const columns = memory.flatMap((row) => columnEdits(row, inRuntime.get(name(row))));
  return [...edited, ...removed, ...columns];
}

function columnEdits(row: ServerRow, runtime: ServerRow | undefined): readonly string[] {
  if (runtime === undefined) return [];
  return (Object.keys(OPERATORS_COLUMNS) as (keyof typeof OPERATORS_COLUMNS)[])
    .filter((property) => row[property] !== runtime[property])
    .map((property) => {
      const column = OPERATORS_COLUMNS[property];
      return `${name(row)} has ${column} ${String(row[property])}, in the runtime ${String(runtime[property])}`;
    });
}

/** By ProxySQL's own key, byte by byte. */
function byName(rows: readonly ServerRow[]): ReadonlyMap<string, ServerRow> {
  return new Map(rows.map((row) => [name(row), row]));
}

function name(row: ServerRow): string {
  return `${String(row.hostgroup)}/${formatServer(row)}`;
}
