/** How long to wait for a condition, how often to look, and what it is called when it never comes. */
export interface WaitOptions {
  /** Limit in milliseconds. */
  timeoutMs: number;
  /** Pause between two looks, in milliseconds (default 20). */
  intervalMs?: number;
  /** What is waited for, as it reads in "gave up waiting for <what>". */
  what: string;
}

type Seen = { kind: "nothing" } | { kind: "value"; value: unknown } | { kind: "error"; error: unknown };

/** The condition did not come true in time; the message ends with the last thing seen. */
export class WaitTimeoutError extends Error {
  override readonly name = "WaitTimeoutError";
}

/**
 * Asks `condition` again and again until it answers something truthy, and answers that.
 *
 * A condition that throws counts as "not yet": its error is kept for the message. The limit also holds for a
 * condition that never settles.
 *
 * @throws {WaitTimeoutError} when the limit is over, with `what` and the last value or error seen.
 */
export async function waitUntil<T>(
  condition: () => T | Promise<T>,
  options: WaitOptions,
): Promise<NonNullable<T>> {
  const started = performance.now();
  let seen: Seen = { kind: "nothing" };
  for (;;) {
    const leftMs = options.timeoutMs - (performance.now() - started);
    if (leftMs <= 0) throw timeoutError(options, seen);
    const answer = await look(condition, leftMs);
    if (answer.kind === "value" && answer.value) return answer.value as NonNullable<T>;
    if (answer.kind !== "nothing") seen = answer;
    await pause(Math.min(options.intervalMs ?? 20, Math.max(0, leftMs)));
  }
}

async function look(condition: () => unknown, limitMs: number): Promise<Seen> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<Seen>((resolve) => {
    timer = setTimeout(() => resolve({ kind: "nothing" }), limitMs);
  });
  const asked = (async (): Promise<Seen> => {
    try {
      return { kind: "value", value: await condition() };
    } catch (error) {
      return { kind: "error", error };
    }
  })();
  try {
    return await Promise.race([asked, limit]);
  } finally {
    clearTimeout(timer);
  }
}

function timeoutError(options: WaitOptions, seen: Seen): WaitTimeoutError {
  const message = `gave up waiting for ${options.what} after ${options.timeoutMs} ms; ${describe(seen)}`;
  return new WaitTimeoutError(message, seen.kind === "error" ? { cause: seen.error } : {});
}

function describe(seen: Seen): string {
  if (seen.kind === "nothing") return "the condition never answered";
  if (seen.kind === "error") return `last error: ${String(seen.error)}`;
  return `last seen: ${show(seen.value)}`;
}

function show(value: unknown): string {
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return String(value);
  }
}

/** Lets `ms` milliseconds go by. For loops that look at a condition; a test waits with {@link waitUntil}. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
