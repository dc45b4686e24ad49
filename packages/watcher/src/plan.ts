import { type Server, formatServer, includesServer, sameServer } from "@primacy/contract";
import type { Wanted, WantedRow } from "./desired.js";
import { diskMustBeFenced, wantedOnDisk } from "./disk.js";
import {
  type Hostgroups,
  type ServerRow,
  type Status,
  managed,
  mayBeWritten,
  mayTakeConnections,
  rowIs,
  runtimeShows,
  serverOf,
} from "./rows.js";

/** One statement or one check. A plan is data: `plan` prints it, `run` carries it out, tests cut it anywhere. */
export type Step =
  /** End the client sessions that hold a connection to one of these servers. */
  | {
      readonly kind: "kill";
      readonly hostgroup: number;
      readonly servers: readonly Server[];
      /** Also those that are at another hostgroup now, and at which of ours they may be seen; null: leave them. */
      readonly hidden: { readonly reader: number | null } | null;
    }
  /** End the `fast_forward` sessions of this hostgroup, but for those at these servers. */
  | { readonly kind: "kill-fast-forward"; readonly hostgroup: number; readonly except: readonly Server[] }
  /** Take every server of the writer hostgroup out on disk. */
  | { readonly kind: "fence-disk"; readonly writerHostgroup: number }
  /** Add a standing row, as OFFLINE_HARD: by itself it changes nothing for traffic. */
  | { readonly kind: "insert"; readonly row: ServerRow }
  /** ONE statement over both hostgroups, so that no moment shows half a change. */
  | {
      readonly kind: "update";
      readonly writerHostgroup: number;
      readonly rows: readonly RowStatus[];
      /** Lets writes through only before this moment by ProxySQL's own clock, unix seconds; null: whenever. */
      readonly openUntilSeconds: number | null;
    }
  | { readonly kind: "load" }
  /** Read the runtime back: ProxySQL has no failure reply for a LOAD. */
  | { readonly kind: "verify" }
  | { readonly kind: "stamp" }
  | { readonly kind: "save" }
  /** As `save` for these hostgroups alone, with nobody taking writes. */
  | { readonly kind: "save-fenced"; readonly hostgroups: Hostgroups };

/** The status for one row, by ProxySQL's own key. */
export interface RowStatus {
  readonly hostgroup: number;
  readonly host: string;
  readonly port: number;
  readonly status: Status;
}

/** The three layers of `mysql_servers` as they were read; `disk` is null where it was not read. */
export interface Layers {
  readonly memory: readonly ServerRow[];
  readonly runtime: readonly ServerRow[];
  readonly disk: readonly ServerRow[] | null;
}

export interface Plan {
  readonly steps: readonly Step[];
  /** One sentence a difference; empty when all layers are as wanted. */
  readonly differences: readonly string[];
  /** Does the runtime differ? Then traffic is affected; otherwise only what a later LOAD or restart would bring. */
  readonly runtimeDiffers: boolean;
}

/**
 * The steps from what there is to what is wanted. Pure.
 *
 * After any prefix, with anyone else's LOAD in between, the writer hostgroup has at most one ONLINE server: inserts are
 * OFFLINE_HARD, and the one UPDATE takes the old master out as it puts the new one in. Where the runtime is as wanted
 * there is no LOAD: one would un-shun servers and publish other people's pending edits (ProxySQL 2.7.1,
 * MySQL_HostGroups_Manager::commit).
 *
 * Under a lease, also no prefix leaves a writer on disk: SAVE copies the memory, so the disk is written past it.
 */
export function plan(wanted: Wanted, layers: Layers, stampDiffers: boolean): Plan {
  const inserts = missingRows(wanted, layers.memory);
  const memory = [...layers.memory, ...inserts];
  const changes = targets(wanted, memory).filter(({ row, status }) => row.status !== status);
  const runtime = runtimeDifferences(wanted, layers.runtime);
  const saved = layers.disk === null ? [] : diskDifferences(wantedOnDisk(wanted), layers.disk);
  // By the monitor a server is shunned until it answers again, by its row for ever: the memory tells which it was.
  const shunned = changes.some(({ row, status }) => row.status === "SHUNNED" && status === "ONLINE");
  const load = runtime.length > 0 || shunned;
  const edits = inserts.length > 0 || changes.length > 0;
  const steps: Step[] = [];
  if (wanted.kill.length > 0) {
    const { writer, reader } = wanted.hostgroups;
    const hidden = wanted.killHidden ? { reader } : null;
    steps.push({ kind: "kill", hostgroup: writer, servers: wanted.kill, hidden });
  }
  if (diskMustBeFenced(wanted, layers.disk)) {
    steps.push({ kind: "fence-disk", writerHostgroup: wanted.hostgroups.writer });
  }
  steps.push(...inserts.map((row): Step => ({ kind: "insert", row })));
  // Under a lease the statement that opens carries its deadline, so it goes before every LOAD.
  if (changes.length > 0 || (load && wanted.lease !== null)) steps.push(updateStep(wanted, memory));
  if (load) steps.push({ kind: "load" }, { kind: "verify" });
  if (load && wanted.fastForward) steps.push(killFastForward(wanted));
  if (stampDiffers) steps.push({ kind: "stamp" });
  if (load || edits || saved.length > 0) steps.push(saveStep(wanted));
  const differences = [
    ...inserts.map((row) => `memory has no row ${name(row)}`),
    ...changes
      .filter(({ row }) => !inserts.includes(row))
      .map(({ row, status }) => `memory has ${name(row)} ${row.status}, wanted ${status}`),
    ...runtime,
    ...saved,
  ];
  return { steps, differences, runtimeDiffers: load };
}

/** What is wrong in the runtime, one sentence each; empty when traffic goes where it must. */
export function runtimeDifferences(wanted: Wanted, runtime: readonly ServerRow[]): readonly string[] {
  // What lingers of a row that is out counts as gone, and must not stand for the row that has taken its place.
  const rows = runtime.filter((row) => row.status !== "OFFLINE_HARD");
  const missing = wanted.rows
    .filter((row) => !rows.some((seen) => rowIs(seen, row.hostgroup, row.server)))
    .filter((row) => !runtimeShows(row.status, undefined))
    .map((row) => `runtime has no ${wantedName(row)}, wanted ${row.status}`);
  const wrong = targets(wanted, rows)
    .filter(({ row, status }) => !runtimeShows(status, row))
    .map(({ row, status }) => `runtime has ${name(row)} ${row.status}, wanted ${status}`);
  return [...missing, ...wrong];
}

/** The layout on disk is what ProxySQL takes traffic on after a restart, before any watcher can act. */
function diskDifferences(wanted: Wanted, disk: readonly ServerRow[]): readonly string[] {
  const missing = wanted.rows
    .filter((row) => !disk.some((seen) => rowIs(seen, row.hostgroup, row.server)))
    .map((row) => `disk has no ${wantedName(row)}`);
  const wrong = targets(wanted, disk)
    .filter(({ row, status }) => row.status !== status)
    .map(({ row, status }) => `disk has ${name(row)} ${row.status}, wanted ${status}`);
  return [...missing, ...wrong];
}

/** The servers of the writer hostgroup that take, or may take, new connections. */
export function writersIn(rows: readonly ServerRow[], hostgroup: number): readonly Server[] {
  return rows
    .filter((row) => row.hostgroup === hostgroup && mayTakeConnections(row))
    .map((row) => ({ host: row.host, port: row.port }));
}

interface Target {
  readonly row: ServerRow;
  readonly status: Status;
}

/** The status that each existing row of the two hostgroups must have; rows that are nobody's business are left out. */
function targets(wanted: Wanted, rows: readonly ServerRow[]): readonly Target[] {
  const taken = new Set<WantedRow>();
  const preferred = rows.filter((row) => managed(wanted.hostgroups, row)).sort(canonicalFirst(wanted));
  return preferred.flatMap((row): Target[] => {
    const match = wanted.rows.find((one) => rowIs(row, one.hostgroup, one.server));
    if (match !== undefined && !taken.has(match)) {
      taken.add(match);
      return [{ row, status: match.status }];
    }
    const mustBeOut =
      match !== undefined || row.hostgroup === wanted.hostgroups.writer || neverReads(wanted, row);
    return mustBeOut ? [{ row, status: "OFFLINE_HARD" }] : [];
  });
}

/** `db1` before `DB1`: two rows of one server, of which one may serve, and always the same one. */
function canonicalFirst(wanted: Wanted): (a: ServerRow, b: ServerRow) => number {
  const exact = (row: ServerRow): number =>
    wanted.rows.some((one) => one.server.host === row.host && one.server.port === row.port) ? 0 : 1;
  return (a, b) => exact(a) - exact(b) || (a.host < b.host ? -1 : a.host > b.host ? 1 : 0);
}

/** Also a listed server whose name is written in another way: its own row stands for it. */
function neverReads(wanted: Wanted, row: ServerRow): boolean {
  const server = serverOf(row);
  const listed = wanted.rows.filter((one) => one.hostgroup === row.hostgroup).map((one) => one.server);
  return includesServer([...wanted.neverRead, ...listed], server);
}

function missingRows(wanted: Wanted, memory: readonly ServerRow[]): readonly ServerRow[] {
  return wanted.rows
    .filter((row) => !memory.some((kept) => rowIs(kept, row.hostgroup, row.server)))
    .map((row) => newRow(row, wanted, memory));
}

/** A new row takes the connection settings that operators gave the same server in the other hostgroup, else defaults. */
function newRow(row: WantedRow, wanted: Wanted, memory: readonly ServerRow[]): ServerRow {
  const sibling = memory
    .filter((kept) => managed(wanted.hostgroups, kept) && sameServer(kept, row.server))
    .sort(canonicalFirst(wanted))[0];
  return {
    hostgroup: row.hostgroup,
    host: sibling?.host ?? row.server.host,
    port: row.server.port,
    gtidPort: sibling?.gtidPort ?? 0,
    status: "OFFLINE_HARD",
    weight: row.defaults.weight,
    compression: sibling?.compression ?? 0,
    maxConnections: sibling?.maxConnections ?? row.defaults.maxConnections,
    maxReplicationLag: 0,
    useSsl: sibling?.useSsl ?? (row.defaults.useSsl ? 1 : 0),
    maxLatencyMs: sibling?.maxLatencyMs ?? 0,
    comment: "",
  };
}

function updateStep(wanted: Wanted, memory: readonly ServerRow[]): Step {
  const rows = targets(wanted, memory).map(({ row, status }): RowStatus => ({
    hostgroup: row.hostgroup,
    host: row.host,
    port: row.port,
    status,
  }));
  const openUntilSeconds = wanted.lease === null ? null : wanted.lease.openUntilSeconds;
  return { kind: "update", writerHostgroup: wanted.hostgroups.writer, rows, openUntilSeconds };
}

/** Their bytes pass unseen until ProxySQL's threads look at them: 1 to 3 s after a LOAD (2.7.1, sysown/proxysql#2590). */
function killFastForward({ hostgroups, rows }: Wanted): Step {
  const except = rows
    .filter((row) => row.hostgroup === hostgroups.writer && mayBeWritten(row))
    .map((row) => row.server);
  return { kind: "kill-fast-forward", hostgroup: hostgroups.writer, except };
}

function saveStep(wanted: Wanted): Step {
  return wanted.lease === null ? { kind: "save" } : { kind: "save-fenced", hostgroups: wanted.hostgroups };
}

function name(row: ServerRow): string {
  return `${String(row.hostgroup)}/${formatServer(row)}`;
}

function wantedName(row: WantedRow): string {
  return `${String(row.hostgroup)}/${formatServer(row.server)}`;
}
