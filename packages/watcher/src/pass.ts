import { type Server, sameServer } from "@primacy/contract";
import { type Mark, markOf } from "./admission.js";
import { type Documents, type Moment, type PassDecision, decide } from "./decide.js";
import type { Wanted } from "./desired.js";
import type { Outcome, RecordName } from "./outcome.js";
import { pendingEditsOfOthers } from "./pending-edits.js";
import { type Layers, type Step, runtimeDifferences, writersIn } from "./plan.js";
import { claimConflict } from "./ownership.js";
import { AdminError } from "./proxysql/admin-error.js";
import type { Proxy } from "./proxysql/proxy.js";
import { readConnectionsInUse, readLayers, readServers } from "./proxysql/read.js";
import { killFastForward, killSessions } from "./proxysql/sessions.js";
import { statementsOf } from "./proxysql/sql.js";
import type { ConnectionsInUse } from "./restraint.js";
import { mayBeWritten, mayTakeConnections } from "./rows.js";
import type { StateFile } from "./state-file.js";
import { type Begun, type TooLate, tooLate } from "./too-late.js";

/** What a pass works on. */
export interface PassContext {
  readonly cluster: string;
  readonly proxy: Proxy;
  readonly state: StateFile;
  /** What holds at the moment of asking. Asked again before every statement that lets writes through. */
  readonly moment: () => Moment;
  /** Milliseconds of a clock that never goes back. */
  readonly monotonicNow: () => number;
  /** When the record was seen, on that clock; null for a pass without a new record. */
  readonly seenAtMs: number | null;
}

export type ApplyDecision = Extract<PassDecision, { kind: "apply" }>;

/** Reads what one decision needs. `full`: disk, stamp and ownership too. */
export async function readAndDecide(
  documents: Documents,
  context: PassContext,
  full: boolean,
): Promise<{ readonly decision: PassDecision; readonly layers: Layers }> {
  const { proxy, state, cluster } = context;
  const everything = full || !proxy.factsAreCurrent;
  const { hostgroups, onConsulLoss } = documents.layout;
  const facts = await proxy.facts(cluster, everything);
  const layers = await readLayers(proxy.admin, everything || onConsulLoss === "lease");
  const inUse = await lingeringConnections(hostgroups.writer, layers, proxy);
  const stamp = facts.stamps.get(cluster) ?? null;
  const marks = [state.mark(cluster), stamp].filter((one): one is Mark => one !== null);
  const twice = claimConflict(cluster, hostgroups, proxy.claims);
  if (twice.length > 0) return { decision: { kind: "conflict", conflicts: twice }, layers };
  const seen = { layers, ownership: facts.ownership, stamp, inUse };
  return { decision: decide(documents, seen, marks, context.moment()), layers };
}

/** A server that is out, and absent from the runtime, has no connections: then there is nothing to ask. */
async function lingeringConnections(
  hostgroup: number,
  layers: Layers,
  proxy: Proxy,
): Promise<readonly ConnectionsInUse[]> {
  const out = layers.runtime.some((row) => row.hostgroup === hostgroup && !mayTakeConnections(row));
  return out ? await readConnectionsInUse(proxy.admin, hostgroup) : [];
}

/**
 * One pass: read everything, decide, carry out, verify. Never throws: what goes wrong is an outcome, because after a
 * time-out nobody knows what happened and the next pass finds out by reading again.
 */
export async function pass(documents: Documents, context: PassContext, full: boolean): Promise<Outcome> {
  const record: RecordName = {
    generation: documents.record.generation,
    incarnation: documents.record.incarnation,
    phase: documents.record.phase,
  };
  try {
    return await context.proxy.admin.exclusively(async () => {
      const begun = { atMs: context.monotonicNow(), fences: context.moment().fences };
      const { decision, layers } = await readAndDecide(documents, context, full);
      const writers = writersIn(layers.runtime, documents.layout.hostgroups.writer);
      if (decision.kind === "refuse") return { ...decision, kind: "refused", record, writers };
      if (decision.kind === "conflict") return { ...decision, record, writers };
      return await apply(decision, { documents, layers, record, context, begun });
    });
  } catch (error) {
    const code = error instanceof AdminError || error instanceof TooLateError ? error.code : "UNEXPECTED";
    return { kind: "failed", code, reason: error instanceof Error ? error.message : String(error), record };
  }
}

/** Between what was read and the statement that would have let writes through, something came that forbids it. */
class TooLateError extends Error {
  override readonly name = "TooLateError";
  readonly code: TooLate["code"];

  constructor({ code, reason }: TooLate) {
    super(`nothing was let through: ${reason}`);
    this.code = code;
  }
}

/** Asked right before a statement that lets writes through. Throws {@link TooLateError}. */
function mustStillHold(begun: Begun, context: PassContext): void {
  const late = tooLate(begun, context.monotonicNow(), context.moment());
  if (late !== null) throw new TooLateError(late);
}

interface Work {
  readonly documents: Documents;
  readonly layers: Layers;
  readonly record: RecordName;
  readonly context: PassContext;
  readonly begun: Begun;
}

async function apply(decision: ApplyDecision, work: Work): Promise<Outcome> {
  const { documents, context, layers, record } = work;
  const { wanted, plan } = decision;
  context.proxy.claim(context.cluster, wanted.hostgroups);
  const mark = markOf(documents.record, documents.hash);
  const problems: string[] = [];
  // Also one that is not new, where the file was lost or could not be written.
  if (!context.state.hasOnDisk(context.cluster, mark, wanted.hostgroups))
    await noting(problems, "the mark is not on our disk", () =>
      context.state.remember(context.cluster, mark, wanted.hostgroups),
    );
  let runtime = layers.runtime;
  let verifiedAtMs: number | null = null;
  let killed = 0;
  for (const step of plan.steps) {
    if ((step.kind === "update" || step.kind === "load") && letsWritesThrough(wanted)) {
      mustStillHold(work.begun, context);
    }
    if (step.kind === "verify") {
      runtime = await verify(wanted, context);
      verifiedAtMs = context.monotonicNow();
    } else if (step.kind === "kill") {
      killed = await killSessions(context.proxy.admin, step, foreignHostgroups(context));
    } else if (step.kind === "save" || step.kind === "stamp") {
      // The runtime is as it must be by now: what fails here is said, and tried again, and undoes nothing.
      await noting(problems, `${step.kind} failed`, () => run(step, context, mark));
    } else {
      await run(step, context, mark);
    }
  }
  return {
    ...(decision.withheld === null
      ? { kind: "applied" as const }
      : { kind: "withheld" as const, reason: decision.withheld, killed: killed > 0 }),
    record,
    writers: writersIn(runtime, wanted.hostgroups.writer),
    connectionsInUse: await lingering(wanted, context.proxy),
    differences: plan.differences,
    loaded: plan.runtimeDiffers,
    isNew: decision.isNew,
    tookMs: elapsedMs(context.seenAtMs, verifiedAtMs),
    notDurable: problems.length === 0 ? null : problems.join("; "),
    pendingEditsOfOthers: plan.runtimeDiffers ? pendingEditsOfOthers(wanted, layers) : [],
    warnings: decision.warnings,
  };
}

function letsWritesThrough(wanted: Wanted): boolean {
  return wanted.rows.some((row) => row.hostgroup === wanted.hostgroups.writer && mayBeWritten(row));
}

async function run(step: Step, context: PassContext, mark: Mark): Promise<void> {
  if (step.kind === "kill-fast-forward") {
    await killFastForward(context.proxy.admin, [step.hostgroup], step.except);
    return;
  }
  for (const sql of statementsOf(step, context.cluster, mark)) await context.proxy.admin.execute(sql);
  if (step.kind === "stamp") context.proxy.noteStamp(context.cluster, mark);
}

/** Hostgroups of the other clusters that are followed here: their sessions are nobody's business. */
function foreignHostgroups({ cluster, proxy }: PassContext): readonly number[] {
  return [...proxy.claims].flatMap(([other, { writer, reader }]) =>
    other === cluster ? [] : [writer, ...(reader === null ? [] : [reader])],
  );
}

/** ProxySQL answers a LOAD with OK whatever came of it: the runtime is what counts. */
async function verify(wanted: Wanted, { proxy, cluster }: PassContext): Promise<Layers["runtime"]> {
  await proxy.noteProbe(cluster);
  const runtime = await readServers(proxy.admin, "runtime");
  const differences = runtimeDifferences(wanted, runtime);
  if (differences.length > 0) throw new AdminError("PROXYSQL_NOT_VERIFIED", differences.join("; "));
  return runtime;
}

/** Connections in use on servers of the writer hostgroup that must have none: all but the master that is open. */
export async function lingering(wanted: Wanted, proxy: Proxy): Promise<number> {
  const pool = await readConnectionsInUse(proxy.admin, wanted.hostgroups.writer);
  const mayHave = (server: Server): boolean => wanted.writer !== null && sameServer(server, wanted.writer);
  return pool.filter((row) => !mayHave(row)).reduce((sum, row) => sum + row.used, 0);
}

async function noting(problems: string[], what: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (
      error instanceof AdminError &&
      (error.code === "PROXYSQL_TIMEOUT" || error.code === "PROXYSQL_UNREACHABLE")
    )
      throw error;
    problems.push(`${what}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Milliseconds to a tenth. */
function elapsedMs(from: number | null, to: number | null): number | null {
  return from === null || to === null ? null : Math.round((to - from) * 10) / 10;
}
