/** Resolves after `ms` milliseconds, or as soon as `signal` is aborted. Never rejects. */
export function sleep(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted || ms <= 0) return Promise.resolve();
  return new Promise((resolve) => {
    const finish = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", finish);
      resolve();
    };
    const timer = setTimeout(finish, ms);
    signal.addEventListener("abort", finish, { once: true });
  });
}

/** `ms` give or take a tenth, so that several agents don't move in step. `random` is 0 to 1. */
export function jittered(ms: number, random: number): number {
  return ms * (0.9 + 0.2 * random);
}

/** Full jitter: anything up to `base` doubled `attempt` times, never more than `cap`. Milliseconds. */
export function backoff(attempt: number, random: number, base = 250, cap = 5000): number {
  return random * Math.min(cap, base * 2 ** Math.min(attempt, 20));
}

/** Does `work` for each of `items`, at most `limit` at a time. What one throws is thrown when all have ended. */
export async function eachAtMost<T>(
  items: readonly T[],
  limit: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const waiting = [...items];
  const errors: unknown[] = [];
  const worker = async (): Promise<void> => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) {
      await work(item).catch((error: unknown) => errors.push(error));
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  if (errors.length > 0) throw errors[0];
}
