import type { Roster } from "@primacy/consul-store";
import {
  type Acknowledgement,
  type MasterRecord,
  formatServer,
  leaseBoundMs,
  sameServer,
} from "@primacy/contract";

/** What a barrier waits for. Instants are milliseconds on the waiting process's own monotonic clock. */
export interface BarrierQuestion {
  /** The committed record. */
  readonly record: Pick<
    MasterRecord,
    "generation" | "incarnation" | "phase" | "master" | "writtenAt" | "deadline"
  >;
  /** When the commit was known to have succeeded. */
  readonly committedAtMs: number;
  /** When to give up. */
  readonly giveUpAtMs: number;
  /** The cluster's lease; null where the layout says `keep`. Seconds. */
  readonly leaseSeconds: number | null;
}

/** A proxy that is not waited for any longer, or still is, and why. */
export interface Straggler {
  readonly proxy: string;
  readonly why: string;
}

/**
 * - `reached` by `acknowledgements`: every live watcher has acknowledged.
 * - `reached` by `lease`: those that have not, named in `missing`, cannot be routing any more.
 * - `waiting`: until `untilMs` at the latest, when it becomes something else by itself.
 * - `given-up`: the time is over; whoever is in `missing` may still route as before.
 */
export type Barrier =
  | {
      readonly kind: "reached";
      readonly by: "acknowledgements" | "lease";
      readonly acknowledged: number;
      readonly of: number;
      readonly missing: readonly Straggler[];
    }
  | {
      readonly kind: "waiting" | "given-up";
      readonly acknowledged: number;
      readonly of: number;
      readonly missing: readonly Straggler[];
      /** When time alone changes the answer. */
      readonly untilMs: number;
    };

/**
 * Has every proxy taken up a record? Pure.
 *
 * `roster` is of a consistent read. One that was sent before the commit was known proves nothing: a proxy may have
 * come since, and have read the record before. A later one lists everybody who may still be routing by an older
 * record, because a watcher routes under a lease only by reads that it sent after its own entry was there, and its
 * entry outlives its lease (a session's TTL is longer).
 */
export function barrier(question: BarrierQuestion, roster: Roster | null, nowMs: number): Barrier {
  const known = roster !== null && roster.sentAtMs >= question.committedAtMs ? roster : null;
  const live = (known?.acknowledgements ?? []).filter((one) => one.sessionId !== null);
  const missing =
    known === null
      ? [{ proxy: "*", why: "the acknowledgements could not be read since the commit" }]
      : live.flatMap(({ proxy, document }): Straggler[] => {
          const why =
            document.kind === "valid" ? whyNot(document.value, question, nowMs) : "no acknowledgement";
          return why === null ? [] : [{ proxy, why }];
        });
  const of = live.length;
  const acknowledged = known === null ? 0 : of - missing.length;
  if (missing.length === 0) return { kind: "reached", by: "acknowledgements", acknowledged, of, missing };
  const leaseEndsMs = leaseEnd(question);
  if (nowMs >= leaseEndsMs) return { kind: "reached", by: "lease", acknowledged, of, missing };
  const kind = nowMs >= question.giveUpAtMs ? "given-up" : "waiting";
  const untilMs = Math.min(question.giveUpAtMs, leaseEndsMs, drainEnd(question, nowMs));
  return { kind, acknowledged, of, missing, untilMs };
}

/**
 * From when on the lease alone keeps every proxy from routing to the outgoing master. A drain is nothing that a lease
 * bounds: there, sessions may go on.
 */
function leaseEnd({ record, leaseSeconds, committedAtMs }: BarrierQuestion): number {
  if (leaseSeconds === null || record.phase !== "fenced") return Number.POSITIVE_INFINITY;
  return committedAtMs + leaseBoundMs(leaseSeconds);
}

/** When a drain is over, if that is yet to come. Both instants of the record are the same writer's, so no clock skew. */
function drainEnd({ record, committedAtMs }: BarrierQuestion, nowMs: number): number {
  if (record.phase !== "draining" || record.deadline === null) return Number.POSITIVE_INFINITY;
  const endMs = committedAtMs + Date.parse(record.deadline) - Date.parse(record.writtenAt);
  return endMs > nowMs ? endMs : Number.POSITIVE_INFINITY;
}

/** Why an acknowledgement does not count; null: it does. */
function whyNot(said: Acknowledgement, question: BarrierQuestion, nowMs: number): string | null {
  const { record } = question;
  if (said.incarnation !== record.incarnation) return `follows another history (${said.incarnation})`;
  if (said.generation < record.generation) return `at generation ${String(said.generation)}`;
  if (said.state === "refused" || said.state === "failing")
    return `${said.state}: ${said.reason ?? "no reason given"}`;
  // A later record stands by now: a proxy that has it never goes back.
  if (said.generation > record.generation) return null;
  return whyNotThis(said, question, nowMs);
}

function whyNotThis(said: Acknowledgement, question: BarrierQuestion, nowMs: number): string | null {
  const { record } = question;
  const { writers } = said;
  const right =
    record.phase === "open"
      ? writers.length === 1 && sameServer(writers[0], record.master)
      : writers.length === 0;
  if (!right)
    return `routes writes to ${writers.length === 0 ? "nobody" : writers.map(formatServer).join(", ")}`;
  const overdue = drainEnd(question, nowMs) === Number.POSITIVE_INFINITY;
  if (record.phase === "draining" && said.state !== "drained" && !overdue) {
    return `${String(said.connectionsInUse)} connections to the outgoing master are in use`;
  }
  return null;
}
