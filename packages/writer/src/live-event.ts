import { type HookEvent, type SpoolableEvent, formatServer } from "@primacy/contract";
import { type CommitContext, type CommitOutcome, commitEvent } from "./commit.js";
import { type Ending, commitEnding } from "./ending.js";
import { errorText } from "./errors.js";
import { type DeliveryReport, deliverSpooled } from "./spool/deliver.js";
import { entryNameCluster, newEntry } from "./spool/entry.js";
import type { Spool } from "./spool/folder.js";
import { lockSpool } from "./spool/lock.js";
import { isoNow } from "./world.js";

/** An event that a hook brought just now. */
export interface LiveEvent {
  readonly cluster: string;
  readonly hook: string;
  readonly event: HookEvent;
}

export interface LiveContext {
  readonly spool: Spool;
  readonly commit: CommitContext;
  /** When to stop trying, milliseconds on the world's `elapsed` clock. */
  readonly deadline: number;
}

/**
 * Delivers an event: first what waits in the spool of the same cluster, for that is older, then the event itself. What
 * can't be delivered now goes into the spool, behind the others; a drain or a fence does not, because late it would be
 * wrong.
 */
export async function deliverLive(live: LiveEvent, context: LiveContext): Promise<Ending> {
  const older = await deliverOlder(live.cluster, context);
  const outcome =
    older.blocked ?? (await commitEvent(live.cluster, live.event, context.deadline, context.commit));
  const ending = commitEnding(live.cluster, outcome);
  const waits = older.blocked !== undefined || isUndecided(outcome);
  const kept = waits ? await keepForLater(live, ending, context) : ending;
  return { ...kept, notes: [...older.notes, ...(kept.notes ?? [])] };
}

interface Older {
  readonly notes: readonly string[];
  /** Why the live event may not go ahead. */
  readonly blocked?: CommitOutcome;
}

async function deliverOlder(cluster: string, context: LiveContext): Promise<Older> {
  const { spool, deadline, commit } = context;
  let names: readonly string[];
  try {
    names = await spool.names();
  } catch (error) {
    return { notes: [`the spool can't be read: ${errorText(error)}`] };
  }
  if (!names.some((name) => entryNameCluster(name) === cluster)) return { notes: [] };
  const halfTheTime = (deadline - commit.world.elapsed()) / 2;
  const lock = await lockSpool(spool.folder, halfTheTime, commit.world);
  if (lock === undefined) {
    return { notes: [], blocked: { kind: "unreachable", problem: "another delivery holds the spool" } };
  }
  try {
    return afterOlder(await deliverSpooled(spool, cluster, deadline, commit));
  } finally {
    await lock.release();
  }
}

function afterOlder(report: DeliveryReport): Older {
  const decided = report.delivered.filter((one) => !one.kept);
  const notes = [
    ...decided.map((one) => `spooled event: ${commitEnding(one.entry.cluster, one.outcome).line}`),
    ...decided.flatMap((one) => one.diskProblem ?? []),
    ...report.unreadable.map((file) => `spooled file ${file.name} is left out: ${file.problem}`),
  ];
  const kept = report.delivered.find((one) => one.kept);
  return kept === undefined ? { notes } : { notes, blocked: kept.outcome };
}

function isUndecided(outcome: CommitOutcome): boolean {
  return outcome.kind !== "applied" && outcome.kind !== "nothing" && outcome.kind !== "refused";
}

async function keepForLater(live: LiveEvent, ending: Ending, context: LiveContext): Promise<Ending> {
  const { event } = live;
  if (event.kind === "open" || event.kind === "abort") return spoolEvent({ ...live, event }, ending, context);
  const exit = ending.exit === "unreachable" ? "undelivered" : ending.exit;
  return { ...ending, exit, line: `${ending.line}; "${statement(event)}" can't wait and is dropped` };
}

async function spoolEvent(
  live: LiveEvent & { readonly event: SpoolableEvent },
  ending: Ending,
  context: LiveContext,
): Promise<Ending> {
  const { spool, commit } = context;
  const said = `"${statement(live.event)}"`;
  try {
    const entry = newEntry({
      spooledAt: isoNow(commit.world),
      cluster: live.cluster,
      hook: live.hook,
      because: ending.line,
      event: live.event,
    });
    const how = await spool.add(entry, commit.world.newId());
    const line = `${ending.line}; ${said} ${how === "already" ? "waits already" : "waits"} in ${spool.folder}`;
    return { ...ending, exit: ending.exit === "unreachable" ? "spooled" : ending.exit, line };
  } catch (error) {
    return {
      ...ending,
      exit: "undelivered",
      line: `${ending.line}; ${said} could not be kept on disk: ${errorText(error)}`,
    };
  }
}

function statement(event: HookEvent): string {
  const outgoing = formatServer(event.outgoing);
  switch (event.kind) {
    case "open":
      return `${formatServer(event.successor)} follows ${outgoing}`;
    case "abort":
      return `${outgoing} stays the master`;
    case "drain":
      return `${outgoing} drains`;
    case "fence":
      return `${outgoing} is fenced`;
  }
}
