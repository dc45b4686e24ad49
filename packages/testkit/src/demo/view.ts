import type { Routing } from "../fleet/plan.js";

/** One database server, as it stands now. */
export interface DatabaseView {
  address: string;
  /** Null while it does not answer. */
  readOnly: boolean | null;
  replicatesFrom: string | null;
  /** Rows of the load that were executed on this very server. */
  rows: number | null;
}

/** One ProxySQL, as it stands now. */
export interface ProxyView {
  name: string;
  /** ONLINE servers in the writer hostgroup of its runtime; null while it does not answer. */
  writers: readonly string[] | null;
  readers: readonly string[] | null;
  /** Generation that its watcher has acknowledged; null without a watcher. */
  generation: number | null;
}

/** Everything on the screen. */
export interface View {
  routing: Routing;
  /** What is happening, in one sentence. */
  act: string;
  seconds: number;
  /** `generation 2, open, master db2:3306`; null where there is no record. */
  record: string | null;
  databases: readonly DatabaseView[];
  proxies: readonly ProxyView[];
  /** Acknowledged writes a second, over the last second. */
  writeRate: number;
  /** Milliseconds since the last acknowledged write. */
  gapMs: number;
}

const DIM = "\u001b[2m";
const RED = "\u001b[31m";
const GREEN = "\u001b[32m";
const BOLD = "\u001b[1m";
const RESET = "\u001b[0m";

/** Words in colour on a terminal, bare everywhere else. */
export interface Paint {
  bold(text: string): string;
  dim(text: string): string;
  good(text: string): string;
  bad(text: string): string;
}

export function paint(colour: boolean): Paint {
  const wrap = (code: string) => (text: string) => (colour ? `${code}${text}${RESET}` : text);
  return { bold: wrap(BOLD), dim: wrap(DIM), good: wrap(GREEN), bad: wrap(RED) };
}

/** The live table, line by line. Pure. */
export function renderView(view: View, brush: Paint): string[] {
  return [
    `${brush.bold(view.routing === "primacy" ? "Primacy" : "ProxySQL's read_only monitor")}  ${view.act}`,
    brush.dim(`${view.seconds.toFixed(0)} s   record: ${view.record ?? "none"}`),
    "",
    ...view.databases.map((one) => databaseLine(one, brush)),
    "",
    ...view.proxies.map((one) => proxyLine(one, brush)),
    "",
    `writes: ${view.writeRate.toFixed(0)}/s   since the last: ${gapText(view.gapMs, brush)}`,
  ];
}

function databaseLine(one: DatabaseView, brush: Paint): string {
  const state = databaseState(one);
  const painted = one.readOnly === null ? brush.bad(state) : one.readOnly ? state : brush.good(state);
  const rows = one.rows === null ? "" : `${String(one.rows)} writes executed here`;
  return `  ${one.address.padEnd(18)} ${painted.padEnd(44)} ${rows}`;
}

function databaseState(one: DatabaseView): string {
  if (one.readOnly === null) return "does not answer";
  const from =
    one.replicatesFrom === null ? "replicates from nobody" : `replicates from ${one.replicatesFrom}`;
  return `${one.readOnly ? "read-only" : "WRITABLE"}, ${from}`;
}

function proxyLine(one: ProxyView, brush: Paint): string {
  const generation = one.generation === null ? "" : `generation ${String(one.generation)}  `;
  if (one.writers === null) return `  ${one.name.padEnd(18)} ${brush.bad("does not answer")}`;
  const writers = one.writers.length === 0 ? "nobody" : one.writers.join(" AND ");
  const painted = one.writers.length > 1 ? brush.bad(writers) : writers;
  return `  ${one.name.padEnd(18)} ${generation}writes -> ${painted}   reads -> ${(one.readers ?? []).join(", ")}`;
}

function gapText(gapMs: number, brush: Paint): string {
  const text = `${gapMs.toFixed(0)} ms`;
  return gapMs > 1000 ? brush.bad(text) : text;
}
