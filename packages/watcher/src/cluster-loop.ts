import { ClusterWatch, type ClusterSnapshot, type ConsulStore, type WatchState } from "@primacy/consul-store";
import type { Members } from "@primacy/contract";
import type { Logger } from "pino";
import type { Announcer } from "./announcer.js";
import { ClusterLog } from "./cluster-log.js";
import { type Documents, type Reading, readSnapshot } from "./decide.js";
import { NO_REVERTS, type Reverts, noteRevert, repairDelayMs, revertCount } from "./drift.js";
import type { Metrics } from "./metrics.js";
import { hashOfText } from "./hash.js";
import { type Outcome, acknowledgementOf } from "./outcome.js";
import { pass } from "./pass.js";
import type { Proxy } from "./proxysql/proxy.js";
import type { StateFile } from "./state-file.js";
import { Alarm, type Clock, backoffMs } from "./timing.js";
import { VERSION } from "./version.js";

export interface ClusterLoopOptions {
  readonly cluster: string;
  /** Name of this ProxySQL in acknowledgements. */
  readonly proxyName: string;
  readonly whenOwned: "refuse" | "warn";
  readonly verifyIntervalMs: number;
}

export interface ClusterLoopParts {
  readonly store: ConsulStore;
  readonly proxy: Proxy;
  readonly state: StateFile;
  readonly announcer: Announcer;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What readiness and metrics tell of a cluster. */
export interface ClusterStatus {
  readonly cluster: string;
  readonly outcome: Outcome | null;
  readonly watch: WatchState;
  /** When the newest consistent read that succeeded was sent; null before the first. */
  readonly verifiedAtMs: number | null;
  readonly appliedGeneration: number;
}

/** How long a pass waits that has nothing to wait for but a change. Milliseconds. */
const RECHECK_MS = 5000;
const OBSERVE_MS = 500;

/**
 * One cluster on one ProxySQL: wait, read, decide, apply, verify, acknowledge. Level-triggered: whatever wakes it, each
 * pass looks at everything anew.
 */
export class ClusterLoop {
  readonly #watch: ClusterWatch;
  readonly #alarm = new Alarm();
  readonly #log: ClusterLog;
  /** Null until Consul has answered, or has failed to. */
  #reading: Reading | null = null;
  #appliedDocuments: Documents | null = null;
  #lastMembers: Members | null = null;
  #seen: { readonly hash: string; readonly atMs: number } | null = null;
  #fullDue = true;
  #urgent = false;
  #outcome: Outcome | null = null;
  #failures = 0;
  #reverts: Reverts = NO_REVERTS;
  #notBeforeMs = 0;
  #appliedGeneration = 0;

  constructor(
    private readonly options: ClusterLoopOptions,
    private readonly parts: ClusterLoopParts,
  ) {
    this.#log = new ClusterLog(parts.log.child({ cluster: options.cluster }));
    this.#appliedGeneration = parts.state.mark(options.cluster)?.generation ?? 0;
    this.#watch = new ClusterWatch(parts.store, options.cluster, {
      onSnapshot: (snapshot, source, wentBack) => {
        this.#receive(snapshot, source, wentBack);
      },
      onState: (state) => {
        parts.metrics.notePaths(options.cluster, state);
        this.#log.paths(state);
      },
      verifyIntervalMs: options.verifyIntervalMs,
    });
  }

  get status(): ClusterStatus {
    return {
      cluster: this.options.cluster,
      outcome: this.#outcome,
      watch: this.#watch.state,
      verifiedAtMs: this.#watch.lastVerifiedSentAtMs,
      appliedGeneration: this.#appliedGeneration,
    };
  }

  /** Compare everything at the next opportunity: drift was seen, or the schedule says so. */
  requestFullComparison(): void {
    this.#fullDue = true;
    this.#alarm.ring();
  }

  /** Runs until `signal` is aborted. The layout is left as it is. */
  async run(signal: AbortSignal): Promise<void> {
    const watching = this.#watch.start(signal);
    while (!signal.aborted) await this.#alarm.sleep(await this.#step(), signal);
    await watching;
  }

  #receive(snapshot: ClusterSnapshot, source: string, wentBack: boolean): void {
    this.#reading = readSnapshot(snapshot, this.options.cluster, hashOfText, this.#lastMembers);
    if (this.#reading.kind === "usable") this.#lastMembers = this.#reading.documents.members;
    if (this.#reading.kind === "usable" && this.#seen?.hash !== this.#reading.documents.hash) {
      this.#seen = { hash: this.#reading.documents.hash, atMs: this.parts.clock.monotonicNow() };
      this.#urgent = true;
    }
    if (wentBack) this.#log.wentBack(source, snapshot.index);
    this.#alarm.ring();
  }

  /** One pass if one may be made now; returns after how many milliseconds the next is due at the latest. */
  async #step(): Promise<number> {
    const reading = this.#reading;
    if (reading === null) return Number.POSITIVE_INFINITY;
    const documents = reading.kind === "usable" ? reading.documents : this.#appliedDocuments;
    if (documents === null) {
      this.#finish(heldOr(reading, null));
      return Number.POSITIVE_INFINITY;
    }
    const waitMs = this.#notBeforeMs - this.parts.clock.monotonicNow();
    // Somebody keeps reverting: slower each time. A new record never waits for that.
    if (waitMs > 0 && !this.#urgent) return waitMs;
    const full = this.#fullDue;
    this.#fullDue = false;
    this.#urgent = false;
    // While Consul has nothing usable, what was applied last is still kept true against drift.
    const outcome = await this.#pass(documents, full);
    if (outcome.kind === "failed" && full) this.#fullDue = true;
    this.#noteRepair(outcome, documents);
    this.#finish(heldOr(reading, outcome));
    return this.#nextDelayMs(outcome);
  }

  async #pass(documents: Documents, full: boolean): Promise<Outcome> {
    const { proxy, state, clock } = this.parts;
    const isFirst = this.#seen?.hash === documents.hash && this.#appliedDocuments?.hash !== documents.hash;
    return await pass(
      documents,
      {
        cluster: this.options.cluster,
        proxy,
        state,
        whenOwned: this.options.whenOwned,
        monotonicNow: clock.monotonicNow,
        seenAtMs: isFirst ? (this.#seen?.atMs ?? null) : null,
      },
      full,
    );
  }

  #finish(outcome: Outcome): void {
    const { announcer, metrics, clock } = this.parts;
    this.#failures = outcome.kind === "failed" ? this.#failures + 1 : 0;
    if (outcome.kind === "applied") this.#appliedGeneration = outcome.record.generation;
    this.#outcome = outcome;
    metrics.notePass(this.options.cluster, outcome, clock.wallNow());
    const acknowledgement = acknowledgementOf(outcome, {
      proxy: this.options.proxyName,
      cluster: this.options.cluster,
      appliedGeneration: this.#appliedGeneration,
      at: new Date(clock.wallNow()).toISOString(),
      watcher: VERSION,
    });
    if (acknowledgement !== null) announcer.announce(acknowledgement);
    this.#log.pass(outcome);
  }

  /** A LOAD for documents that had been applied already: somebody else had changed what we had verified. */
  #noteRepair(outcome: Outcome, documents: Documents): void {
    if (outcome.kind !== "applied") return;
    const again = this.#appliedDocuments === documents;
    this.#appliedDocuments = documents;
    if (!again || !outcome.loaded) return;
    const now = this.parts.clock.monotonicNow();
    this.#reverts = noteRevert(this.#reverts, now);
    this.#notBeforeMs = now + repairDelayMs(this.#reverts, now);
    this.parts.metrics.noteDrift(this.options.cluster);
    this.#log.drift(outcome.differences, outcome.record.generation, revertCount(this.#reverts, now));
  }

  #nextDelayMs(outcome: Outcome): number {
    switch (outcome.kind) {
      case "failed":
        return 50 + backoffMs(this.#failures, this.parts.clock.random());
      case "refused":
      case "conflict":
        this.#fullDue = true;
        return RECHECK_MS;
      case "applied":
        if (outcome.connectionsInUse > 0) return OBSERVE_MS;
        return outcome.notDurable === null ? Number.POSITIVE_INFINITY : RECHECK_MS;
      case "held":
        return Number.POSITIVE_INFINITY;
    }
  }
}

/** While there is nothing usable in Consul, "applied" is only "held". */
function heldOr(reading: Reading, outcome: Outcome | null): Outcome {
  if (reading.kind === "hold") return { kind: "held", reason: reading.reason };
  return outcome ?? { kind: "held", reason: "nothing was done yet" };
}
