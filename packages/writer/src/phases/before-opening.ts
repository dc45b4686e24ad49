import { type Layout, type Server, formatServer, layoutServer } from "@primacy/contract";
import { type CommitContext, commitEvent } from "../commit.js";
import { commitEnding } from "../ending.js";
import type { BeforeOpening, Opening, OpeningStep } from "../opening.js";
import { readEvidence } from "./evidence.js";
import { type PhaseMeans, type PhaseReport, holdFence, readAgain } from "./hold.js";
import { makeServerWritable } from "./reopen.js";

export interface OpeningMeans extends PhaseMeans {
  /** How a fence is committed that nobody has raised yet. */
  readonly commit: Omit<CommitContext, "beforeOpening">;
  /** For that. Milliseconds. */
  readonly deadlineMs: number;
  /** Undefined: what the layout says (onFenceFailure). */
  readonly stopOnFailure: boolean | undefined;
}

/** What is done on the servers before the record says `open`. */
export function beforeOpening(means: OpeningMeans): BeforeOpening {
  return async (opening) => {
    const { event, layout } = opening;
    if (event.kind === "abort") return await giveBack(opening, event.outgoing, means);
    if (event.kind !== "open") return { kind: "go", notes: [] };
    if (layout?.openedBy === "primacy") return await open(opening, event, means);
    const evidence = await readEvidence(means.spoolFolder, opening.current);
    return { kind: "go", oldMaster: evidence?.proof, notes: [] };
  };
}

/**
 * The takeover is off: what the writer made read-only is made writable again. Where that fails the record says `open` all
 * the same: the server says itself that it is read-only, and proxies that hold clients back would hide it.
 */
async function giveBack(
  { current, layout }: Opening,
  outgoing: Server,
  means: OpeningMeans,
): Promise<OpeningStep> {
  const evidence = await readEvidence(means.spoolFolder, current);
  const ours = evidence?.wasWritable === true || layout?.openedBy === "primacy";
  if (!ours || means.settings === undefined) return { kind: "go", notes: [] };
  const problem = await makeServerWritable(outgoing, [], means);
  return {
    kind: "go",
    notes: [
      problem === undefined
        ? `${formatServer(outgoing)} is writable again`
        : `not writable again: ${problem}`,
    ],
  };
}

/** Fence, old master and proxies, then the new master, and only then the record. */
async function open(
  opening: Opening,
  event: Extract<Opening["event"], { kind: "open" }>,
  means: OpeningMeans,
): Promise<OpeningStep> {
  const { cluster, current, layout } = opening;
  const { outgoing, successor, cause, beganAt } = event;
  if (current.phase !== "fenced") {
    const deadline = means.world.elapsed() + means.deadlineMs;
    const fence = { kind: "fence", outgoing, cause, beganAt } as const;
    const fenced = await commitEvent(cluster, fence, deadline, means.commit);
    if (fenced.kind === "applied" || fenced.kind === "nothing") return { kind: "again" };
    return { kind: "not-opened", problem: `no fence: ${commitEnding(cluster, fenced).line}` };
  }
  const planned = cause.command.startsWith("graceful-master-takeover");
  const held = await holdFence({ cluster, record: current, layout, outgoing, successor, planned }, means);
  // While the proxies were waited for, an operator may have given the old master back: two servers would take writes.
  // Where the record can't be read it could not be written either.
  let stands = true;
  const look = async () => (stands = (await readAgain(opening, means))?.writeId === current.writeId);
  if (!(await look())) return { kind: "again" };
  const stop = means.stopOnFailure ?? layout?.onFenceFailure === "stop";
  if (stop && !held.complete) return { kind: "not-opened", problem: held.lines.join("; ") };
  const former = allNames(layout, outgoing, current.master);
  const problem = await makeServerWritable(successor, former, means, look);
  if (!stands) return { kind: "again" };
  if (problem !== undefined) return { kind: "not-opened", problem };
  return await opened(opening, held, means);
}

async function opened(
  { current, next }: Opening,
  held: PhaseReport,
  { spoolFolder }: OpeningMeans,
): Promise<OpeningStep> {
  const evidence = await readEvidence(spoolFolder, current);
  const notes = [...held.notes, ...held.lines, `${formatServer(next.master)} is writable`];
  return { kind: "go", oldMaster: evidence?.proof, notes };
}

/** All names of a server: a replica may have been told any of them. */
function allNames(layout: Layout | undefined, ...servers: readonly Server[]): Server[] {
  return servers.flatMap((server) => {
    const known = layout === undefined ? undefined : layoutServer(layout, server);
    return known === undefined
      ? [server]
      : [server, { host: known.host, port: known.port }, ...known.alsoKnownAs];
  });
}
