import { Worker } from "node:worker_threads";
import { commandFor } from "./one.js";
import type { Command } from "./options.js";
import type { Batch, BatchResult } from "./worker.js";

type Many = Extract<Command, { kind: "many" }>;

/** Where lines go; `progress` is one line that the next one replaces. */
export interface Screen {
  readonly line: (text: string) => void;
  readonly progress: (text: string) => void;
  readonly progressEveryMs: number;
}

/** Small enough that nobody waits long for the last thread. */
const BATCH = 100;

/** Runs many seeds on all threads. Resolves with whether all promises hold. */
export async function runMany(many: Many, file: URL, screen: Screen): Promise<boolean> {
  const work = new Work(many, screen);
  const timer = setInterval(() => {
    work.showProgress();
  }, screen.progressEveryMs);
  try {
    await Promise.all(Array.from({ length: many.workers }, async () => work.thread(file)));
  } finally {
    clearInterval(timer);
  }
  return work.finish();
}

class Work {
  readonly #startedAtMs = performance.now();
  #next: number;
  #runs = 0;
  #steps = 0;
  #simulatedMs = 0;
  #failures = 0;

  constructor(
    private readonly many: Many,
    private readonly screen: Screen,
  ) {
    this.#next = many.from;
    const what = Number.isFinite(many.runs)
      ? `seeds ${String(many.from)} to ${String(this.#end - 1)}`
      : `seeds from ${String(many.from)} on, for ${String(many.minutes)} min`;
    screen.line(`${what}, ${String(many.workers)} threads`);
    if (many.mutation !== null) screen.line(`without a guard: ${many.mutation.name}`);
  }

  /** Gives one thread batch after batch. */
  async thread(file: URL): Promise<void> {
    const worker = new Worker(file);
    try {
      for (let batch = this.#take(); batch !== null; batch = this.#take()) {
        this.#note(await answerOf(worker, batch));
      }
    } finally {
      await worker.terminate();
    }
  }

  showProgress(): void {
    const elapsedMs = performance.now() - this.#startedAtMs;
    const byRuns = ((this.many.runs - this.#runs) / Math.max(1, this.#runs)) * elapsedMs;
    const leftMs = Math.min(byRuns, this.many.minutes * 60_000 - elapsedMs);
    this.screen.progress(
      `${String(this.#runs)} runs, ${this.#perSecond()} runs/s, ${String(this.#failures)} broken, ${duration(leftMs)} left`,
    );
  }

  finish(): boolean {
    const took = duration(performance.now() - this.#startedAtMs);
    this.screen.line(
      `${String(this.#runs)} runs in ${took} (${this.#perSecond()} runs/s), ${String(this.#steps)} steps, ` +
        `${(this.#simulatedMs / 3_600_000).toFixed(1)} simulated hours: ` +
        (this.#failures === 0 ? "all promises hold" : `${String(this.#failures)} runs broke one`),
    );
    return this.#failures === 0;
  }

  get #end(): number {
    return this.many.from + this.many.runs;
  }

  #take(): Batch | null {
    const isOver = performance.now() - this.#startedAtMs >= this.many.minutes * 60_000;
    const stops = this.#failures > 0 && !this.many.keepGoing;
    if (isOver || stops || this.#next >= this.#end) return null;
    const batch = {
      from: this.#next,
      count: Math.min(BATCH, this.#end - this.#next),
      mutation: this.many.mutation?.name ?? null,
    };
    this.#next += batch.count;
    return batch;
  }

  #note({ runs, steps, ms, failures }: BatchResult): void {
    this.#runs += runs;
    this.#steps += steps;
    this.#simulatedMs += ms;
    const told = this.many.keepGoing ? failures : failures.slice(0, this.#failures === 0 ? 1 : 0);
    for (const { seed, message } of told) {
      this.screen.line(`BROKEN seed ${String(seed)}: ${message}`);
      this.screen.line(`  every step: ${commandFor(seed, this.many.mutation)} --steps`);
    }
    this.#failures += failures.length;
  }

  #perSecond(): string {
    return ((this.#runs / (performance.now() - this.#startedAtMs)) * 1000).toFixed(0);
  }
}

async function answerOf(worker: Worker, batch: Batch): Promise<BatchResult> {
  return await new Promise((resolve, reject) => {
    worker.once("error", reject);
    worker.once("message", (result: BatchResult) => {
      worker.off("error", reject);
      resolve(result);
    });
    worker.postMessage(batch, []);
  });
}

function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 120) return `${String(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 120 ? `${String(minutes)} min` : `${(minutes / 60).toFixed(1)} h`;
}
