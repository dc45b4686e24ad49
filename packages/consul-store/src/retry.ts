/** The longest pause between two tries: a MySQL failover can't wait for the 30 to 180 s of Consul's own tools. */
export const LONGEST_PAUSE_MS = 3000;

/**
 * Full-jitter back-off: a pause between 0 and 100 ms · 2^attempt, in milliseconds. Jitter over the whole range,
 * because a thousand watchers lose the same Consul leader in the same millisecond.
 *
 * @param attempt 0 for the first pause
 * @param random 0 (included) to 1 (excluded)
 */
export function backoff(attempt: number, random: number, capMs = LONGEST_PAUSE_MS): number {
  return Math.round(random * Math.min(capMs, 100 * 2 ** Math.min(attempt, 16)));
}

/** `ms`, a quarter more or less. */
export function jitter(ms: number, random: number): number {
  return Math.round(ms * (0.75 + random * 0.5));
}

/**
 * The client's own limit of a blocking query, in milliseconds. Consul adds up to a sixteenth of the wait, and its
 * `wait` does not bound a call whose leader hangs: with wait=10s calls were seen to hang for 27 to 35 s (Consul 1.8.7).
 */
export function callDeadline(waitMs: number): number {
  return Math.ceil((waitMs * 17) / 16) + 1500;
}

/**
 * The index for the next blocking query.
 *
 * Back to 0 after an error (`received` null) and after a lower index: an index from before a wipe or a restored
 * snapshot blinds a watcher for the whole wait (Consul 1.8.7). Never 0 after an answer, because 0 does not block.
 */
export function nextIndex(previous: number, received: number | null): number {
  if (received === null || received < previous) return 0;
  return Math.max(1, received);
}

/** A floor between calls: `burst` calls at once, then one every `everyMs`. Decides only; whoever asks must wait. */
export class Pace {
  readonly #everyMs: number;
  readonly #allowanceMs: number;
  #nextMs = Number.NEGATIVE_INFINITY;

  constructor(everyMs: number, burst: number) {
    this.#everyMs = everyMs;
    this.#allowanceMs = everyMs * (burst - 1);
  }

  /** Takes a turn and says how long to wait for it, in milliseconds. */
  take(nowMs: number): number {
    const next = Math.max(nowMs, this.#nextMs);
    this.#nextMs = next + this.#everyMs;
    return Math.max(0, next - this.#allowanceMs - nowMs);
  }
}

/** Which of several agents to ask: the last good one, and after a failure the next. */
export class AddressRotation {
  readonly #count: number;
  #current = 0;

  constructor(count: number) {
    this.#count = count;
  }

  get current(): number {
    return this.#current;
  }

  /** Moves on, unless another call has moved on from this agent already. */
  failed(index: number): void {
    if (index === this.#current) this.#current = (index + 1) % this.#count;
  }
}
