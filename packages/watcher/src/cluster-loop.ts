import { ClusterWatch, type ClusterSnapshot, type ConsulStore, type WatchState } from "@primacy/consul-store";
import type { Members } from "@primacy/contract";
import type { Logger } from "pino";
import type { Announcer } from "./announcer.js";
import { type Documents, type Reading, readSnapshot } from "./decide.js";
import { NO_REVERTS, type Reverts, noteRevert, repairDelayMs, revertCount } from "./drift.js";
import type { Metrics } from "./metrics.js";
import { hashOfText } from "./hash.js";
import { type Outcome, acknowledgementOf, sentenceOf } from "./outcome.js";
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
  readonly #log: Logger;
  /** Null until Consul has answered, or has failed to. */
  #reading: Reading | null = null;
  #lastMembers: Members | null = null;
  #seen: { readonly hash: string; readonly atMs: number } | null = null;
  #fullDue = true;
  #urgent = false;
  #outcome: Outcome | null = null;
  #said = "";
  #truthSaid = "";
  #warned: ReadonlySet<string> = new Set();
  #failures = 0;
  #reverts: Reverts = NO_REVERTS;
  #notBeforeMs = 0;
  #appliedGeneration = 0;

  constructor(
    private readonly options: ClusterLoopOptions,
    private readonly parts: ClusterLoopParts,
  ) {
    this.#log = parts.log.child({ cluster: options.cluster });
    this.#appliedGeneration = parts.state.mark(options.cluster)?.generation ?? 0;
    this.#watch = new ClusterWatch(parts.store, options.cluster, {
      onSnapshot: (snapshot, source, wentBack) => {
        this.#receive(snapshot, source, wentBack);
      },
      onState: (state) => {
        this.#reportPaths(state);
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
    if (wentBack) this.#log.warn({ source, index: snapshot.index }, "Consul has gone back to an older state");
    this.#alarm.ring();
  }

  /** One pass if one may be made now; returns after how many milliseconds the next is due at the latest. */
  async #step(): Promise<number> {
    if (this.#reading === null) return Number.POSITIVE_INFINITY;
    if (this.#reading.kind === "hold") {
      this.#finish({ kind: "held", reason: this.#reading.reason });
      return Number.POSITIVE_INFINITY;
    }
    const waitMs = this.#notBeforeMs - this.parts.clock.monotonicNow();
    // Somebody keeps reverting: slower each time. A new record never waits for that.
    if (waitMs > 0 && !this.#urgent) return waitMs;
    const full = this.#fullDue;
    this.#fullDue = false;
    this.#urgent = false;
    const outcome = await this.#pass(this.#reading.documents, full);
    if (outcome.kind === "failed" && full) this.#fullDue = true;
    this.#finish(outcome);
    return this.#nextDelayMs(outcome);
  }

  async #pass(documents: Documents, full: boolean): Promise<Outcome> {
    const { proxy, state, clock } = this.parts;
    const isFirst =
      this.#seen?.hash === documents.hash && this.#outcomeGeneration() !== documents.record.generation;
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

  #outcomeGeneration(): number | null {
    return this.#outcome?.kind === "applied" ? this.#outcome.record.generation : null;
  }

  #finish(outcome: Outcome): void {
    const { announcer, metrics, clock } = this.parts;
    this.#noteRepair(outcome);
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
    this.#say(outcome);
  }

  /** A LOAD for a generation that had been applied already: somebody else had changed what we had verified. */
  #noteRepair(outcome: Outcome): void {
    if (outcome.kind !== "applied" || !outcome.loaded) return;
    if (outcome.isNew || this.#outcomeGeneration() !== outcome.record.generation) return;
    const now = this.parts.clock.monotonicNow();
    this.#reverts = noteRevert(this.#reverts, now);
    this.#notBeforeMs = now + repairDelayMs(this.#reverts, now);
    this.parts.metrics.noteDrift(this.options.cluster);
    this.#log.warn(
      { differences: outcome.differences, revertsInLastMinute: revertCount(this.#reverts, now) },
      `the layout of generation ${String(outcome.record.generation)} had been changed by somebody else and was restored`,
    );
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

  /** One sentence a pass, and none where it would be the same as before. */
  #say(outcome: Outcome): void {
    const sentence = sentenceOf(outcome);
    if (sentence === this.#said) return;
    this.#said = sentence;
    const level = outcome.kind === "applied" && outcome.notDurable === null ? "info" : "warn";
    const fields =
      outcome.kind === "held" ? { state: outcome.kind } : { state: outcome.kind, ...outcome.record };
    this.#log[level](fields, sentence);
    if (outcome.kind !== "applied") return;
    for (const warning of outcome.warnings) this.#log.warn({ ...fields }, warning);
    if (outcome.pendingEditsOfOthers.length > 0) {
      this.#log.warn(
        { ...fields, rows: outcome.pendingEditsOfOthers },
        "the LOAD has also published pending edits that somebody else had made to other hostgroups",
      );
    }
  }

  #reportPaths(state: WatchState): void {
    this.parts.metrics.notePaths(this.options.cluster, state);
    const { truth } = state;
    if (truth.kind === "holding" && truth.reason === "starting") return;
    const now = truth.kind === "following" ? truth.kind : truth.reason;
    if (now === this.#truthSaid) return;
    this.#truthSaid = now;
    if (truth.kind === "following") this.#log.info({}, "Consul answers consistent reads");
    else this.#log.warn({ reason: truth.reason }, `holding the layout: ${truth.problem}`);
  }
}

function timeOf(outcome: Outcome): { readonly tookMs?: number } {
  return outcome.kind === "applied" && outcome.tookMs !== null ? { tookMs: outcome.tookMs } : {};
}
