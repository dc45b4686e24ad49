import { ConsulError, type ConsulStore, type Roster } from "@primacy/consul-store";
import type { Layout, MasterRecord } from "@primacy/contract";
import { type Barrier, type BarrierQuestion, type Straggler, barrier } from "../barrier.js";
import type { World } from "../world.js";
import { leaseSecondsOf } from "./wait-time.js";

/** Acknowledgements that come together are read together. Milliseconds. */
const PAUSE_MS = 3;
/** After a failure of Consul's: full jitter up to this. Milliseconds. */
const BACK_OFF_MS = 250;

export interface ProxiesContext {
  readonly store: Pick<ConsulStore, "readAcknowledgements" | "watchAcknowledgements" | "environment">;
  readonly world: Pick<World, "pause" | "random">;
  /** Aborted when this process is told to end. */
  readonly signal: AbortSignal;
}

type EndedBarrier =
  | Extract<Barrier, { kind: "reached" }>
  | (Exclude<Barrier, { kind: "reached" }> & { readonly kind: "given-up" });

/** How a barrier ended, and how long it took since the commit was known. */
export interface BarrierEnd {
  readonly barrier: EndedBarrier;
  readonly generation: number;
  readonly tookMs: number;
}

/**
 * Waits until every live proxy has taken up a record, at most `longestMs`. A blocking query only wakes; what is judged is
 * a consistent read that was sent since.
 *
 * @throws what is not Consul's fault
 */
export async function waitForProxies(
  cluster: string,
  { record, layout }: { readonly record: MasterRecord; readonly layout: Layout | undefined },
  longestMs: number,
  context: ProxiesContext,
): Promise<BarrierEnd> {
  const { monotonicNow } = context.store.environment;
  const committedAtMs = monotonicNow();
  const giveUpAtMs = committedAtMs + longestMs;
  const question: BarrierQuestion = {
    record,
    committedAtMs,
    giveUpAtMs,
    leaseSeconds: leaseSecondsOf(layout),
  };
  let roster: Roster | null = null;
  for (;;) {
    const fresh = await readRoster(cluster, giveUpAtMs, context);
    if (fresh instanceof ConsulError) {
      if (fresh.code === "CONSUL_DENIED") return denied(fresh, record, monotonicNow() - committedAtMs);
    } else {
      roster = fresh;
    }
    const now = monotonicNow();
    const state = barrier(question, roster, now);
    const end = { generation: record.generation, tookMs: now - committedAtMs };
    if (state.kind === "reached") return { barrier: state, ...end };
    if (state.kind === "given-up" || context.signal.aborted) {
      return { barrier: { ...state, kind: "given-up" }, ...end };
    }
    await nextChange(cluster, fresh instanceof ConsulError ? null : fresh, state.untilMs, context);
  }
}

/** Waiting would not help. */
function denied(error: ConsulError, { generation }: MasterRecord, tookMs: number): BarrierEnd {
  const missing = [{ proxy: "*", why: error.message }];
  return {
    barrier: { kind: "given-up", acknowledged: 0, of: 0, missing, untilMs: 0 },
    generation,
    tookMs,
  };
}

async function readRoster(
  cluster: string,
  giveUpAtMs: number,
  { store, signal }: ProxiesContext,
): Promise<Roster | ConsulError> {
  // Also when the time is over: whether it was reached is still to be seen.
  const deadlineMs = Math.max(500, giveUpAtMs - store.environment.monotonicNow());
  try {
    return await store.readAcknowledgements(cluster, { deadlineMs, signal });
  } catch (error) {
    if (error instanceof ConsulError) return error;
    throw error;
  }
}

/** Returns when an acknowledgement has changed since `roster`, or when time alone changes the answer. */
async function nextChange(
  cluster: string,
  roster: Roster | null,
  untilMs: number,
  { store, world, signal }: ProxiesContext,
): Promise<void> {
  const leftMs = Math.max(1, untilMs - store.environment.monotonicNow());
  if (roster === null) {
    await world.pause(Math.min(leftMs, BACK_OFF_MS * world.random()));
    return;
  }
  const waitMs = Math.ceil(leftMs);
  try {
    await store.watchAcknowledgements(cluster, roster.index, { waitMs, deadlineMs: waitMs, signal });
    await world.pause(Math.min(leftMs, PAUSE_MS));
  } catch (error) {
    if (!(error instanceof ConsulError)) throw error;
    const left = Math.max(0, untilMs - store.environment.monotonicNow());
    await world.pause(Math.min(left, BACK_OFF_MS * world.random()));
  }
}

/** `7 of 7 proxies at generation 42 in 38 ms`, or who is missing and why. */
export function barrierLine({ barrier: ended, generation, tookMs }: BarrierEnd): string {
  const count = `${String(ended.acknowledged)} of ${String(ended.of)} proxies at generation ${String(generation)}`;
  const took = `${String(Math.round(tookMs))} ms`;
  if (ended.kind === "given-up") return `${count} after ${took}; missing: ${names(ended.missing)}`;
  if (ended.by === "lease") return `${count} in ${took}; their lease is over: ${names(ended.missing)}`;
  return `${count} in ${took}`;
}

function names(missing: readonly Straggler[]): string {
  return missing.map(({ proxy, why }) => `${proxy} (${why})`).join(", ");
}

/** For the log. */
export function barrierFields({ barrier: ended, tookMs }: BarrierEnd): Record<string, string | number> {
  return {
    proxies: ended.of,
    acknowledged: ended.acknowledged,
    barrier: ended.kind === "reached" ? ended.by : ended.kind,
    barrierMs: Math.round(tookMs),
    missing: ended.missing.map(({ proxy }) => proxy).join(","),
  };
}
