import { type CommitContext, type CommitOutcome, commitEvent } from "../commit.js";
import { errorText } from "../errors.js";
import { isoNow } from "../world.js";
import { type SpoolEntry, entryNameCluster, spooledEvent } from "./entry.js";
import type { Spool, SpooledFile, UnreadableFile } from "./folder.js";

/** What became of one spooled event. */
export interface Delivered {
  readonly name: string;
  readonly entry: SpoolEntry;
  readonly outcome: CommitOutcome;
  /** It still waits. */
  readonly kept: boolean;
  /** Why its file could not be cleared away although it is decided; it will be decided again, the same way. */
  readonly diskProblem?: string;
}

export interface DeliveryReport {
  readonly delivered: readonly Delivered[];
  readonly unreadable: readonly UnreadableFile[];
  /** How many events still wait, tried or not. */
  readonly waiting: number;
}

/**
 * Delivers what waits, oldest first, of one cluster or of all; the caller holds the spool's lock. What was applied or
 * had nothing to do goes; what was refused moves to `refused/`; what can't be delivered stays, and so does everything
 * behind it of the same cluster. Once Consul can't be reached nothing more is tried.
 */
export async function deliverSpooled(
  spool: Spool,
  cluster: string | undefined,
  deadline: number,
  context: CommitContext,
): Promise<DeliveryReport> {
  const { files, unreadable } = await spool.waiting();
  const delivered: Delivered[] = [];
  const stuck = new Set<string>();
  for (const file of files.filter((one) => cluster === undefined || one.entry.cluster === cluster)) {
    if (stuck.has(file.entry.cluster)) continue;
    const one = await deliverOne(spool, file, deadline, context);
    delivered.push(one);
    if (one.kept) stuck.add(file.entry.cluster);
    if (one.outcome.kind === "unreachable") break;
  }
  return { delivered, unreadable, waiting: await countWaiting(spool, cluster) };
}

async function deliverOne(
  spool: Spool,
  file: SpooledFile,
  deadline: number,
  context: CommitContext,
): Promise<Delivered> {
  const { name, entry } = file;
  const outcome = await commitEvent(entry.cluster, spooledEvent(entry), deadline, context);
  if (staysSpooled(outcome)) return { name, entry, outcome, kept: true };
  try {
    if (outcome.kind === "refused") {
      await spool.refuse(file, isoNow(context.world), `${outcome.reason} [${outcome.rule}]`);
    } else {
      await spool.remove(name);
    }
    return { name, entry, outcome, kept: false };
  } catch (error) {
    return { name, entry, outcome, kept: false, diskProblem: errorText(error) };
  }
}

/** A cluster without a record is no reason to throw its event away: Consul may just be being restored. */
function staysSpooled(outcome: CommitOutcome): boolean {
  if (outcome.kind === "refused") return outcome.refusal === "no-record";
  return outcome.kind !== "applied" && outcome.kind !== "nothing";
}

async function countWaiting(spool: Spool, cluster: string | undefined): Promise<number> {
  const names = await spool.names();
  return names.filter((name) => cluster === undefined || entryNameCluster(name) === cluster).length;
}
