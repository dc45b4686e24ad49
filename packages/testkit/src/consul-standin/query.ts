import { type Answer, type Request, text } from "./answer.js";
import type { ConsulState } from "./consul-state.js";
import { parseDuration } from "./duration.js";

const DEFAULT_WAIT_MS = 300_000;
const MAX_WAIT_MS = 600_000;
/** Consul adds up to a sixteenth, so that blocked clients do not come back all at once. */
const JITTER_FRACTION = 16;

/** One look at the data: what to answer, and the index that decides whether it is news. */
export interface Look {
  index: number;
  answer: Answer;
}

/**
 * Parses what every read may say, or answers 400 in Consul's words.
 *
 * Source: Consul 1.8.7, agent/http.go, parseWait and parseConsistency.
 */
export function parseQuery(params: URLSearchParams): { index: number; waitMs: number } | Answer {
  const wait = params.get("wait") ?? "";
  const waitMs = wait === "" ? 0 : parseDuration(wait);
  if (waitMs === undefined) return text(400, "Invalid wait time");
  const index = params.get("index") ?? "";
  if (!/^\d*$/.test(index)) return text(400, "Invalid index");
  if (params.has("stale") && params.has("consistent")) {
    return text(400, "Cannot specify ?stale with ?consistent, conflicting semantics.");
  }
  const bounded = waitMs <= 0 ? DEFAULT_WAIT_MS : Math.min(waitMs, MAX_WAIT_MS);
  return { index: Number(index), waitMs: bounded };
}

/**
 * Answers a read: at once without `index`, else when the index is higher than that or the wait is over, with what
 * is there then. An index from the future waits all the time even when the data changes, as Consul does.
 */
export async function answerRead(
  { state, random }: { state: ConsulState; random: () => number },
  request: Request,
  look: () => Look,
): Promise<Answer> {
  const query = parseQuery(request.params);
  if ("status" in query) return query;
  let seen = look();
  if (query.index === 0 || seen.index > query.index) return seen.answer;
  const waitMs = query.waitMs + (random() * query.waitMs) / JITTER_FRACTION;
  await new Promise<void>((resolve) => {
    const unwatch = state.watch(() => {
      seen = look();
      if (seen.index > query.index) finish();
    });
    const timer = setTimeout(finish, waitMs);
    request.gone.addEventListener("abort", finish, { once: true });
    function finish(): void {
      clearTimeout(timer);
      unwatch();
      request.gone.removeEventListener("abort", finish);
      resolve();
    }
  });
  return seen.answer;
}
