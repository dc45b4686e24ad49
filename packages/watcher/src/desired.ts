import {
  type Layout,
  type LayoutServer,
  type MasterRecord,
  type Members,
  type Server,
  canonicalServer,
  formatServer,
  includesServer,
  sameServer,
} from "@primacy/contract";
import { readerServers, readerVerdict } from "./readers.js";
import type { Hostgroups, Status } from "./rows.js";

/** Column values for a row that has to be inserted. Rows that exist keep theirs. */
export interface ColumnDefaults {
  readonly weight: number;
  readonly maxConnections: number;
  readonly useSsl: boolean;
}

/** A standing row: in memory it exists with this status. */
export interface WantedRow {
  readonly hostgroup: number;
  readonly server: Server;
  readonly status: Extract<Status, "ONLINE" | "OFFLINE_SOFT" | "OFFLINE_HARD">;
  readonly why: string;
  readonly defaults: ColumnDefaults;
}

/** Under a lease nothing opens late, and the disk has no writer. */
export interface UnderLease {
  /** When the lease ends, unix seconds. The statement that lets writes through does so only before, by ProxySQL's clock. */
  readonly openUntilSeconds: number;
}

/**
 * What the two hostgroups must look like. Every row of the writer hostgroup that is not listed must be OFFLINE_HARD,
 * whoever put it there. Rows of the reader hostgroup that are not listed stay as they are, but for the servers in
 * `neverRead`.
 */
export interface Wanted {
  readonly hostgroups: Hostgroups;
  readonly rows: readonly WantedRow[];
  readonly neverRead: readonly Server[];
  /** The server that must be the only ONLINE one in the writer hostgroup; null while nobody may be. */
  readonly writer: Server | null;
  /** The master that the record names, whatever the phase. */
  readonly master: Server;
  /** What a lease adds; null where the cluster asks for none. */
  readonly lease: UnderLease | null;
  /** Servers of the writer hostgroup whose sessions are to be ended before anything else. */
  readonly kill: readonly Server[];
  /** Also sessions that hold such a connection while they are at another hostgroup. */
  readonly killHidden: boolean;
  /** Are there `fast_forward` users in the writer hostgroup? ProxySQL itself lets their sessions go on for 1 to 3 s. */
  readonly fastForward: boolean;
  /** Why the master reads although replicas should, or why too few read; null where enough replicas do. */
  readonly readerShortage: string | null;
}

/** The layout of the hostgroups that a record, a layout and the members ask for: protocol.md's table. Pure. */
export function desired(record: MasterRecord, layout: Layout, members: Members | null): Wanted {
  const master = canonicalServer(layout, record.master);
  const writers = writerRows(record, layout, master);
  const { rows: readers, shortage } = readerRows(record, layout, members);
  const listed = (server: Server): boolean => readers.some((row) => sameServer(row.server, server));
  return {
    hostgroups: { writer: layout.hostgroups.writer, reader: layout.hostgroups.reader },
    rows: [...writers, ...readers],
    neverRead: [
      ...record.quarantined.map((one) => canonicalServer(layout, one)),
      ...(members?.removed ?? []),
      // The server's own row stands for it: by another name it would read whatever it is.
      ...layout.servers.flatMap((one) => one.alsoKnownAs),
    ].filter((one) => !listed(one)),
    writer: record.phase === "open" ? master : null,
    master,
    lease: null,
    kill: [],
    killHidden: false,
    fastForward: false,
    readerShortage: shortage,
  };
}

const MASTER_STATUS = { open: "ONLINE", draining: "OFFLINE_SOFT", fenced: "OFFLINE_HARD" } as const;

function writerRows(record: MasterRecord, layout: Layout, master: Server): readonly WantedRow[] {
  const hostgroup = layout.hostgroups.writer;
  const others = layout.servers
    .filter((server) => server.candidate && !sameServer(server, master))
    .map((server): WantedRow => ({
      hostgroup,
      server: address(server),
      status: "OFFLINE_HARD",
      why: "not the master",
      defaults: defaultsOf(layout, server),
    }));
  const row: WantedRow = {
    hostgroup,
    server: master,
    status: MASTER_STATUS[record.phase],
    why: `the master, ${record.phase}`,
    defaults: defaultsOf(layout, master),
  };
  return [row, ...others];
}

interface Readers {
  readonly rows: readonly WantedRow[];
  readonly shortage: string | null;
}

function readerRows(record: MasterRecord, layout: Layout, members: Members | null): Readers {
  const hostgroup = layout.hostgroups.reader;
  if (hostgroup === null) return { rows: [], shortage: null };
  const master = canonicalServer(layout, record.master);
  const replicas = readerServers(layout, members)
    .filter((server) => !sameServer(server, master))
    .map((server): WantedRow => ({
      hostgroup,
      server: address(server),
      ...readerVerdict(server, record, layout, members),
      defaults: defaultsOf(layout, server),
    }));
  const left = replicas.filter((row) => row.status === "ONLINE").length;
  const tooFew = left === 0 || left < layout.readerFloor;
  const reads = layout.masterReads === "always" || (layout.masterReads === "fallback" && tooFew);
  const masterRow: WantedRow = {
    hostgroup,
    server: master,
    status: reads ? "ONLINE" : "OFFLINE_HARD",
    why: reads ? `the master reads: ${layout.masterReads}` : "the master",
    defaults: defaultsOf(layout, master),
  };
  return { rows: [masterRow, ...replicas], shortage: shortageOf(replicas, left, layout) };
}

/** Below the floor something is wrong, with the replicas or with how they are seen: people must hear of it. */
function shortageOf(replicas: readonly WantedRow[], left: number, layout: Layout): string | null {
  if (left >= layout.readerFloor || replicas.length === 0) return null;
  const out = replicas.filter((row) => row.status !== "ONLINE");
  const instead = layout.masterReads === "never" ? "and the master may not" : "so the master reads as well";
  return (
    `${String(left)} of ${String(replicas.length)} replicas may read, fewer than the layout's floor of ` +
    `${String(layout.readerFloor)}, ${instead}: ${out.map((row) => `${formatServer(row.server)} ${row.why}`).join("; ")}`
  );
}

function address(server: Server): Server {
  return { host: server.host, port: server.port };
}

function defaultsOf(layout: Layout, server: Server): ColumnDefaults {
  const known: LayoutServer | undefined = layout.servers.find((one) => sameServer(one, server));
  return {
    weight: known?.weight ?? layout.defaults.weight,
    maxConnections: known?.maxConnections ?? layout.defaults.maxConnections,
    useSsl: known?.useSsl ?? layout.defaults.useSsl,
  };
}

/** Is the master that the record names one that the layout lists as a candidate? Followed either way: see `warnings`. */
export function masterIsKnown(record: MasterRecord, layout: Layout): boolean {
  const master = canonicalServer(layout, record.master);
  return includesServer(
    layout.servers.filter((server) => server.candidate),
    master,
  );
}
