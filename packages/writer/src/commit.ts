import {
  type ClusterSnapshot,
  ConsulError,
  type ConsulErrorCode,
  type ConsulStore,
  type KeyValue,
} from "@primacy/consul-store";
import {
  type ClusterEvent,
  type Decision,
  type Layout,
  type MasterRecord,
  type Refusal,
  type RuleId,
  type StoredRecord,
  USUAL_DRAIN_SECONDS,
  USUAL_FENCE_SECONDS,
  formatServer,
  layoutServer,
  transition,
} from "@primacy/contract";
import { type BeforeOpening, type Opening, type OpeningStep, openingStep } from "./opening.js";
import { begunByNow, canonicalEvent } from "./canonical-event.js";
import { type World, isoNow } from "./world.js";

/** Between two tries after a lost race: full jitter up to this, doubling. Milliseconds. */
const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 500;

/**
 * How an event ended. `denied`, `unreachable` and `unusable` leave it undecided: it may be tried again later, also
 * where an answer was lost and it may have been applied, because the same event twice is the same as once.
 */
export type CommitOutcome =
  | {
      readonly kind: "applied" | "nothing";
      readonly rule: RuleId;
      readonly reason: string;
      readonly record: MasterRecord;
      readonly layout: Layout | undefined;
      readonly warnings: readonly string[];
      /** What was done on the servers before it was written, a sentence each. */
      readonly notes?: readonly string[];
    }
  | {
      readonly kind: "refused";
      readonly refusal: Refusal;
      readonly rule: RuleId;
      readonly reason: string;
      readonly layout: Layout | undefined;
    }
  | { readonly kind: "denied" | "unreachable" | "unusable" | "not-opened"; readonly problem: string };

export interface CommitContext {
  readonly store: Pick<ConsulStore, "readCluster" | "commitRecord">;
  readonly world: World;
  /** This machine, or the operator at it. */
  readonly writtenBy: string;
  /** Prefix of Orchestrator's own keys, without the last slash; undefined: they are not written. */
  readonly orchestratorKeys: string | undefined;
  /** Aborted when this process is told to end: then nothing new is begun. */
  readonly signal: AbortSignal;
  /**
   * What is done on the servers before a takeover's end is written; its time does not count. Without it, a cluster
   * whose masters Primacy opens can't be opened.
   */
  readonly beforeOpening?: BeforeOpening | undefined;
  /**
   * The `writeId` of the record that the event was decided on: where another one stands by now, nothing is written. For
   * what was concluded from a look at things, which takes seconds; whoever was told an event leaves it out.
   */
  readonly decidedOn?: string | undefined;
}

/**
 * Reads consistently, decides, writes by compare-and-set; reads and decides again after a lost race, until `deadline`
 * (milliseconds on the world's `elapsed` clock). Never rejects because of Consul.
 */
export async function commitEvent(
  cluster: string,
  event: ClusterEvent,
  deadline: number,
  context: CommitContext,
): Promise<CommitOutcome> {
  let until = deadline;
  let { decidedOn } = context;
  const left = () => until - context.world.elapsed();
  for (let races = 0; ; races++) {
    if (left() <= 0)
      return { kind: "unreachable", problem: `no time was left after ${String(races)} lost races` };
    try {
      const snapshot = await context.store.readCluster(cluster, {
        deadlineMs: left(),
        signal: context.signal,
      });
      const decided = supersededBy(snapshot, event, decidedOn) ?? decideOn(snapshot, event, context);
      if ("kind" in decided) return decided;
      const asked = context.world.elapsed();
      const step = await openingStep(openingOf(decided, event), decided.rule, context.beforeOpening);
      until += context.world.elapsed() - asked;
      if (step.kind === "not-opened") return step;
      // It has raised its own fence.
      if (step.kind === "again") decidedOn = undefined;
      const outcome = step.kind === "again" ? "lost-race" : await write(decided, step, left(), context);
      if (outcome !== "lost-race") return outcome;
    } catch (error) {
      if (error instanceof ConsulError) return undecided(error);
      throw error;
    }
    const longest = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** races);
    await context.world.pause(Math.min(Math.max(0, left()), longest * context.world.random()));
  }
}

/** A change that is to be written on what was read. */
interface Change {
  readonly snapshot: ClusterSnapshot;
  readonly layout: Layout | undefined;
  readonly current: MasterRecord | null;
  readonly rule: RuleId;
  readonly reason: string;
  readonly record: MasterRecord;
}

function decideOn(
  snapshot: ClusterSnapshot,
  event: ClusterEvent,
  context: CommitContext,
): CommitOutcome | Change {
  const read = readable(snapshot);
  if ("kind" in read) return read;
  const { layout } = read;
  const decision = decide(snapshot.cluster, read, event, context);
  const { rule, reason } = decision;
  if (decision.kind === "refuse") return { kind: "refused", refusal: decision.refusal, rule, reason, layout };
  const { record } = decision;
  if (decision.kind === "nothing") {
    return { kind: "nothing", rule, reason, record, layout, warnings: masterWarnings(record, layout) };
  }
  return { snapshot, layout, current: read.record?.value ?? null, rule, reason, record };
}

function supersededBy(
  { record, layout }: ClusterSnapshot,
  event: ClusterEvent,
  decidedOn: string | undefined,
): CommitOutcome | undefined {
  if (decidedOn === undefined || record.kind !== "valid" || record.value.writeId === decidedOn)
    return undefined;
  return {
    kind: "refused",
    refusal: "stale",
    rule: event.kind === "abort" ? "abort-refused-stale" : "open-refused-stale",
    reason: `generation ${String(record.value.generation)} was written after this was decided`,
    layout: layout.kind === "valid" ? layout.value : undefined,
  };
}

function openingOf({ snapshot, current, record, layout }: Change, event: ClusterEvent): Opening | null {
  return current === null ? null : { cluster: snapshot.cluster, current, next: record, event, layout };
}

async function write(
  { snapshot, layout, rule, reason, record: decided }: Change,
  { oldMaster, notes }: Extract<OpeningStep, { kind: "go" }>,
  leftMs: number,
  context: CommitContext,
): Promise<CommitOutcome | "lost-race"> {
  const record = oldMaster === undefined ? decided : { ...decided, oldMaster };
  const written = await context.store.commitRecord(
    snapshot.cluster,
    {
      expectedIndex: snapshot.recordIndex,
      record,
      alsoSet: orchestratorKeys(context.orchestratorKeys, record),
    },
    { deadlineMs: Math.max(1, leftMs), signal: context.signal },
  );
  switch (written.outcome) {
    case "committed":
      return {
        kind: "applied",
        rule,
        reason,
        record,
        layout,
        warnings: masterWarnings(record, layout),
        notes,
      };
    case "lost-race":
      return "lost-race";
    case "not-written":
      return undecided(written.cause);
    case "unknown":
      return {
        kind: "unreachable",
        problem: `no answer to the write, which may yet count: ${written.cause.message}`,
      };
  }
}

interface ReadCluster {
  readonly record: StoredRecord | null;
  readonly layout: Layout | undefined;
}

/** With a damaged layout nothing is written: other names of servers could not be told from strangers. */
function readable(snapshot: ClusterSnapshot): ReadCluster | CommitOutcome {
  const { record, layout } = snapshot;
  if (record.kind === "unusable") return { kind: "unusable", problem: record.problem };
  if (layout.kind === "unusable") return { kind: "unusable", problem: layout.problem };
  return {
    record: record.kind === "valid" ? record : null,
    layout: layout.kind === "valid" ? layout.value : undefined,
  };
}

function decide(cluster: string, read: ReadCluster, event: ClusterEvent, context: CommitContext): Decision {
  const { world } = context;
  const now = isoNow(world);
  return transition(read.record, begunByNow(canonicalEvent(event, read.layout), now), {
    cluster,
    now,
    writtenBy: context.writtenBy,
    writeId: world.newId(),
    newIncarnation: world.newId(),
    drainSeconds: read.layout?.drainSeconds ?? USUAL_DRAIN_SECONDS,
    fenceSeconds: read.layout?.fenceSeconds ?? USUAL_FENCE_SECONDS,
    sha256: world.sha256,
  });
}

/** What people should know although it stops nothing. */
export function masterWarnings(record: MasterRecord, layout: Layout | undefined): string[] {
  if (layout === undefined) return ["there is no layout: no proxy can follow"];
  const known = layoutServer(layout, record.master);
  if (known?.candidate === true) return [];
  return [`${formatServer(record.master)} is ${known === undefined ? "not" : "no candidate"} in the layout`];
}

/** The keys of Orchestrator's own key-value store, for tools that read those (go/inst/cluster.go, 3.2.6). */
export function orchestratorKeys(
  prefix: string | undefined,
  record: Pick<MasterRecord, "cluster" | "master">,
): KeyValue[] {
  if (prefix === undefined) return [];
  const key = `${prefix}/${record.cluster}`;
  return [
    { key, value: formatServer(record.master) },
    { key: `${key}/hostname`, value: record.master.host },
    { key: `${key}/port`, value: String(record.master.port) },
  ];
}

/** Errors that another try at the same thing will not mend. */
const UNUSABLE: ReadonlySet<ConsulErrorCode> = new Set<ConsulErrorCode>([
  "CONSUL_HISTORY_EXISTS",
  "CONSUL_REFUSED",
]);

function undecided(error: ConsulError): CommitOutcome {
  if (error.code === "CONSUL_DENIED") return { kind: "denied", problem: error.message };
  return { kind: UNUSABLE.has(error.code) ? "unusable" : "unreachable", problem: error.message };
}
