import type { LoadReport } from "./journal.js";

/** One row as it lies in a server's table. */
export interface StoredRow {
  id: number;
  /** `server_id` of the server that executed the INSERT. */
  executedBy: number;
  /** By the clock of that server. Milliseconds since 1970. */
  atMs: number;
}

/** What one server has stored. */
export interface StoredTable {
  serverId: number;
  rows: readonly StoredRow[];
}

/** A row where none should be. */
export interface Stray extends StoredRow {
  /** `server_id` of a server on which it lies. */
  foundOn: number;
  /** The final master does not have it, or it was executed elsewhere after the switch. */
  why: "not on the master" | "after the switch";
}

/** What to judge. */
export interface VerdictInput {
  load: LoadReport;
  tables: readonly StoredTable[];
  /** `server_id` of the master at the end. */
  finalMaster: number;
  /** When the last switch to it was decided. Milliseconds since 1970. */
  switchedAtMs: number;
}

/** What became of a load's writes and reads. */
export interface OracleVerdict {
  /** Ids whose clients were told that they are stored. */
  acknowledged: number;
  acknowledgedOnMaster: number;
  /** Acknowledged ids that the final master does not have. */
  lost: number[];
  strays: Stray[];
  /** Ids that the final master has more than once. */
  duplicates: number[];
  /** Ids on the final master whose clients were not told so. Allowed: their outcome is unknown to them. */
  unacknowledgedOnMaster: number;
  /** Longest time without an acknowledged write of any client. Milliseconds. */
  longestGapMs: number;
  /** The same for the clients of each proxy. */
  longestGapMsByProxy: Record<string, number>;
  /** Reads sent after the switch, by the `server_id` that answered. */
  readsAfterSwitch: Record<number, number>;
  /** Failed statements and connects by error number, or by mysql2's code where there was none. */
  failures: Record<string, number>;
}

/** Counts. Pure: the same input gives the same verdict. @throws when the final master's table is not among the tables */
export function judgeTables(input: VerdictInput): OracleVerdict {
  const { load, finalMaster } = input;
  const onMaster = input.tables.find(({ serverId }) => serverId === finalMaster)?.rows;
  if (onMaster === undefined)
    throw new Error(`the table of server ${finalMaster}, the final master, was not read`);
  const counts = countIds(onMaster);
  const acknowledged = load.writes.filter((write) => write.acknowledgedAtMs !== null).map(({ id }) => id);
  const told = new Set(acknowledged);
  const lost = acknowledged.filter((id) => !counts.has(id));
  return {
    acknowledged: acknowledged.length,
    acknowledgedOnMaster: acknowledged.length - lost.length,
    lost,
    strays: findStrays(input, onMaster),
    duplicates: [...counts].filter(([, count]) => count > 1).map(([id]) => id),
    unacknowledgedOnMaster: [...counts.keys()].filter((id) => !told.has(id)).length,
    longestGapMs: longestGap(load),
    longestGapMsByProxy: gapsByProxy(load),
    readsAfterSwitch: countReadsAfter(load, input.switchedAtMs),
    failures: countFailures(load),
  };
}

/** Reads that were sent at or after `atMs`, by the `server_id` that answered. */
export function countReadsAfter(load: LoadReport, atMs: number): Record<number, number> {
  return tally(load.reads.filter(({ sentAtMs }) => sentAtMs >= atMs).map(({ serverId }) => serverId));
}

/** A row is one execution: the same id executed by two servers is two rows. Each is reported once, however far it spread. */
function findStrays(input: VerdictInput, onMaster: readonly StoredRow[]): Stray[] {
  const known = new Set(onMaster.map(rowName));
  const strays = new Map<string, Stray>();
  for (const { serverId, rows } of input.tables) {
    for (const row of rows) {
      const missing = !known.has(rowName(row));
      const late = row.executedBy !== input.finalMaster && row.atMs > input.switchedAtMs;
      if (!missing && !late) continue;
      const why = missing ? "not on the master" : "after the switch";
      if (!strays.has(rowName(row))) strays.set(rowName(row), { ...row, foundOn: serverId, why });
    }
  }
  return [...strays.values()];
}

function rowName({ id, executedBy }: StoredRow): string {
  return `${id} ${executedBy}`;
}

function countIds(rows: readonly StoredRow[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const { id } of rows) counts.set(id, (counts.get(id) ?? 0) + 1);
  return counts;
}

/** From the start to the end of the load: what never came back counts to the end. */
function longestGap(load: Pick<LoadReport, "startedAtMs" | "stoppedAtMs" | "writes">): number {
  const acknowledged = load.writes.flatMap(({ acknowledgedAtMs }) => acknowledgedAtMs ?? []);
  const moments = [load.startedAtMs, ...acknowledged.sort((a, b) => a - b), load.stoppedAtMs];
  let longest = 0;
  for (const [index, moment] of moments.entries()) {
    longest = Math.max(longest, moment - (moments[index - 1] ?? moment));
  }
  return longest;
}

function gapsByProxy(load: LoadReport): Record<string, number> {
  const proxies = [...new Set(load.writes.map(({ proxy }) => proxy))];
  const ofProxy = (name: string) => load.writes.filter(({ proxy }) => proxy === name);
  return Object.fromEntries(proxies.map((name) => [name, longestGap({ ...load, writes: ofProxy(name) })]));
}

function countFailures(load: LoadReport): Record<string, number> {
  return tally(load.failures.map(({ errno, code }) => errno ?? code));
}

function tally(values: readonly (string | number)[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
}
