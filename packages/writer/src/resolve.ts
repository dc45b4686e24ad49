import {
  type EventOf,
  type MasterRecord,
  type Server,
  formatServer,
  includesServer,
  sameServer,
} from "@primacy/contract";

/** What Orchestrator's word comes to for the master of a record that is draining or fenced. */
export interface MasterWord {
  /**
   * The server that a recovery of this very master promoted, where Orchestrator says so; null where none did. Under the
   * name by which proxies know it.
   */
  readonly successor: Server | null;
  /** The outgoing master, by a valid and recent check; `unknown` where there is none. */
  readonly outgoing: "writable" | "read-only" | "unreachable" | "unknown";
  /** Is a recovery of this cluster under way? Its own hook will say how it ended. */
  readonly recovering: boolean;
}

export type ResolveRule =
  | "resolve-not-needed"
  | "resolve-too-early"
  | "resolve-unheard"
  | "resolve-opens-successor"
  | "resolve-waits-for-recovery"
  | "resolve-aborts"
  | "resolve-stays-fenced";

/** How a drain or a fence ends whose closing hook did not come. `stays` is for people: nothing here may guess. */
export type Resolution =
  | { readonly kind: "nothing" | "wait" | "stays"; readonly rule: ResolveRule; readonly reason: string }
  | {
      readonly kind: "event";
      readonly rule: ResolveRule;
      readonly reason: string;
      readonly event: EventOf<"open"> | EventOf<"abort">;
    };

/**
 * What ends a drain or a fence whose deadline has passed: a new master that Orchestrator promoted opens; a master that
 * is still alive and writable by its word opens again, at a higher generation; anything else stays as it is. Pure.
 *
 * The event began when the record's decision did: so it is not stale, and it makes no later event stale either (the
 * closing hook may yet come).
 *
 * @param nowMs milliseconds since 1970
 * @param word null where Orchestrator could not be asked
 * @param promotable the servers that the layout knows as candidates
 */
export function resolve(
  record: MasterRecord,
  word: MasterWord | null,
  nowMs: number,
  promotable: readonly Server[],
): Resolution {
  const master = formatServer(record.master);
  if (record.phase === "open") return say("nothing", "resolve-not-needed", `${master} is open`);
  const left = record.deadline === null ? 0 : Date.parse(record.deadline) - nowMs;
  if (left > 0) {
    return say("wait", "resolve-too-early", `${master} is ${record.phase} until ${record.deadline ?? ""}`);
  }
  if (word === null)
    return say("stays", "resolve-unheard", `${master} stays ${record.phase}: Orchestrator is not heard`);
  if (word.successor !== null) return opens(record, word.successor, promotable);
  if (word.recovering) {
    const reason = `${master} stays ${record.phase}: Orchestrator is recovering the cluster`;
    return say("wait", "resolve-waits-for-recovery", reason);
  }
  if (word.outgoing !== "writable") {
    const reason = `${master} stays ${record.phase}: it is ${word.outgoing}, and no successor is known`;
    return say("stays", "resolve-stays-fenced", reason);
  }
  return {
    kind: "event",
    rule: "resolve-aborts",
    reason: `${master} was ${record.phase}, and is alive, writable and the only master`,
    event: { kind: "abort", outgoing: record.master, ...origin(record) },
  };
}

function opens(record: MasterRecord, successor: Server, promotable: readonly Server[]): Resolution {
  const name = formatServer(successor);
  if (sameServer(successor, record.master) || !includesServer(promotable, successor)) {
    const reason = `Orchestrator names ${name} as the successor, which is no other candidate of the layout`;
    return say("stays", "resolve-stays-fenced", reason);
  }
  return {
    kind: "event",
    rule: "resolve-opens-successor",
    reason: `Orchestrator promoted ${name}, and no hook said so`,
    event: { kind: "open", outgoing: record.master, successor, ...origin(record) },
  };
}

/** The recovery stays the record's own: whoever looks for its hook finds it. */
function origin(record: MasterRecord): Pick<EventOf<"abort">, "cause" | "beganAt"> {
  const { failureType, recoveryUid, command } = record.cause;
  return { cause: { kind: "deadline", failureType, recoveryUid, command }, beganAt: record.decidedAt };
}

function say(kind: "nothing" | "wait" | "stays", rule: ResolveRule, reason: string): Resolution {
  return { kind, rule, reason };
}
