import type { Logger } from "pino";
import type { CommitContext } from "../commit.js";
import { commitEnding } from "../ending.js";
import { deliverSpooled } from "../spool/deliver.js";
import type { Spool } from "../spool/folder.js";
import { lockSpool } from "../spool/lock.js";
import type { AgentMetrics } from "./metrics.js";
import { backoffMs, jitteredMs, sleep } from "@primacy/service";

export interface SpoolLoopParts {
  readonly spool: Spool;
  readonly commit: CommitContext;
  readonly metrics: AgentMetrics;
  readonly log: Logger;
  readonly deadlineMs: number;
}

/** Between two looks into the folder. Milliseconds. */
const LOOK_EVERY_MS = 1000;
/** A hook that delivers just now has the lock. Milliseconds. */
const LOCK_PATIENCE_MS = 2000;

/**
 * Delivers what hooks on this machine had to leave on disk. Every agent does it for its own machine, whoever leads: the
 * disk is nobody else's.
 */
export async function runSpoolLoop(parts: SpoolLoopParts, signal: AbortSignal): Promise<void> {
  const { world } = parts.commit;
  let failures = 0;
  let said = "";
  while (!signal.aborted) {
    const problem = await deliver(parts, signal).catch((error: unknown) =>
      error instanceof Error ? error.message : String(error),
    );
    failures = problem === null ? 0 : failures + 1;
    if (problem !== null && problem !== said) parts.log.warn({ folder: parts.spool.folder }, problem);
    if (problem === null && said !== "")
      parts.log.info({ folder: parts.spool.folder }, "the spool is delivered");
    said = problem ?? "";
    const pauseMs =
      problem === null ? LOOK_EVERY_MS : LOOK_EVERY_MS + backoffMs(failures, world.random(), 500, 10_000);
    await sleep(jitteredMs(pauseMs, world.random()), signal);
  }
}

/** Null where nothing is left, or one sentence that says what is and why. */
async function deliver(parts: SpoolLoopParts, signal: AbortSignal): Promise<string | null> {
  const { spool, commit, metrics, log, deadlineMs } = parts;
  const names = await spool.names();
  metrics.noteSpooled(names.length);
  if (names.length === 0) return null;
  const lock = await lockSpool(spool.folder, LOCK_PATIENCE_MS, commit.world);
  if (lock === undefined) return "another process delivers the spool";
  try {
    const report = await deliverSpooled(spool, undefined, commit.world.elapsed() + deadlineMs, {
      ...commit,
      signal,
    });
    metrics.noteSpooled(report.waiting);
    for (const one of report.delivered.filter((each) => !each.kept)) {
      const ending = commitEnding(one.entry.cluster, one.outcome);
      metrics.noteEvent(one.entry.cluster, "spooled", one.outcome.kind);
      log.warn(
        { cluster: one.entry.cluster, spooledAt: one.entry.spooledAt, ...ending.fields },
        `spooled event: ${ending.line}`,
      );
    }
    for (const file of report.unreadable)
      log.error({ file: file.name }, `spooled file is no event: ${file.problem}`);
    const kept = report.delivered.find((one) => one.kept);
    if (kept !== undefined)
      return `${String(report.waiting)} events wait: ${commitEnding(kept.entry.cluster, kept.outcome).line}`;
    return report.waiting === 0 ? null : `${String(report.waiting)} events wait`;
  } finally {
    await lock.release();
  }
}
