import type { ClusterSnapshot } from "@primacy/consul-store";
import type { Layout } from "@primacy/contract";
import type { Documents, Moment, Reading } from "../../../packages/watcher/src/decide.js";
import { nextPassMs } from "../../../packages/watcher/src/next-pass.js";
import type { Outcome } from "../../../packages/watcher/src/outcome.js";
import { hashOfText } from "../../../packages/watcher/src/hash.js";
import type { Rules } from "../rules.js";
import type { KnownRecord } from "../invariants/watched.js";
import type { ConsulModel } from "../world/consul.js";
import type { Guard } from "../world/guard.js";
import type { Process } from "../world/host.js";
import type { Link } from "../world/network.js";
import type { ProxySqlModel } from "../world/proxysql.js";
import { CLUSTER } from "../world/servers.js";
import { AnnouncerModel } from "./announcer.js";
import { KeeperModel } from "./keeper.js";
import { type StateFile, runPass } from "./passes.js";
import { Paths } from "./paths.js";

export interface WatcherParts {
  readonly proxy: string;
  readonly process: Process;
  readonly link: Link;
  readonly consul: ConsulModel;
  readonly proxysql: ProxySqlModel;
  readonly guard: Guard;
  readonly state: StateFile;
  readonly rules: Rules;
  readonly layout: Layout;
  /** A record is put into force; `known`: the newest that was read, where writes are let through by it. */
  readonly onApply: (generation: number, known: KnownRecord | null) => void;
}

/** One run of a watcher's process, from its start to its end; what must outlive it lies in `parts`. */
export class WatcherRun {
  readonly #paths: Paths;
  readonly #announcer: AnnouncerModel;
  readonly #keeper: KeeperModel;
  #reading: Reading | null = null;
  #applied: Documents | null = null;
  #seen: { readonly hash: string; readonly atMs: number } | null = null;
  #outcome: Outcome | null = null;
  #known: KnownRecord | null = null;
  #failures = 0;
  #passing = false;
  #again = false;
  #sleep: { cancel(): void } | null = null;

  constructor(private readonly parts: WatcherParts) {
    const { process, proxysql, guard, rules, layout } = parts;
    this.#announcer = new AnnouncerModel({
      ...parts,
      leaseMs: layout.onConsulLoss === "lease" ? layout.leaseSeconds * 1000 : null,
      onPresent: () => {
        this.#keeper.ring();
      },
    });
    this.#paths = new Paths({
      ...parts,
      onSnapshot: (snapshot) => {
        this.#receive(snapshot);
      },
      onVerified: (snapshot) => {
        this.#noteRead(snapshot);
      },
    });
    this.#keeper = new KeeperModel(parts.state.mark?.hash ?? null, {
      process,
      proxysql,
      guard,
      rules,
      presence: () => this.#announcer,
      verify: (timeoutMs, done) => {
        this.#paths.verify(timeoutMs, done);
      },
      onChange: () => {
        this.kick();
      },
    });
  }

  start(): void {
    const { guard, layout } = this.parts;
    if (guard.entry !== null && layout.onConsulLoss === "lease") this.#keeper.inherit(guard.entry);
    this.#announcer.start();
    this.#paths.start();
  }

  /** SIGTERM. */
  leave(): void {
    this.#announcer.leave();
  }

  /** Something may have changed: look at everything. */
  kick(): void {
    if (this.#passing) {
      this.#again = true;
      return;
    }
    this.#sleep?.cancel();
    this.#pass();
  }

  #receive(snapshot: ClusterSnapshot): void {
    const { rules, process } = this.parts;
    const before = this.#reading;
    this.#reading = rules.readSnapshot(snapshot, CLUSTER, hashCached, null);
    if (this.#reading.kind === "usable") {
      const { documents } = this.#reading;
      const { generation } = documents.record;
      if (generation > (this.#known?.generation ?? 0)) this.#known = { generation, atMs: process.engine.now };
      const last = before?.kind === "usable" ? before.documents : null;
      const continues = last !== null && documents.record.generation > last.record.generation;
      this.#keeper.follow(documents.layout, continues ? last.hash : null, documents.hash);
      if (this.#seen?.hash !== documents.hash) {
        this.#seen = { hash: documents.hash, atMs: process.host.monotonicNow() };
      }
    }
    this.kick();
  }

  /** A read counts for the lease of the record that it shows. */
  #noteRead({ record, sentAtMs }: ClusterSnapshot): void {
    const { rules, process } = this.parts;
    if (this.#reading?.kind !== "usable" || this.#outcome?.kind === "refused" || record.kind !== "valid")
      return;
    const countsFrom = rules.steps.countsFromSending ? sentAtMs : process.host.monotonicNow();
    this.#keeper.noteRead(hashCached(record.text), countsFrom);
  }

  #pass(): void {
    const reading = this.#reading;
    const documents = reading?.kind === "usable" ? reading.documents : this.#applied;
    if (documents === null) return;
    this.#passing = true;
    this.#again = false;
    const { process, proxysql, state, rules } = this.parts;
    const onApply = (generation: number, lets: boolean): void => {
      this.parts.onApply(generation, lets ? this.#known : null);
    };
    const moment = (): Moment => this.#moment(documents);
    runPass(documents, { process, proxysql, state, rules, onApply, moment }, (outcome) => {
      this.#passing = false;
      this.#finish(outcome, documents);
    });
  }

  #moment(documents: Documents): Moment {
    const { rules, process } = this.parts;
    const lease = this.#keeper.leaseOf(documents.hash);
    return {
      whenOwned: "refuse",
      lease,
      leaseEndsAtSeconds: rules.leaseEndsAtSeconds(lease, process.host),
      drainIsOver: this.#drainLeftMs(documents) === 0,
      superseded: this.#reading?.kind === "usable" && this.#reading.documents.hash !== documents.hash,
      fences: this.#keeper.fences,
    };
  }

  #drainLeftMs({ record, hash }: Documents): number {
    const { rules, process } = this.parts;
    const seenForMs = this.#seen?.hash === hash ? process.host.monotonicNow() - this.#seen.atMs : 0;
    return rules.drainLeftMs(record, seenForMs, process.host.wallNow());
  }

  #finish(outcome: Outcome, documents: Documents): void {
    const { process } = this.parts;
    process.engine.tell(process.name, () => outcomeText(outcome));
    process.engine.seen.note(outcomeName(outcome));
    this.#failures = outcome.kind === "failed" ? this.#failures + 1 : 0;
    const before = this.#outcome;
    this.#outcome = outcome;
    if (outcome.kind === "applied" || outcome.kind === "withheld") {
      this.#applied = documents;
      this.#keeper.noteInForce(documents.hash);
    }
    if (outcome.kind === "refused") this.#keeper.noteRefused(documents.hash);
    if (before === null || !tellsTheSame(before, outcome)) this.#acknowledge(outcome);
    if (this.#again) {
      this.#pass();
      return;
    }
    const { random } = process.engine;
    const nextMs = Math.min(
      nextPassMs(outcome, this.#failures, random.next()),
      this.#drainLeftMs(documents) || Number.POSITIVE_INFINITY,
    );
    if (nextMs === Number.POSITIVE_INFINITY) return;
    this.#sleep = process.after(nextMs, () => {
      this.#pass();
    });
  }

  #acknowledge(outcome: Outcome): void {
    const { process, proxy, rules, state } = this.parts;
    const acknowledgement = rules.acknowledgementOf(outcome, {
      proxy,
      cluster: CLUSTER,
      appliedGeneration: state.mark?.generation ?? 0,
      at: process.host.isoNow(),
      watcher: "simulated",
    });
    if (acknowledgement !== null) this.#announcer.announce(acknowledgement);
  }
}

/** Would the acknowledgement be the same, but for its instant? Then it is not made again, to save time. */
function tellsTheSame(a: Outcome, b: Outcome): boolean {
  if (a.kind !== "applied" || b.kind !== "applied" || a.record.generation !== b.record.generation)
    return false;
  return (
    a.connectionsInUse === b.connectionsInUse &&
    a.notDurable === b.notDurable &&
    a.writers.length === b.writers.length &&
    a.writers.every((one, index) => one.host === b.writers[index]!.host)
  );
}

function outcomeName(outcome: Outcome): string {
  if (outcome.kind === "failed") return `pass ${outcome.code}`;
  return `pass ${outcome.kind}`;
}

function outcomeText(outcome: Outcome): string {
  if (outcome.kind === "held") return "held";
  const which = `generation ${outcome.record.generation} ${outcome.record.phase}`;
  if (outcome.kind === "failed") return `${which}: failed, ${outcome.code}: ${outcome.reason}`;
  if (outcome.kind === "refused") return `${which}: refused, ${outcome.reason}`;
  if (outcome.kind === "conflict") return `${which}: conflict`;
  return `${which}: ${outcome.kind}, ${outcome.connectionsInUse} in use`;
}

const hashes = new Map<string, string>();

/** The same few texts are hashed again and again. */
function hashCached(text: string): string {
  let hash = hashes.get(text);
  if (hash === undefined) {
    if (hashes.size > 1000) hashes.clear();
    hash = hashOfText(text);
    hashes.set(text, hash);
  }
  return hash;
}
