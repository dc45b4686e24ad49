import {
  type Layout,
  type Parsed,
  type Server,
  canonicalServer,
  formatServer,
  isCandidate,
  layoutServer,
  makeServer,
  parseLayout,
  sameServer,
} from "@primacy/contract";

/** A row of `mysql_servers` of a running ProxySQL, as far as a layout is made from it. */
export interface ProxyServerRow {
  readonly hostgroup: number;
  readonly host: string;
  readonly port: number;
  readonly status: string;
  readonly weight: number;
  readonly maxConnections: number;
  readonly useSsl: boolean;
}

/** A row of `mysql_replication_hostgroups`. */
export interface HostgroupPair {
  readonly writer: number;
  readonly reader: number;
}

export interface ProxyRows {
  readonly servers: readonly ProxyServerRow[];
  readonly pairs: readonly HostgroupPair[];
}

/** Who the master is, by one source. */
export interface MasterWord {
  /** Such as "Orchestrator at http://…", for messages. */
  readonly source: string;
  readonly master: Parsed<Server>;
}

export interface AdoptInput {
  readonly cluster: string;
  /** The layout to use; null: it is made from the proxy's rows. */
  readonly layout: Layout | null;
  readonly rows: ProxyRows | null;
  /** As the operator gave them; they win over the proxy's own pairs. */
  readonly hostgroups: { readonly writer: number; readonly reader: number | null } | null;
  /** By Orchestrator or its keys, and whatever else was asked. */
  readonly words: readonly MasterWord[];
}

export interface Adoption {
  readonly layout: Layout;
  readonly master: Server;
  /** What to know before saying yes. */
  readonly warnings: readonly string[];
}

/**
 * What an existing set-up comes to: a layout and a master. Every source must name the same master: where they don't,
 * somebody's writes go wrong already, and an adoption would make that lasting. Pure.
 */
export function adoptionOf(input: AdoptInput): Parsed<Adoption> {
  const hostgroups = hostgroupsOf(input);
  if (!hostgroups.ok) return hostgroups;
  const layout = input.layout === null ? layoutFrom(input, hostgroups.value) : parsed(input.layout);
  if (!layout.ok) return layout;
  const master = agreedMaster(input, layout.value);
  if (!master.ok) return master;
  if (!isCandidate(layout.value, master.value)) {
    return problem(`${formatServer(master.value)} is the master and no candidate in the layout`);
  }
  return {
    ok: true,
    value: { layout: layout.value, master: master.value, warnings: warningsOf(input, layout.value) },
  };
}

type Hostgroups = NonNullable<AdoptInput["hostgroups"]>;

function hostgroupsOf({ hostgroups, layout, rows }: AdoptInput): Parsed<Hostgroups> {
  if (hostgroups !== null) return parsed(hostgroups);
  if (layout !== null) return parsed(layout.hostgroups);
  const [pair, second] = rows?.pairs ?? [];
  if (pair === undefined)
    return problem("which hostgroups? --writer-hostgroup N --reader-hostgroup M, or --layout FILE");
  if (second !== undefined) {
    const pairs = rows?.pairs.map((one) => `${String(one.writer)}/${String(one.reader)}`).join(", ") ?? "";
    return problem(
      `the proxy has several pairs of hostgroups (${pairs}): which? --writer-hostgroup N --reader-hostgroup M`,
    );
  }
  return parsed({ writer: pair.writer, reader: pair.reader });
}

function layoutFrom({ cluster, rows }: AdoptInput, hostgroups: Hostgroups): Parsed<Layout> {
  if (rows === null)
    return problem("a layout is needed: --layout FILE, or --proxysql host:port to make one from its rows");
  const mine = rows.servers.filter(
    (row) => row.hostgroup === hostgroups.writer || row.hostgroup === hostgroups.reader,
  );
  if (mine.length === 0)
    return problem(`the proxy has no servers in the hostgroups ${hostgroupNames(hostgroups)}`);
  const servers: Record<string, unknown>[] = [];
  for (const row of mine) {
    const server = makeServer(row.host, row.port);
    if (!server.ok) return problem(`a row of the proxy: ${server.problem}`);
    if (servers.some((one) => sameServer(one as unknown as Server, server.value))) continue;
    const readerRow = mine.find((one) => one.hostgroup === hostgroups.reader && isRowOf(one, server.value));
    servers.push({
      ...server.value,
      reads: readerRow !== undefined || hostgroups.reader === null || isWriterOnly(row, hostgroups),
      weight: (readerRow ?? row).weight,
      maxConnections: (readerRow ?? row).maxConnections,
      useSsl: (readerRow ?? row).useSsl,
    });
  }
  return parseLayout({ cluster, hostgroups, servers });
}

/** ProxySQL's own monitor moves the master out of the reader hostgroup: that says nothing of what it may do later. */
function isWriterOnly(row: ProxyServerRow, hostgroups: Hostgroups): boolean {
  return row.hostgroup === hostgroups.writer && row.status.toUpperCase() === "ONLINE";
}

function isRowOf(row: ProxyServerRow, server: Server): boolean {
  return sameServer({ host: row.host, port: row.port }, server);
}

function agreedMaster(
  { words, rows, hostgroups, layout: given }: AdoptInput,
  layout: Layout,
): Parsed<Server> {
  const failed = words.find((one) => !one.master.ok);
  if (failed?.master.ok === false) return problem(`${failed.source}: ${failed.master.problem}`);
  const named = words.flatMap(({ source, master }) =>
    master.ok ? [{ source, master: canonicalServer(layout, master.value) }] : [],
  );
  const writer = (hostgroups ?? given?.hostgroups ?? layout.hostgroups).writer;
  const online = (rows?.servers ?? []).filter(
    (row) => row.hostgroup === writer && row.status.toUpperCase() === "ONLINE",
  );
  if (rows !== null && online.length > 1) {
    const names = online.map((row) => `${row.host}:${String(row.port)}`).join(", ");
    return problem(`the proxy's writer hostgroup ${String(writer)} has several ONLINE servers: ${names}`);
  }
  for (const row of online) {
    const server = makeServer(row.host, row.port);
    if (server.ok)
      named.push({ source: "the proxy's writer hostgroup", master: canonicalServer(layout, server.value) });
  }
  const [first] = named;
  if (first === undefined)
    return problem("who is the master? --orchestrator URL, --from-keys PREFIX, or a proxy with one writer");
  const other = named.find((one) => !sameServer(one.master, first.master));
  if (other === undefined) return parsed(first.master);
  const said = named.map((one) => `${one.source}: ${formatServer(one.master)}`).join("; ");
  return problem(`the sources don't agree on the master: ${said}`);
}

function warningsOf({ rows }: AdoptInput, layout: Layout): readonly string[] {
  const { writer, reader } = layout.hostgroups;
  const owned = rows?.pairs.filter((one) =>
    [one.writer, one.reader].some((each) => each === writer || each === reader),
  );
  const strangers = (rows?.servers ?? []).filter((row) => {
    const mine = row.hostgroup === writer || row.hostgroup === reader;
    return mine && layoutServer(layout, { host: row.host, port: row.port }) === undefined;
  });
  return [
    ...(owned ?? []).map(
      (one) =>
        `ProxySQL's own read_only monitor owns hostgroups ${String(one.writer)} and ${String(one.reader)}; before a watcher ` +
        `can: DELETE FROM mysql_replication_hostgroups WHERE writer_hostgroup=${String(one.writer)}; ` +
        "LOAD MYSQL SERVERS TO RUNTIME; SAVE MYSQL SERVERS TO DISK (one statement at a time)",
    ),
    ...strangers.map(
      (row) =>
        `${row.host}:${String(row.port)} has a row in hostgroup ${String(row.hostgroup)} and is not in the layout`,
    ),
  ];
}

function hostgroupNames({ writer, reader }: Hostgroups): string {
  return reader === null ? String(writer) : `${String(writer)} and ${String(reader)}`;
}

/**
 * The master by Orchestrator's own keys: `<prefix>/<alias>` is `host:port`. The other four (`/hostname`, `/port`, …) are
 * written one by one and can be read torn (openark/orchestrator#1273), so they only have to fit where they are there.
 */
export function masterByKeys(
  alias: string,
  prefix: string,
  pairs: readonly { readonly key: string; readonly value: string }[],
): MasterWord {
  const source = `Orchestrator's key ${prefix}/${alias}`;
  const value = (suffix: string): string | undefined =>
    pairs.find((one) => one.key === `${prefix}/${alias}${suffix}`)?.value;
  const whole = value("");
  if (whole === undefined)
    return { source, master: { ok: false, problem: "it is not there (or the token may not read it)" } };
  const colon = whole.lastIndexOf(":");
  const master = makeServer(whole.slice(0, Math.max(0, colon)), Number(whole.slice(colon + 1)));
  const port = value("/port");
  if (master.ok && port !== undefined && port !== "" && Number(port) !== master.value.port) {
    return {
      source,
      master: { ok: false, problem: `it says ${whole}, and its /port says ${port}: it is being written` },
    };
  }
  return { source, master };
}

function parsed<T>(value: T): Parsed<T> {
  return { ok: true, value };
}

function problem(text: string): { readonly ok: false; readonly problem: string } {
  return { ok: false, problem: text };
}
