import type { Acknowledgement, Document, Layout, MasterRecord, Members } from "@primacy/contract";
import type { ConsulError } from "./errors.js";

/** How a TLS connection to Consul is verified and made. Paths are read when the store is made. */
export interface TlsOptions {
  readonly caFile?: string | undefined;
  /** A folder of CA certificates. */
  readonly caPath?: string | undefined;
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
  /** The name to expect in the certificate, where it is not the host of the address. */
  readonly serverName?: string | undefined;
  /** Default true. */
  readonly verify?: boolean | undefined;
}

/** Where Consul is and how to speak with it. */
export interface ConsulOptions {
  /**
   * Agents to be asked in turn: `http://…`, `https://…`, `unix:///…` or `host:port`. The last good one is asked
   * first; after any failure the next one.
   */
  readonly addresses: readonly string[];
  readonly token?: string | undefined;
  /** Wins over `token`; read again after a 403, so that a rotated token is picked up. */
  readonly tokenFile?: string | undefined;
  /** `user:password` for HTTP basic authentication. */
  readonly httpAuth?: string | undefined;
  readonly datacenter?: string | undefined;
  readonly namespace?: string | undefined;
  readonly partition?: string | undefined;
  readonly tls?: TlsOptions | undefined;
  /** Prefix of every key, ending in `/`. */
  readonly prefix: string;
  /** Limit of one request to one agent, in milliseconds. Blocking queries have their own. */
  readonly requestTimeoutMs: number;
}

/** Time and chance, given from outside so that tests can give others. */
export interface Environment {
  /** Milliseconds of a clock that never goes back. */
  readonly monotonicNow: () => number;
  /** 0 (included) to 1 (excluded). */
  readonly random: () => number;
  /** Resolves after `ms` milliseconds, or as soon as `signal` is aborted. Never rejects. */
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
}

/** Limits of one call. */
export interface CallOptions {
  /**
   * The call ends this many milliseconds from now at the latest, and until then it is tried again: at the next
   * agent, with jittered back-off. Without it, each agent is asked once.
   */
  readonly deadlineMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Limits of one blocking query. */
export interface WatchCallOptions {
  /** How long Consul may hold the query, in milliseconds (it adds up to a sixteenth of it). */
  readonly waitMs: number;
  readonly signal?: AbortSignal | undefined;
  /** The client's own limit, in milliseconds from now. Default: see `callDeadline`. */
  readonly deadlineMs?: number | undefined;
}

/**
 * The documents of one cluster, all from one read, so of one moment.
 *
 * Each is `absent` where there is no such key, and `unusable` where the key holds garbage, too much, bytes that are
 * not UTF-8, or a document of another cluster.
 */
export interface ClusterSnapshot {
  /** As it stands in keys. */
  readonly cluster: string;
  readonly record: Document<MasterRecord>;
  /** The very text under the master key, valid or not; null where absent or not UTF-8. */
  readonly recordText: string | null;
  /** ModifyIndex of the master key, for the compare-and-set; 0 = absent. */
  readonly recordIndex: number;
  readonly layout: Document<Layout>;
  /** ModifyIndex; 0 = absent. */
  readonly layoutIndex: number;
  readonly members: Document<Members>;
  /** ModifyIndex; 0 = absent. */
  readonly membersIndex: number;
  /** X-Consul-Index: from where a blocking query goes on. */
  readonly index: number;
  /** When the request was sent, on the environment's monotonic clock. Freshness is this, never the arrival. */
  readonly sentAtMs: number;
  /** Consul answered 404: nothing is there. */
  readonly folderEmpty: boolean;
  /**
   * Consul said that the token does not see everything (X-Consul-Results-Filtered-By-ACLs, Consul 1.11 and later;
   * older ones never say so).
   */
  readonly filteredByAcls: boolean;
  /** Which agent answered. */
  readonly address: string;
}

/**
 * How a compare-and-set ended.
 *
 * - `committed`: it was applied, at `index` (ModifyIndex). Known from the answer, or from a consistent read that
 *   found the very text that was sent (for a record also when a later one stands above it: then in the history).
 * - `lost-race`: it was not applied, and it never will be: the key has another index than the expected one, so that
 *   also a request that is still under way somewhere must fail. Read again and decide again.
 * - `not-written`: it was not applied, and no request is under way: nobody could be reached, Consul refused it
 *   (denied, rate limit), or the history already has this generation. `cause` says which.
 * - `unknown`: the deadline ended between a request without an answer and a read that could tell. It may have been
 *   applied, or may yet be; if so, it is this write on this index and no other. Read and compare before anything else.
 */
export type WriteOutcome =
  | { readonly outcome: "committed"; readonly index: number }
  | { readonly outcome: "lost-race" }
  | { readonly outcome: "not-written"; readonly cause: ConsulError }
  | { readonly outcome: "unknown"; readonly cause: ConsulError };

/** A key that is set without comparison in the transaction that commits a record. `key` is the whole key. */
export interface KeyValue {
  readonly key: string;
  readonly value: string;
}

export interface RecordCommit {
  /** `recordIndex` of the snapshot on which the decision was made; 0 = there must be no record. */
  readonly expectedIndex: number;
  readonly record: MasterRecord;
  readonly alsoSet?: readonly KeyValue[] | undefined;
}

/** Write calls have a deadline always. Milliseconds from now. */
export interface WriteOptions {
  readonly deadlineMs: number;
  readonly signal?: AbortSignal | undefined;
}

export interface HistoryEntry {
  /** As the key says. */
  readonly generation: number;
  readonly document: Document<MasterRecord>;
}

export interface HistoryOptions extends CallOptions {
  /** The newest so many (default 50). */
  readonly limit?: number | undefined;
  /** None older than this one. */
  readonly fromGeneration?: number | undefined;
}

export interface SessionOptions {
  readonly name: string;
  /** 10 to 86 400. Consul drops the session between once and twice this after the last renewal. */
  readonly ttlSeconds: number;
  /** What becomes of the keys that the session holds. */
  readonly behavior: "delete" | "release";
  /** 0 to 60. How long nobody gets a lock of a session that was lost. */
  readonly lockDelaySeconds: number;
}

/**
 * - `written`: the key holds this value, and the session holds the key.
 * - `session-gone`: make a new session, and again.
 * - `held-elsewhere`: another session holds the key (the one of this proxy's watcher before it crashed, or a second
 *   watcher with the same proxy name), or the key is in its lock delay. See `takeOver`.
 */
export type AcknowledgeOutcome = "written" | "session-gone" | "held-elsewhere";

export interface AcknowledgeOptions extends CallOptions {
  readonly sessionId: string;
  /** Take the key from whichever session holds it: for the first acknowledgement after a start. Default false. */
  readonly takeOver?: boolean | undefined;
}

export interface AcknowledgementEntry {
  /** As it stands in the key. */
  readonly proxy: string;
  readonly document: Document<Acknowledgement>;
  /** The session that holds the key; null: nobody, so it is not a live watcher's. */
  readonly sessionId: string | null;
  /** ModifyIndex. */
  readonly index: number;
}

/** The acknowledgements of one cluster, all of one moment: who is live, and what they say. */
export interface Roster {
  readonly acknowledgements: readonly AcknowledgementEntry[];
  /** X-Consul-Index. */
  readonly index: number;
  /** When the request was sent, on the environment's monotonic clock. */
  readonly sentAtMs: number;
}

/** As for {@link AcknowledgeOutcome}. */
export type LockOutcome = "acquired" | "session-gone" | "held-elsewhere";

/** A lock as it was read. */
export interface HeldLock {
  /** What its holder wrote last; null where it is not UTF-8. */
  readonly value: string | null;
  /** The session that holds it; null: nobody does. */
  readonly sessionId: string | null;
  /** ModifyIndex: it grows whenever the holder writes another value. */
  readonly index: number;
}

/** By which path of the protocol a snapshot came. */
export type SnapshotSource = "wake-up" | "truth";

/** Why a path has nothing to say, so that whoever follows it holds what it has. */
export type HoldReason =
  /** No answer yet. */
  | "starting"
  /** There is no record, as far as this token can see. */
  | "absent"
  /** 403, or an ACL that Consul doesn't know. */
  | "denied"
  /** No agent answers in time. */
  | "unreachable"
  /** Consul answers that it has no leader, or with another error of its own. */
  | "no-leader"
  /** Something answers, and it isn't Consul as we know it: an HTML page, a rate limit, half an answer. */
  | "unexpected-answer";

export type PathState =
  | { readonly kind: "following" }
  | {
      readonly kind: "holding";
      readonly reason: HoldReason;
      /** One sentence for an operator. */
      readonly problem: string;
      /** Since when, on the monotonic clock. */
      readonly sinceMs: number;
    };

/** How the two paths of a {@link ClusterWatch} are. */
export interface WatchState {
  readonly truth: PathState;
  readonly wakeUp: PathState;
}

export interface ClusterWatchOptions {
  /**
   * Called with every snapshot that differs from the one delivered before. From the wake-up path only what is newer;
   * anything that looks older is first verified. `wentBack`: a consistent read found an older or another history (or
   * none), where a newer one had been delivered. Must not throw.
   */
  readonly onSnapshot: (snapshot: ClusterSnapshot, source: SnapshotSource, wentBack: boolean) => void;
  /** Called when either path begins or ceases to hold, or holds for another reason. Must not throw. */
  readonly onState?: ((state: WatchState) => void) | undefined;
  /** Called after every consistent read that succeeded, changed or not. Must not throw. */
  readonly onVerified?: ((snapshot: ClusterSnapshot) => void) | undefined;
  /** Between two consistent reads, in milliseconds; each is jittered by a quarter. Default 5000. */
  readonly verifyIntervalMs?: number | undefined;
  /** Of a blocking query, in milliseconds; each is jittered by a quarter. Default 30 000. */
  readonly waitMs?: number | undefined;
}
