import type { MasterRecord, Sha256 } from "./record.js";
import type { RuleId } from "./rules.js";

/** A record and the text under which it lies in Consul. */
export interface StoredRecord {
  readonly value: MasterRecord;
  readonly text: string;
}

/** What a new record needs that a decision must not make up itself. */
export interface WriteContext {
  readonly cluster: string;
  /** Now, as ISO 8601 with milliseconds. */
  readonly now: string;
  readonly writtenBy: string;
  readonly writeId: string;
  /** Taken by `bootstrap` only. */
  readonly newIncarnation: string;
  readonly drainSeconds: number;
  readonly fenceSeconds: number;
  readonly sha256: Sha256;
}

/** Why an event was refused: `stale` (it is older than what stands), `contradictory`, or `no-record`. */
export type Refusal = "stale" | "contradictory" | "no-record";

/** What an event does to a record. `reason` is one sentence, for the log and for people. */
export type Decision =
  | { readonly kind: "write"; readonly rule: RuleId; readonly reason: string; readonly record: MasterRecord }
  | {
      readonly kind: "nothing";
      readonly rule: RuleId;
      readonly reason: string;
      readonly record: MasterRecord;
    }
  | { readonly kind: "refuse"; readonly rule: RuleId; readonly reason: string; readonly refusal: Refusal };

export function write(rule: RuleId, reason: string, record: MasterRecord): Decision {
  return { kind: "write", rule, reason, record };
}

export function nothing(rule: RuleId, reason: string, record: MasterRecord): Decision {
  return { kind: "nothing", rule, reason, record };
}

export function refuse(rule: RuleId, refusal: Refusal, reason: string): Decision {
  return { kind: "refuse", rule, refusal, reason };
}
