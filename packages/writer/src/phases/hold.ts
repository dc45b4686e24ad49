import { ConsulError, type ConsulStore } from "@primacy/consul-store";
import { type Layout, type MasterRecord, type Server, formatServer, sameServer } from "@primacy/contract";
import { type OldMasterMeans, type OldMasterReport, type Visit, visitOldMaster } from "./old-master.js";
import { type BarrierEnd, barrierFields, barrierLine, waitForProxies } from "./proxies.js";
import { makeServerWritable } from "./reopen.js";
import { longestWait } from "./wait-time.js";

/** Milliseconds. */
const READ_LIMIT_MS = 2000;

/** What a phase is held with: the proxies, and the old master itself. */
export interface PhaseMeans extends OldMasterMeans {
  readonly store: Pick<
    ConsulStore,
    "readCluster" | "readAcknowledgements" | "watchAcknowledgements" | "environment"
  >;
  readonly signal: AbortSignal;
  /** How long the proxies are waited for, milliseconds; undefined: as long as the phase takes. */
  readonly waitMs: number | undefined;
}

/** A takeover as far as it concerns the old master. */
export interface Takeover extends Visit {
  readonly cluster: string;
  readonly layout: Layout | undefined;
  /** By the name by which it is reached from here. */
  readonly outgoing: Server;
}

/** What was reached: by all that is waited for, or not. */
export interface PhaseReport {
  readonly complete: boolean;
  /** One after another, the proxies' last. */
  readonly lines: readonly string[];
  readonly notes: readonly string[];
  readonly fields: Readonly<Record<string, string | number>>;
}

/** Fenced: at once at the proxies and on the old master. */
export async function holdFence(takeover: Takeover, means: PhaseMeans): Promise<PhaseReport> {
  const [proxies, old] = await Promise.all([waitFor(takeover, means), visit(takeover, means)]);
  return unlessCalledOff(takeover, await readAgain(takeover, means), report(takeover, proxies, old));
}

/** Draining: sessions may end at the proxies; only then is what is left on the old master killed. */
export async function holdDrain(takeover: Takeover, means: PhaseMeans): Promise<PhaseReport> {
  const proxies = await waitFor(takeover, means);
  // It may have been called off meanwhile, and then the old master must go on writing.
  const now = await readAgain(takeover, means);
  const stands = now?.generation === takeover.record.generation;
  const held = report(takeover, proxies, stands ? await visit(takeover, means) : undefined);
  if (now !== undefined || means.settings === undefined) return unlessCalledOff(takeover, now, held);
  const line = `the old master ${formatServer(takeover.outgoing)} is left as it is: whether it still drains can't be read`;
  return { ...held, complete: false, lines: [...held.lines, line] };
}

/** The proxies alone: where nothing is to be done on the old master. */
export async function waitForAll(takeover: Takeover, means: PhaseMeans): Promise<PhaseReport> {
  return report(takeover, await waitFor(takeover, means), undefined);
}

/**
 * A proxy that has a later record has followed, and is not waited for. Where that record gives the outgoing master back
 * (an operator, an agent past the deadline), every proxy may route to it, and the takeover must not go on as if held.
 */
function unlessCalledOff(
  { record, outgoing }: Takeover,
  now: MasterRecord | undefined,
  held: PhaseReport,
): PhaseReport {
  if (now === undefined || !isGivenBack(record, now)) return held;
  const line = `the takeover was called off meanwhile: ${formatServer(outgoing)} is open at generation ${String(now.generation)}`;
  return { ...held, complete: false, lines: [...held.lines, line] };
}

/** Does a later record say that the outgoing master takes writes? */
function isGivenBack(record: MasterRecord, now: MasterRecord): boolean {
  return now.phase === "open" && sameServer(now.master, record.master);
}

async function waitFor(takeover: Takeover, means: PhaseMeans): Promise<BarrierEnd | undefined> {
  const { cluster, record, layout } = takeover;
  const longestMs = means.waitMs ?? longestWait(record, layout, means.world.now());
  return longestMs === 0 ? undefined : await waitForProxies(cluster, { record, layout }, longestMs, means);
}

/**
 * On the old master. Whoever called the takeover off while we were there has made it writable, or has found it so; then
 * we were too late, and take back what we did.
 */
async function visit(takeover: Takeover, means: PhaseMeans): Promise<OldMasterReport> {
  const { outgoing, record } = takeover;
  const old = await visitOldMaster(takeover, means);
  if (old.evidence?.wasWritable !== true) return old;
  const now = await readAgain(takeover, means);
  if (now === undefined || !isGivenBack(record, now)) return old;
  const problem = await makeServerWritable(outgoing, [], means);
  const done = problem === undefined ? "writable again" : `not writable again: ${problem}`;
  return { ...old, notes: [...old.notes, `the takeover is off: ${formatServer(outgoing)} is ${done}`] };
}

/** The record as it is now; undefined where it can't be read. */
export async function readAgain(
  { cluster }: Pick<Takeover, "cluster">,
  { store, signal }: PhaseMeans,
): Promise<MasterRecord | undefined> {
  try {
    const { record } = await store.readCluster(cluster, { deadlineMs: READ_LIMIT_MS, signal });
    return record.kind === "valid" ? record.value : undefined;
  } catch (error) {
    if (error instanceof ConsulError) return undefined;
    throw error;
  }
}

function report(
  takeover: Takeover,
  proxies: BarrierEnd | undefined,
  old: OldMasterReport | undefined,
): PhaseReport {
  const oldMasterDone =
    old === undefined || old.state === "silent" || old.state === "not-asked"
      ? true
      : old.state === "unreachable" && !takeover.planned;
  const lines = [old?.line, proxies === undefined ? undefined : barrierLine(proxies)];
  const nobody = proxies?.barrier.kind === "reached" && proxies.barrier.of === 0;
  return {
    complete: oldMasterDone && proxies?.barrier.kind !== "given-up",
    lines: lines.filter((line) => line !== undefined),
    notes: [...(old?.notes ?? []), ...(nobody ? ["no watcher of the cluster is alive"] : [])],
    fields: { ...old?.fields, ...(proxies === undefined ? {} : barrierFields(proxies)) },
  };
}
