/** Full jitter: anything from nothing to `base` doubled `attempt` times, never more than `cap`. Milliseconds. */
export function backoffMs(attempt: number, random: number, base = 250, cap = 5000): number {
  return random * Math.min(cap, base * 2 ** Math.min(attempt, 20));
}

/** `value` give or take a tenth, so that a fleet doesn't move in step. `random` is 0 to 1. */
export function jitteredMs(value: number, random: number): number {
  return value * (0.9 + random * 0.2);
}

/** Ends after `ms` milliseconds, or as soon as `signal` is aborted. Never rejects. */
export async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted || ms <= 0) return;
  await new Promise<void>((resolve) => {
    const finish = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", finish);
      resolve();
    };
    const timer = setTimeout(finish, ms);
    signal.addEventListener("abort", finish, { once: true });
  });
}
