import type { HeldLock } from "@primacy/consul-store";
import * as z from "zod";

/** Where the leader's lock lies, below the prefix. Outside of `clusters/`, so that its heartbeat wakes no watcher. */
export const LEADER_LOCK = "agent/leader";

/** The leader's heartbeat: the value of its lock. For people, and for `status`. */
const heartbeatSchema = z.object({
  agent: z.string(),
  /** Since when it leads. */
  since: z.iso.datetime({ precision: 3 }),
  /** When it wrote this. */
  at: z.iso.datetime({ precision: 3 }),
  clusters: z.int().min(0),
  /** Of those, the ones of which Orchestrator told nothing usable lately. */
  held: z.int().min(0),
  version: z.string(),
});
export type Heartbeat = z.infer<typeof heartbeatSchema>;

export function heartbeatText(heartbeat: Heartbeat): string {
  return JSON.stringify(heartbeat);
}

/** Null for anything that is no heartbeat of ours. */
export function readHeartbeat(text: string | null): Heartbeat | null {
  if (text === null) return null;
  try {
    const parsed = heartbeatSchema.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}

/** Between two heartbeats, milliseconds. */
export const HEARTBEAT_MS = 2000;
/**
 * A leader whose heartbeat has not been seen for this long is taken for gone. Consul alone would take 10 to 20 s and
 * more (a session lives once to twice its TTL, of 10 s at least).
 */
export const TAKE_OVER_AFTER_MS = 7000;
/** A leader that could not write its heartbeat for this long stops: before anybody else begins. */
export const LEAD_AT_MOST_MS = 5000;

/** What a standby has seen of the lock. Instants are its own monotonic clock: no other clock is compared. */
export interface LockWatch {
  readonly index: number;
  readonly sessionId: string;
  readonly sinceMs: number;
}

/** What a standby does. */
export type StandbyStep =
  | { readonly kind: "acquire" }
  | { readonly kind: "wait"; readonly watch: LockWatch }
  /** End the session of a leader that has fallen silent, then take the lock. */
  | { readonly kind: "take-over"; readonly sessionId: string; readonly silentMs: number };

/**
 * Two agents may lead for a moment whatever is done here: a paused process does not know that it was paused. Nothing
 * rests on there being one: the record and the members are written by compare-and-set, and the same event twice is the
 * same as once. Pure.
 */
export function standbyStep(lock: HeldLock | null, before: LockWatch | null, nowMs: number): StandbyStep {
  if (lock?.sessionId == null) return { kind: "acquire" };
  const moved = before === null || before.index !== lock.index || before.sessionId !== lock.sessionId;
  const watch = moved ? { index: lock.index, sessionId: lock.sessionId, sinceMs: nowMs } : before;
  const silentMs = nowMs - watch.sinceMs;
  if (silentMs >= TAKE_OVER_AFTER_MS) return { kind: "take-over", sessionId: lock.sessionId, silentMs };
  return { kind: "wait", watch };
}

/** May this agent act as the leader at `nowMs`? `beatAtMs` is when its newest successful heartbeat was SENT. Pure. */
export function mayLead(beatAtMs: number | null, nowMs: number): boolean {
  return beatAtMs !== null && nowMs - beatAtMs < LEAD_AT_MOST_MS;
}
