import { transition } from "@primacy/contract";
import { judge } from "../../packages/consul-store/src/delivery.js";
import { acknowledgementOf } from "../../packages/watcher/src/outcome.js";
import { decide, readSnapshot } from "../../packages/watcher/src/decide.js";
import { drainLeftMs } from "../../packages/watcher/src/drain.js";
import { lease, leaseEndsAtSeconds } from "../../packages/watcher/src/lease.js";
import { hostgroupsToFence } from "../../packages/watcher/src/lease-entries.js";
import { runtimeDifferences } from "../../packages/watcher/src/plan.js";
import { tooLate } from "../../packages/watcher/src/too-late.js";
import { barrier } from "../../packages/writer/src/barrier.js";
import { longestWait } from "../../packages/writer/src/phases/wait-time.js";
import { decideRecord } from "../../packages/writer/src/agent/decide.js";

/**
 * The decisions under test: the very functions of writer and watcher. A mutation puts another one in the place of one of
 * them, or takes a step out of what calls them.
 */
export interface Rules {
  readonly transition: typeof transition;
  readonly barrier: typeof barrier;
  readonly longestWait: typeof longestWait;
  readonly decideRecord: typeof decideRecord;
  readonly judge: typeof judge;
  readonly readSnapshot: typeof readSnapshot;
  readonly decide: typeof decide;
  readonly lease: typeof lease;
  readonly leaseEndsAtSeconds: typeof leaseEndsAtSeconds;
  readonly tooLate: typeof tooLate;
  readonly drainLeftMs: typeof drainLeftMs;
  readonly runtimeDifferences: typeof runtimeDifferences;
  readonly acknowledgementOf: typeof acknowledgementOf;
  readonly hostgroupsToFence: typeof hostgroupsToFence;
  readonly steps: Steps;
}

/** What the programs do around the decisions. All true, but for a mutation. */
export interface Steps {
  /** Consul compares the index that a writer saw. */
  readonly comparesIndexes: boolean;
  /** A write without an answer is looked for before anything is said of it. */
  readonly looksAfterTimeOut: boolean;
  /** A barrier is waited for before the new master opens. */
  readonly waitsForBarrier: boolean;
  /** Before the new master is made writable, the record is read once more. */
  readonly looksBeforeOpening: boolean;
  /** The end of the lease fences, whatever a pass is doing. */
  readonly deadMansSwitch: boolean;
  /** ProxySQL's scheduler runs the guard. */
  readonly guard: boolean;
  /** A statement that lets writes through carries the end of the lease. */
  readonly statementsCarryDeadline: boolean;
  /** The runtime is read back after a LOAD. */
  readonly verifies: boolean;
  /** A record's mark is on disk before it is applied. */
  readonly remembersFirst: boolean;
  /** A mark is stamped on the ProxySQL itself too. */
  readonly stamps: boolean;
  /** Under a lease, the session outlives a watcher that is stopped. */
  readonly leavesSession: boolean;
  /** Freshness is when a read was sent, not when it was answered. */
  readonly countsFromSending: boolean;
  /** What is in force has a lease of its own, which reads of a later record do not renew. */
  readonly leasePerRecord: boolean;
  /** What a machine has slept through counts. */
  readonly countsSleep: boolean;
}

const ALL_STEPS: Steps = {
  comparesIndexes: true,
  looksAfterTimeOut: true,
  waitsForBarrier: true,
  looksBeforeOpening: true,
  deadMansSwitch: true,
  guard: true,
  statementsCarryDeadline: true,
  verifies: true,
  remembersFirst: true,
  stamps: true,
  leavesSession: true,
  countsFromSending: true,
  leasePerRecord: true,
  countsSleep: true,
};

export const REAL_RULES: Rules = {
  transition,
  barrier,
  longestWait,
  decideRecord,
  judge,
  readSnapshot,
  decide,
  lease,
  leaseEndsAtSeconds,
  tooLate,
  drainLeftMs,
  runtimeDifferences,
  acknowledgementOf,
  hostgroupsToFence,
  steps: ALL_STEPS,
};
