import type { Engine } from "./engine.js";

/** Any date will do: documents need one. */
const EPOCH_MS = Date.parse("2026-11-21T09:00:00.000Z");

/** Two machines' clocks differ by less than the hundredth that `leaseBoundMs` allows for. */
const DRIFT = 0.004;

/** A machine: its clocks run a little fast or slow, and its wall clock may jump. */
export class Host {
  readonly #rate: number;
  readonly #base: number;
  #wallOffsetMs: number;
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
  }

  monotonicNow(): number {
    return this.#base + this.engine.now * this.#rate;
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

  /** True milliseconds for as many on this machine's monotonic clock. */
  trueMs(localMs: number): number {
    return localMs / this.#rate;
  }
}

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
  ) {}

  get engine(): Engine {
    return this.host.engine;
  }

  /** Runs in this very process after so long on its own clock; never after a crash. */
  after(localMs: number, run: () => void): { cancel(): void } {
    let cancelled = false;
    // A timer that has run out while the process was stopped can still be taken back.
    const deliver = this.receiver(() => {
      if (!cancelled) run();
    });
    const task = this.engine.after(this.host.trueMs(localMs), deliver);
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
      if (this.paused) this.#pending.push(run);
      else run();
    };
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
    const pending = this.#pending;
    this.#pending = [];
    const { epoch } = this;
    for (const run of pending) {
      if (epoch !== this.epoch) return;
      // Whoever is stopped again in the meantime leaves the rest for later.
      if (this.paused) this.#pending.push(run);
      else run();
    }
  }
}
