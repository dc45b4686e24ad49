import { ClusterWatch, type ClusterSnapshot, type ConsulStore, type WatchState } from "@primacy/consul-store";
import type { MasterRecord, Members } from "@primacy/contract";
import type { Logger } from "pino";
import type { Announcer } from "./announcer.js";
import { ClusterLog } from "./cluster-log.js";
import { type Documents, type Moment, type Reading, readSnapshot } from "./decide.js";
import { drainLeftMs } from "./drain.js";
import type { Metrics } from "./metrics.js";
import { hashOfText } from "./hash.js";
import { type Lease, leaseEndsAtSeconds } from "./lease.js";
import type { LeaseEntry } from "./lease-entries.js";
import type { LeaseFile } from "./lease-file.js";
import { LeaseKeeper } from "./lease-keeper.js";
import { nextPassMs } from "./next-pass.js";
import { type Outcome, acknowledgementOf } from "./outcome.js";
import { pass } from "./pass.js";
import type { Proxy } from "./proxysql/proxy.js";
import { Repairs } from "./repairs.js";
import type { StateFile } from "./state-file.js";
import { Alarm, type Clock } from "./timing.js";
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
  readonly leaseFile: LeaseFile;
  /** Fences writer hostgroups on a connection that no pass uses. */
  readonly fence: (writerHostgroups: readonly number[], stillLost: () => boolean) => Promise<boolean>;
  /** The cluster may have begun, or ceased, to ask for a lease. */
  readonly onLayout: () => void;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What readiness and metrics tell of a cluster. */
export interface ClusterStatus {
  readonly cluster: string;
  readonly outcome: Outcome | null;
  readonly watch: WatchState;
  readonly lease: Lease;
  /** When the newest consistent read that succeeded was sent; null before the first. */
  readonly verifiedAtMs: number | null;
  readonly appliedGeneration: number;
}

/**
 * One cluster on one ProxySQL: wait, read, decide, apply, verify, acknowledge. Level-triggered: whatever wakes it, each
 * pass looks at everything anew.
 */
export class ClusterLoop {
  readonly #watch: ClusterWatch;
  readonly #alarm = new Alarm();
  readonly #log: ClusterLog;
  readonly #keeper: LeaseKeeper;
  readonly #repairs = new Repairs();
  /** Null until Consul has answered, or has failed to. */
  #reading: Reading | null = null;
  #appliedDocuments: Documents | null = null;
  /** Hash of the record that was refused last. */
  #refused: string | null = null;
  #lastMembers: Members | null = null;
  #layoutIndex = 0;
  #seen: { readonly hash: string; readonly atMs: number } | null = null;
  #fullDue = true;
  #urgent = false;
  #outcome: Outcome | null = null;
  #failures = 0;
  #appliedGeneration = 0;

  constructor(
    private readonly options: ClusterLoopOptions,
    private readonly parts: ClusterLoopParts,
  ) {
    this.#log = new ClusterLog(parts.log.child({ cluster: options.cluster }));
    this.#appliedGeneration = parts.state.mark(options.cluster)?.generation ?? 0;
    this.#keeper = this.#newKeeper();
    parts.announcer.onPresent(options.cluster, () => {
      this.#keeper.notePresence();
    });
    this.#watch = new ClusterWatch(parts.store, options.cluster, {
      onSnapshot: (snapshot, source, wentBack) => {
        this.#receive(snapshot, source, wentBack);
      },
      onState: (state) => {
        parts.metrics.notePaths(options.cluster, state);
        this.#log.paths(state);
      },
      onVerified: (snapshot) => {
        this.#noteRead(snapshot);
      },
      verifyIntervalMs: options.verifyIntervalMs,
    });
  }

  get status(): ClusterStatus {
    return {
      cluster: this.options.cluster,
      outcome: this.#outcome,
      watch: this.#watch.state,
      lease: this.#keeper.lease,
      verifiedAtMs: this.#watch.lastVerifiedSentAtMs,
      appliedGeneration: this.#appliedGeneration,
    };
  }

  /** Compare everything at the next opportunity: drift was seen, or the schedule says so. */
  requestFullComparison(): void {
    this.#fullDue = true;
    this.#alarm.ring();
  }

  get cluster(): string {
    return this.options.cluster;
  }

  /** Why the guard can't see this cluster's lease; null: it can, or there is none. */
  get leaseFileProblem(): string | null {
    return this.#keeper.fileProblem;
  }

  /** The writer hostgroup, where this cluster is under a lease. */
  get leasedHostgroup(): number | null {
    return this.#keeper.writerHostgroup;
  }

  /** Runs until `signal` is aborted. The layout is left as it is. `left`: the lease of the process before this one. */
  async run(signal: AbortSignal, left: LeaseEntry | undefined): Promise<void> {
    if (left !== undefined) this.#keeper.inherit(left);
    const running = Promise.all([this.#watch.start(signal), this.#keeper.run(signal)]);
    while (!signal.aborted) await this.#alarm.sleep(await this.#step(), signal);
    await running;
  }

  #newKeeper(): LeaseKeeper {
    const { options, parts } = this;
    return new LeaseKeeper(options.cluster, parts.state.mark(options.cluster)?.hash ?? null, {
      clock: parts.clock,
      file: parts.leaseFile,
      presence: () => parts.announcer.presence(options.cluster),
      verify: async (deadlineMs, signal) => this.#watch.verifyNow({ deadlineMs, signal }),
      fence: async (writerHostgroup, stillLost) => parts.fence([writerHostgroup], stillLost),
      onChange: () => {
        this.#urgent = true;
        this.#alarm.ring();
      },
      log: parts.log.child({ cluster: options.cluster }),
    });
  }

  /** A read counts for the lease of the record that it shows; that of one which is refused here counts for none. */
  #noteRead({ record, sentAtMs }: ClusterSnapshot): void {
    if (this.#reading?.kind !== "usable" || this.#outcome?.kind === "refused" || record.kind !== "valid")
      return;
    this.#keeper.noteRead(hashOfText(record.text), sentAtMs);
  }

  #receive(snapshot: ClusterSnapshot, source: string, wentBack: boolean): void {
    // Another layout may want another disk, and other hostgroups.
    if (snapshot.layoutIndex !== this.#layoutIndex) this.#fullDue = true;
    this.#layoutIndex = snapshot.layoutIndex;
    const before = this.#reading;
    this.#reading = readSnapshot(snapshot, this.options.cluster, hashOfText, this.#lastMembers);
    if (this.#reading.kind === "usable") {
      this.#follow(this.#reading.documents, before?.kind === "usable" ? before.documents : null);
    }
    if (this.#reading.kind === "usable" && this.#seen?.hash !== this.#reading.documents.hash) {
      this.#seen = { hash: this.#reading.documents.hash, atMs: this.parts.clock.monotonicNow() };
      this.#urgent = true;
    }
    if (wentBack) this.#log.wentBack(source, snapshot.index);
    this.#alarm.ring();
  }

  #follow({ layout, members, record, hash }: Documents, before: Documents | null): void {
    this.#lastMembers = members;
    if (before !== null && continues(before.record, record)) this.#keeper.followRecord(before.hash, hash);
    this.#keeper.followLayout(layout);
    this.parts.announcer.setLease(
      this.options.cluster,
      layout.onConsulLoss === "lease" ? layout.leaseSeconds * 1000 : null,
    );
    this.parts.onLayout();
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
    const waitMs = this.#repairs.waitMs(this.parts.clock.monotonicNow());
    // Somebody keeps reverting: slower each time. A new record never waits for that.
    if (waitMs > 0 && !this.#urgent) return waitMs;
    const full = this.#fullDue;
    this.#fullDue = false;
    this.#urgent = false;
    // While Consul has nothing usable, what was applied last is still kept true against drift.
    const outcome = await this.#pass(documents, full);
    if (outcome.kind === "applied" || outcome.kind === "withheld") this.#keeper.noteInForce(documents.hash);
    if (outcome.kind === "refused") {
      this.#keeper.noteRefused(documents.hash);
      await this.#keepApplied(documents, full);
    }
    if (FULL_AGAIN.has(outcome.kind) || (outcome.kind === "failed" && full)) this.#fullDue = true;
    this.#noteRepair(outcome, documents);
    this.#finish(heldOr(reading, outcome));
    const nextMs = nextPassMs(outcome, this.#failures, this.parts.clock.random());
    return Math.min(nextMs, this.#drainLeftMs(documents) || Number.POSITIVE_INFINITY);
  }

  /** A record that is refused is nothing to go by either: what was applied before it is kept true against drift. */
  async #keepApplied(refused: Documents, full: boolean): Promise<void> {
    const kept = this.#appliedDocuments;
    this.#refused = refused.hash;
    if (kept === null || kept.hash === refused.hash) return;
    this.#noteRepair(await this.#pass(kept, full), kept);
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
        moment: () => this.#moment(documents),
        monotonicNow: clock.monotonicNow,
        seenAtMs: isFirst ? (this.#seen?.atMs ?? null) : null,
      },
      full,
    );
  }

  #moment(documents: Documents): Moment {
    const lease = this.#keeper.leaseOf(documents.hash);
    const newest = this.#reading?.kind === "usable" ? this.#reading.documents.hash : documents.hash;
    return {
      whenOwned: this.options.whenOwned,
      lease,
      leaseEndsAtSeconds: leaseEndsAtSeconds(lease, this.parts.clock),
      drainIsOver: this.#drainLeftMs(documents) === 0,
      superseded: newest !== documents.hash && newest !== this.#refused,
      fences: this.#keeper.fences,
    };
  }

  #drainLeftMs({ record, hash }: Documents): number {
    const { clock } = this.parts;
    const seenForMs = this.#seen?.hash === hash ? clock.monotonicNow() - this.#seen.atMs : 0;
    return drainLeftMs(record, seenForMs, clock.wallNow());
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

  #noteRepair(outcome: Outcome, documents: Documents): void {
    if (outcome.kind !== "applied" && outcome.kind !== "withheld") return;
    this.#appliedDocuments = documents;
    const verified = { documents, kind: outcome.kind, drainIsOver: this.#drainLeftMs(documents) === 0 };
    const repairs = this.#repairs.note(verified, outcome.loaded, this.parts.clock.monotonicNow());
    if (repairs === null) return;
    this.parts.metrics.noteDrift(this.options.cluster);
    this.#log.drift(outcome.differences, outcome.record.generation, repairs);
  }
}

/** After these the next pass compares everything: what is in the way may have gone. */
const FULL_AGAIN: ReadonlySet<Outcome["kind"]> = new Set(["refused", "conflict"] as const);

/** Is `next` a later record of the same history? */
function continues(before: MasterRecord, next: MasterRecord): boolean {
  return next.incarnation === before.incarnation && next.generation > before.generation;
}

/** While there is nothing usable in Consul, "applied" is only "held". That nobody takes writes is said all the same. */
function heldOr(reading: Reading, outcome: Outcome | null): Outcome {
  if (reading.kind === "hold" && outcome?.kind !== "withheld")
    return { kind: "held", reason: reading.reason };
  return outcome ?? { kind: "held", reason: "nothing was done yet" };
}
