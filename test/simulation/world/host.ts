import { countingSleep } from "../../../packages/watcher/src/timing.js";
import type { Engine } from "./engine.js";

/** Any date will do: documents need one. */
const EPOCH_MS = Date.parse("2026-11-21T09:00:00.000Z");

/** Two machines' clocks differ by less than the hundredth that `leaseBoundMs` allows for. */
const DRIFT = 0.004;

/** A machine: its clocks run a little fast or slow, its wall clock may jump, and all of it may be frozen for a while. */
export class Host {
  readonly processes: Process[] = [];
  /** Does the processes' clock count what the machine has slept through? */
  countsSleep = true;
  /** When it goes on; null while it does. True milliseconds. */
  frozenUntilMs: number | null = null;
  /** Since when it has gone on, and its wall clock has been right again; Infinity while that is not so. True milliseconds. */
  awakeSinceMs = Number.NEGATIVE_INFINITY;
  readonly #rate: number;
  readonly #base: number;
  readonly #counting: () => number;
  #slept = 0;
  #wallOffsetMs: number;
  #frozenAt = 0;
  #isoOf = 0;
  #iso = "";

  constructor(
    readonly name: string,
    readonly engine: Engine,
  ) {
    const { random } = engine;
    this.#rate = 1 + random.between(-DRIFT, DRIFT);
    this.#base = random.between(1e3, 1e8);
    this.#wallOffsetMs = random.between(-300, 300);
    this.#counting = countingSleep({
      monotonicNow: () => this.#uncounted(),
      wallNow: () => this.wallNow(),
    });
  }

  monotonicNow(): number {
    const counted = this.#counting();
    return this.countsSleep ? counted : this.#uncounted();
  }

  /** What timers go by. */
  get timerNow(): number {
    return this.#uncounted();
  }

  #uncounted(): number {
    const slept = this.frozenUntilMs === null ? this.#slept : this.#slept + this.engine.now - this.#frozenAt;
    return this.#base + (this.engine.now - slept) * this.#rate;
  }

  wallNow(): number {
    return Math.floor(EPOCH_MS + this.engine.now + this.#wallOffsetMs);
  }

  isoNow(): string {
    const wallMs = this.wallNow();
    if (wallMs !== this.#isoOf) {
      this.#isoOf = wallMs;
      this.#iso = new Date(wallMs).toISOString();
    }
    return this.#iso;
  }

  jump(byMs: number): void {
    this.engine.seen.note(byMs < 0 ? "clock set back" : "clock set forward");
    this.engine.tell(this.name, () => `wall clock jumps by ${byMs.toFixed(0)} ms`);
    this.#wallOffsetMs += byMs;
  }

  /**
   * Nothing here goes on, and no clock that only counts: a virtual machine that is paused. Its wall clock is set some time
   * after it has gone on.
   */
  freeze(forMs: number, setAfterMs: number, onSet: () => void): void {
    const { engine } = this;
    if (this.frozenUntilMs !== null) return;
    engine.seen.note("machine freezes");
    engine.tell(this.name, () => "freezes");
    this.frozenUntilMs = engine.now + forMs;
    this.#frozenAt = engine.now;
    this.awakeSinceMs = Number.POSITIVE_INFINITY;
    engine.after(forMs, () => {
      this.frozenUntilMs = null;
      this.#slept += forMs;
      this.#wallOffsetMs -= forMs;
      engine.tell(this.name, () => "goes on");
      const set = (): void => {
        this.#wallOffsetMs += forMs;
        this.awakeSinceMs = engine.now;
        engine.tell(this.name, () => "has its wall clock set");
        onSet();
      };
      if (setAfterMs === 0) set();
      else engine.after(setAfterMs, set);
      for (const process of this.processes) process.goOn();
    });
  }

  /** Now, or when the machine goes on. */
  whenAwake(run: () => void): void {
    if (this.frozenUntilMs === null) run();
    else this.engine.at(this.frozenUntilMs, run);
  }

  /** True milliseconds for as many on this machine's monotonic clock. */
  trueMs(localMs: number): number {
    return localMs / this.#rate;
  }
}

/** Clocks count in fractions. Milliseconds. */
const EARLY_MS = 1e-3;

/**
 * What a process may be in the middle of: a read or a write of Consul, a statement to ProxySQL, or the statement that
 * lets writes through there.
 */
export const CALLEES = ["read", "write", "proxysql", "opening"] as const;
export type Callee = (typeof CALLEES)[number];

/** A process on a host: it can crash, be stopped and go on, and come back. */
export class Process {
  epoch = 0;
  running = true;
  paused = false;
  /** What happens to it right after it has called Consul, or ProxySQL, the next time. */
  readonly atNextCall: Record<Callee, (() => void) | null> = {
    read: null,
    write: null,
    proxysql: null,
    opening: null,
  };
  #pending: (() => void)[] = [];

  constructor(
    readonly name: string,
    readonly host: Host,
  ) {
    host.processes.push(this);
  }

  get engine(): Engine {
    return this.host.engine;
  }

  /** Runs in this very process after so long on its own clock; never after a crash. */
  after(localMs: number, run: () => void): { cancel(): void } {
    const { host, engine } = this;
    const dueMs = host.timerNow + localMs;
    let cancelled = false;
    // A timer that has run out while the process was stopped can still be taken back.
    const deliver = this.receiver(() => {
      if (cancelled) return;
      // While the machine was frozen, its timers stood still.
      const leftMs = dueMs - host.timerNow;
      if (leftMs > EARLY_MS) task = engine.after(host.trueMs(leftMs), deliver);
      else run();
    });
    let task = engine.after(host.trueMs(localMs), deliver);
    return {
      cancel: () => {
        cancelled = true;
        task.run = null;
      },
    };
  }

  /** What somebody outside calls so that `run` happens in this process, as long as it is this one. */
  receiver(run: () => void): () => void {
    const { epoch } = this;
    return () => {
      if (epoch !== this.epoch || !this.running) return;
      if (this.#held) this.#pending.push(run);
      else run();
    };
  }

  get #held(): boolean {
    return this.paused || this.host.frozenUntilMs !== null;
  }

  /** Something is being sent, or is about to be. */
  noteCall(whom: Callee): void {
    const happens = this.atNextCall[whom];
    if (happens === null) return;
    this.atNextCall[whom] = null;
    const { epoch, engine } = this;
    // The statement that opens is not sent yet: that is what makes it worth a fault of its own.
    const inMs = whom === "opening" ? 0 : engine.random.between(0, 1.5);
    engine.after(inMs, () => {
      if (epoch === this.epoch && !this.paused) happens();
    });
  }

  crash(): void {
    for (const whom of CALLEES) this.atNextCall[whom] = null;
    this.engine.seen.note("process dies");
    this.engine.tell(this.name, () => "dies");
    this.running = false;
    this.paused = false;
    this.epoch += 1;
    this.#pending = [];
  }

  begin(): void {
    this.running = true;
    this.engine.tell(this.name, () => "starts");
  }

  pause(): void {
    if (!this.running) return;
    this.engine.tell(this.name, () => "is stopped");
    this.paused = true;
  }

  resume(): void {
    if (!this.paused) return;
    this.engine.seen.note("process goes on after a stop");
    this.engine.tell(this.name, () => "goes on");
    this.paused = false;
    this.goOn();
  }

  /** What has come meanwhile is there all at once. */
  goOn(): void {
    if (this.#held) return;
    const pending = this.#pending;
    this.#pending = [];
    const { epoch } = this;
    for (const run of pending) {
      if (epoch !== this.epoch) return;
      // Whoever is stopped again in the meantime leaves the rest for later.
      if (this.#held) this.#pending.push(run);
      else run();
    }
  }
}
