import { type Acknowledgement, type Phase, type Server, formatServer } from "@primacy/contract";
import type { RefusalReason } from "./admission.js";
import type { Conflict } from "./ownership.js";

/** How one pass over one cluster on one ProxySQL ended. */
export type Outcome =
  /** Nothing to go by: the layout that is there stays. */
  | { readonly kind: "held"; readonly reason: string }
  | {
      readonly kind: "refused";
      readonly refusal: RefusalReason;
      readonly reason: string;
      readonly record: RecordName;
      readonly writers: readonly Server[];
    }
  /** Somebody else owns the hostgroups. `writers`: as for {@link Verified}, though nobody has verified them. */
  | {
      readonly kind: "conflict";
      readonly conflicts: readonly Conflict[];
      readonly record: RecordName;
      readonly writers: readonly Server[];
    }
  /** It was to be applied and something went wrong; it will be tried again. */
  | { readonly kind: "failed"; readonly code: string; readonly reason: string; readonly record: RecordName }
  /** The runtime shows what the record asks for. */
  | ({ readonly kind: "applied" } & Verified)
  /** The runtime was verified, and nobody takes writes in it although the record names an open master. */
  | ({
      readonly kind: "withheld";
      readonly reason: string;
      /** Were sessions killed that kept the master out? */
      readonly killed: boolean;
    } & Verified);

/** What was seen of the runtime. */
export interface Verified {
  readonly record: RecordName;
  /** ONLINE servers in the writer hostgroup of the runtime. */
  readonly writers: readonly Server[];
  /** Connections in use on servers of the writer hostgroup that must have none. */
  readonly connectionsInUse: number;
  /** One sentence a difference that was found; empty when all was as wanted. */
  readonly differences: readonly string[];
  readonly loaded: boolean;
  readonly isNew: boolean;
  /** From the moment the record was seen to the verified runtime, milliseconds; null where nothing was loaded. */
  readonly tookMs: number | null;
  /** Why the layout is not on ProxySQL's disk, or the mark not on ours; null when all is. */
  readonly notDurable: string | null;
  readonly pendingEditsOfOthers: readonly string[];
  readonly warnings: readonly string[];
}

/** Which record an outcome speaks of. */
export interface RecordName {
  readonly generation: number;
  readonly incarnation: string;
  readonly phase: Phase;
}

/** What an acknowledgement needs besides the outcome. */
export interface AcknowledgementContext {
  readonly proxy: string;
  readonly cluster: string;
  readonly appliedGeneration: number;
  /** ISO 8601 with milliseconds. */
  readonly at: string;
  readonly watcher: string;
}

/** The acknowledgement that an outcome gives; null while there is no record to speak of. Pure. */
export function acknowledgementOf(outcome: Outcome, context: AcknowledgementContext): Acknowledgement | null {
  if (outcome.kind === "held") return null;
  const { proxy, cluster, appliedGeneration, at, watcher } = context;
  const common = { format: 1 as const, proxy, cluster, appliedGeneration, at, watcher, ...outcome.record };
  const nothing = { writers: [], connectionsInUse: 0, tookMs: null };
  switch (outcome.kind) {
    case "refused":
      return {
        ...common,
        ...nothing,
        state: "refused",
        reason: cut(`${outcome.refusal}: ${outcome.reason}`),
      };
    case "conflict":
      return { ...common, ...nothing, state: "failing", reason: cut(conflictText(outcome.conflicts)) };
    case "failed":
      return { ...common, ...nothing, state: "failing", reason: cut(`${outcome.code}: ${outcome.reason}`) };
    case "withheld":
      return {
        ...common,
        ...nothing,
        writers: [...outcome.writers],
        connectionsInUse: outcome.connectionsInUse,
        state: "failing",
        reason: cut(`withheld: ${outcome.reason}`),
      };
    case "applied":
      return {
        ...common,
        state: appliedState(outcome.record.phase, outcome.connectionsInUse),
        writers: [...outcome.writers],
        connectionsInUse: outcome.connectionsInUse,
        tookMs: outcome.tookMs,
        reason: outcome.notDurable === null ? null : cut(outcome.notDurable),
      };
  }
}

function appliedState(phase: Phase, connectionsInUse: number): "applied" | "draining" | "drained" {
  if (phase !== "draining") return "applied";
  return connectionsInUse > 0 ? "draining" : "drained";
}

/** All conflicts in one sentence, each with the statement that ends it. */
export function conflictText(conflicts: readonly Conflict[]): string {
  return conflicts.map((one) => `${one.reason}; to resolve: ${one.resolve}`).join(" | ");
}

/** What a pass came to, for the log and `/readyz`. */
export function sentenceOf(outcome: Outcome): string {
  switch (outcome.kind) {
    case "held":
      return `holding the layout: ${outcome.reason}`;
    case "refused":
      return `refused generation ${String(outcome.record.generation)}: ${outcome.reason}`;
    case "conflict":
      return `not applied, because something else owns the hostgroups: ${conflictText(outcome.conflicts)}`;
    case "failed":
      return `generation ${String(outcome.record.generation)} is not applied: ${outcome.reason}`;
    case "withheld":
      return (
        `generation ${String(outcome.record.generation)} ${outcome.record.phase}: nobody takes writes here, ` +
        outcome.reason
      );
    case "applied": {
      const writers = outcome.writers.length === 0 ? "nobody" : outcome.writers.map(formatServer).join(", ");
      const lingering =
        outcome.connectionsInUse > 0 ? `, ${String(outcome.connectionsInUse)} connections linger` : "";
      const durable = outcome.notDurable === null ? "" : ` (not durable: ${outcome.notDurable})`;
      return `generation ${String(outcome.record.generation)} ${outcome.record.phase}: ${writers} takes writes${lingering}${durable}`;
    }
  }
}

/** Does this acknowledgement say something else than the last one? When and how long are not news. */
export function saysTheSame(a: Acknowledgement | null, b: Acknowledgement): boolean {
  if (a === null) return false;
  const bare = (one: Acknowledgement): string => JSON.stringify({ ...one, at: "", tookMs: 0 });
  return bare(a) === bare(b);
}

function cut(text: string): string {
  return text.length > 2000 ? `${text.slice(0, 1997)}...` : text;
}
