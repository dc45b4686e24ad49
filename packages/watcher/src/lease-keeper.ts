import type { Layout } from "@primacy/contract";
import type { Logger } from "pino";
import type { Presence } from "./announcer.js";
import { type Lease, lease, leaseEndsAtSeconds, renewAfterMs } from "./lease.js";
import type { LeaseEntry } from "./lease-entries.js";
import type { LeaseFile } from "./lease-file.js";
import { type Followed, LeaseLedger } from "./lease-ledger.js";
import { Alarm, type Clock } from "./timing.js";

export interface LeaseKeeperParts {
  readonly clock: Clock;
  readonly file: LeaseFile;
  readonly presence: () => Presence;
  /** One consistent read, now; what it shows comes back through `noteRead`. */
  readonly verify: (deadlineMs: number, signal: AbortSignal) => Promise<unknown>;
  /** Fences a writer hostgroup on a connection of its own, so that a pass that hangs is not in the way. */
  readonly fence: (writerHostgroup: number, stillLost: () => boolean) => Promise<boolean>;
  /** The lease was lost or won. */
  readonly onChange: () => void;
  readonly log: Logger;
}

/** How often it looks, at the latest. Milliseconds. */
const TICK_MS = 500;

/**
 * Keeps the lease of one cluster: asks Consul in time, tells the guard by the lease file, and is the dead man's switch.
 * Its timer and its connection are its own: whatever a pass is waiting for, the moment the lease ends the writer
 * hostgroup is fenced, and stays so until the lease is held again.
 */
export class LeaseKeeper {
  readonly #alarm = new Alarm();
  readonly #busy = new Map<string, Promise<void>>();
  /** What failed last time, and how. */
  readonly #problems = new Map<string, string>();
  readonly #ledger: LeaseLedger;
  #said: Lease["kind"] | null = null;
  #fences = 0;
  #fileProblem: string | null = null;

  /** `inForce`: hash of the record that this ProxySQL is remembered to have had last; null: of none. */
  constructor(
    private readonly cluster: string,
    inForce: string | null,
    private readonly parts: LeaseKeeperParts,
  ) {
    this.#ledger = new LeaseLedger(inForce);
  }

  /**
   * The lease of what ProxySQL shows, at this moment. It runs out where reads show a later record that could not be
   * applied yet (a pass may hang, a disk may stall): nobody has confirmed what is in force.
   */
  get lease(): Lease {
    return this.leaseOf(this.#ledger.inForce);
  }

  /** The lease of one record: of those that have been read, only the one that the newest read shows is renewed. */
  leaseOf(hash: string | null): Lease {
    const { followed } = this.#ledger;
    // Without a layout nobody has asked for one.
    if (followed === null) return { kind: "not-asked-for" };
    return lease(
      followed,
      this.#ledger.factsOf(hash, this.parts.presence()),
      this.parts.clock.monotonicNow(),
    );
  }

  /** How often it has begun to fence. */
  get fences(): number {
    return this.#fences;
  }

  /** Why the guard can't see the lease that is held here, and so will fence; null: it can. */
  get fileProblem(): string | null {
    return this.#fileProblem;
  }

  /** Null where the cluster asks for no lease. */
  get writerHostgroup(): number | null {
    const { followed } = this.#ledger;
    return followed?.onConsulLoss === "lease" ? followed.writerHostgroup : null;
  }

  /** What the process before this one left. */
  inherit(entry: LeaseEntry): void {
    const { clock } = this.parts;
    this.#ledger.inherit(entry, { monotonicMs: clock.monotonicNow(), wallMs: clock.wallNow() });
  }

  /** The layout as it now is. */
  followLayout(layout: Layout): void {
    this.#ledger.followLayout(layout, this.parts.clock.monotonicNow());
    this.#alarm.ring();
  }

  /** The record of hash `next` follows that of hash `before`, a generation or more later. */
  followRecord(before: string, next: string): void {
    this.#ledger.followRecord(before, next);
  }

  /** Our acknowledgement has come to lie in Consul: a read that is sent from now on counts. */
  notePresence(): void {
    this.#alarm.ring();
  }

  /** A consistent read, sent then, has shown the record of this hash. */
  noteRead(hash: string, sentAtMs: number): void {
    this.#ledger.noteRead(hash, sentAtMs);
    this.#alarm.ring();
  }

  /** ProxySQL was verified to show the record of this hash, or nobody in its place. */
  noteInForce(hash: string): void {
    if (this.#ledger.noteInForce(hash)) this.#alarm.ring();
  }

  /** What Consul shows is not followed here: no read of it counts. */
  noteRefused(hash: string): void {
    this.#ledger.noteRefused(hash);
    this.#alarm.ring();
  }

  /** Runs until `signal` is aborted. The layout and the lease file stay: the lease ends by itself. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) await this.#alarm.sleep(this.#step(signal), signal);
    await Promise.all(this.#busy.values());
  }

  /** Does what is due without waiting for it, and says in how many milliseconds it must look again. */
  #step(signal: AbortSignal): number {
    const { followed } = this.#ledger;
    if (followed === null) return TICK_MS;
    const now = this.lease;
    this.#tell(now);
    this.#keepFile(followed, now);
    if (now.kind === "not-asked-for") return Number.POSITIVE_INFINITY;
    this.#ask(followed, signal);
    if (now.kind === "lost") {
      this.#begin("fence", async () => this.#fence(followed.writerHostgroup));
      return TICK_MS;
    }
    return Math.min(TICK_MS, Math.max(0, now.untilMs - this.parts.clock.monotonicNow()));
  }

  #tell(now: Lease): void {
    if (now.kind === this.#said) return;
    const before = this.#said;
    this.#said = now.kind;
    if (now.kind === "lost") this.parts.log.warn({}, `no lease, so nobody takes writes here: ${now.reason}`);
    if (now.kind === "held") this.parts.log.info({}, "the lease is held");
    if (before !== null || now.kind === "lost") this.parts.onChange();
  }

  #ask({ leaseSeconds }: Followed, signal: AbortSignal): void {
    const everyMs = renewAfterMs(leaseSeconds);
    const { presentSinceMs } = this.parts.presence();
    const newestMs = this.#ledger.newestReadMs;
    const sinceMs = this.parts.clock.monotonicNow() - newestMs;
    const tooEarly = presentSinceMs !== null && newestMs < presentSinceMs;
    if (sinceMs >= everyMs || tooEarly) this.#begin("read", async () => this.parts.verify(everyMs, signal));
  }

  #keepFile(followed: Followed, now: Lease): void {
    if (now.kind === "lost") return;
    const entry = now.kind === "held" ? this.#entry(followed, now.untilMs) : null;
    this.#begin("file", async () => this.#write(entry));
  }

  async #write(entry: LeaseEntry | null): Promise<void> {
    try {
      await this.parts.file.put(this.cluster, entry);
      this.#fileProblem = null;
    } catch (error) {
      if (entry !== null) {
        this.#fileProblem = `the lease file cannot be written, so the guard will fence: ${String(error)}`;
      }
      throw error;
    }
  }

  #entry({ writerHostgroup, leaseSeconds }: Followed, untilMs: number): LeaseEntry {
    const untilSeconds = leaseEndsAtSeconds({ kind: "held", untilMs }, this.parts.clock);
    return { cluster: this.cluster, writerHostgroup, leaseSeconds, untilSeconds };
  }

  async #fence(writerHostgroup: number): Promise<void> {
    const stillLost = (): boolean => {
      if (this.lease.kind !== "lost") return false;
      // Before the first statement: a pass that has read what was there must not go on.
      this.#fences += 1;
      return true;
    };
    if (await this.parts.fence(writerHostgroup, stillLost)) {
      this.parts.log.warn({ writerHostgroup }, "fenced: the writer hostgroup had a server");
      this.parts.onChange();
    }
  }

  /** One of a kind at a time; a failure is said once and the next tick tries again. */
  #begin(what: "read" | "file" | "fence", work: () => Promise<unknown>): void {
    if (this.#busy.has(what)) return;
    const running = work()
      .then(() => {
        if (this.#problems.delete(what)) this.parts.log.info({}, `lease: ${what} succeeds again`);
      })
      .catch((error: unknown) => {
        // A read that fails is said by the truth path already.
        if (what !== "read") this.#failed(what, error);
      })
      .finally(() => {
        this.#busy.delete(what);
      });
    this.#busy.set(what, running);
  }

  #failed(what: string, error: unknown): void {
    const problem = error instanceof Error ? error.message : String(error);
    if (this.#problems.get(what) === problem) return;
    this.#problems.set(what, problem);
    this.parts.log.error({ err: error }, `lease: ${what} failed`);
  }
}
