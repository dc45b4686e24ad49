import type { MemberState } from "./judge.js";

/** Milliseconds. */
export interface SteadySettings {
  /** How long a server must look worse before that is believed; also how long the first look at it takes. */
  readonly worseAfterMs: number;
  /** How long it must look like a replica again before that is believed. */
  readonly betterAfterMs: number;
}

/** What is believed of one server. Times are milliseconds on a clock that nobody sets. */
export interface Belief {
  readonly state: MemberState | "unknown";
  /** Since when it has looked otherwise; null while it looks as it is believed to be. */
  readonly doubt: { readonly looksLikeReplica: boolean; readonly sinceMs: number } | null;
  /** When it ceased to be a replica, lately. */
  readonly falls: readonly number[];
}

export const UNKNOWN: Belief = { state: "unknown", doubt: null, falls: [] };

/** Within this time, each further fall makes the next return take twice as long. */
const FLAPPING_WINDOW_MS = 10 * 60_000;
const LONGEST_RETURN_MS = 5 * 60_000;

/**
 * What is believed now that the server looks like `state`. A failed check turns nobody's readers away at once, and a
 * server that comes and goes must stay longer each time. What an operator says (a downtime, its end) and what follows
 * from the record (who is the master) holds at once. Pure.
 */
export function believe(before: Belief, state: MemberState, nowMs: number, settings: SteadySettings): Belief {
  const falls = before.falls.filter((at) => nowMs - at < FLAPPING_WINDOW_MS);
  if (state === before.state) return { state, doubt: null, falls };
  const looksLikeReplica = state === "replica";
  // Broken, then unreachable, then broken again is one doubt: it is no replica.
  const sinceMs = before.doubt?.looksLikeReplica === looksLikeReplica ? before.doubt.sinceMs : nowMs;
  if (nowMs - sinceMs < patienceMs(before.state, state, falls.length, settings)) {
    return { state: before.state, doubt: { looksLikeReplica, sinceMs }, falls };
  }
  const fell = before.state === "replica" && !isSaid(state);
  return { state, doubt: null, falls: fell ? [...falls, nowMs] : falls };
}

function patienceMs(from: Belief["state"], to: MemberState, falls: number, settings: SteadySettings): number {
  if (isSaid(from) || isSaid(to)) return 0;
  if (to !== "replica" || from === "unknown") return settings.worseAfterMs;
  return Math.min(LONGEST_RETURN_MS, settings.betterAfterMs * 2 ** Math.max(0, falls - 1));
}

function isSaid(state: Belief["state"]): boolean {
  return state === "downtimed" || state === "master";
}
