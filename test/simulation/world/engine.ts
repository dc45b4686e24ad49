import { Coverage } from "./coverage.js";
import { Random } from "./random.js";

/** Something that will happen. Taken back by setting `run` to null. */
export interface Task {
  readonly at: number;
  readonly order: number;
  run: (() => void) | null;
}

/** What a run broke, and where. */
export class Violation extends Error {
  override readonly name = "Violation";
  constructor(
    readonly invariant: string,
    detail: string,
    readonly atMs: number,
  ) {
    super(`${invariant} at ${(atMs / 1000).toFixed(3)} s: ${detail}`);
  }
}

/** A run that takes more goes round in a circle. */
const MOST_STEPS = 300_000;

/**
 * True time, which nobody in the simulation can read, and what happens in it, one thing after another. Milliseconds.
 */
export class Engine {
  now = 0;
  steps = 0;
  readonly random: Random;
  /** Called after everything that happens. */
  afterStep: () => void = () => undefined;
  readonly trace: ((line: string) => void) | null;
  /** What has occurred at least once, and how often. */
  readonly seen = new Coverage();
  #heap: Task[] = [];
  #order = 0;
  #ids = 0;

  constructor(seed: number, trace: ((line: string) => void) | null) {
    this.random = new Random(seed);
    this.trace = trace;
  }

  at(time: number, run: () => void): Task {
    const task: Task = { at: Math.max(time, this.now), order: this.#order++, run };
    this.#push(task);
    return task;
  }

  after(ms: number, run: () => void): Task {
    return this.at(this.now + ms, run);
  }

  /** A number that nobody else has in this run. */
  nextId(): number {
    return ++this.#ids;
  }

  /** Text is made only for whoever wants to read it. */
  tell(who: string, text: () => string): void {
    if (this.trace !== null)
      this.trace(`${(this.now / 1000).toFixed(4).padStart(9)} ${who.padEnd(10)} ${text()}`);
  }

  /** Runs until nothing is left, `until` is reached or `done` says so. */
  run(until: number, done: () => boolean): void {
    for (;;) {
      const task = this.#heap[0];
      if (task === undefined || task.at > until) break;
      this.#pop();
      if (task.run === null) continue;
      this.now = task.at;
      this.steps += 1;
      if (this.steps > MOST_STEPS) throw new Violation("a run ends", "too many steps", this.now);
      task.run();
      this.afterStep();
      if (done()) return;
    }
    this.now = Math.max(this.now, until);
  }

  #push(task: Task): void {
    const heap = this.#heap;
    heap.push(task);
    let i = heap.length - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!before(task, heap[parent]!)) break;
      heap[i] = heap[parent]!;
      i = parent;
    }
    heap[i] = task;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child += 1;
      if (!before(heap[child]!, last)) break;
      heap[i] = heap[child]!;
      i = child;
    }
    heap[i] = last;
  }
}

function before(a: Task, b: Task): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
