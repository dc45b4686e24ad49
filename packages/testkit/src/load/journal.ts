import type { ClientKind } from "./options.js";

/** Rows, reads and failures that are kept; a load that has more ends. */
const MAX_ENTRIES = 1_000_000;

/** Why a statement or a connection failed. */
export interface Failure {
  /** Milliseconds since 1970. */
  atMs: number;
  proxy: string;
  client: string;
  statement: "connect" | "insert" | "begin" | "commit" | "select" | "set";
  /** The error number that came in an error packet; null where the connection ended, or nothing came at all. */
  errno: number | null;
  /** mysql2's name of the error, such as ER_OPTION_PREVENTS_STATEMENT or PROTOCOL_CONNECTION_LOST. */
  code: string;
}

/** One id that a client tried to store, once. Times are milliseconds since 1970. */
export interface WriteRecord {
  id: number;
  proxy: string;
  client: string;
  kind: ClientKind;
  sentAtMs: number;
  /** When its statement, or the COMMIT of its transaction, was answered OK; null where it was not. */
  acknowledgedAtMs: number | null;
  /** What was answered instead. Null while under way, and where nobody ever answered. */
  failure: Failure | null;
}

/** One read that was answered. */
export interface ReadRecord {
  proxy: string;
  client: string;
  sentAtMs: number;
  answeredAtMs: number;
  /** `server_id` of the server that ran the query. */
  serverId: number;
}

/** Everything that happened to a load's clients. */
export interface LoadReport {
  startedAtMs: number;
  stoppedAtMs: number;
  writes: readonly WriteRecord[];
  reads: readonly ReadRecord[];
  failures: readonly Failure[];
}

/** What a load has done so far. */
export interface LoadSnapshot {
  atMs: number;
  /** Clients that have a session now. */
  connected: number;
  acknowledged: number;
  /** The same by the target's name. */
  acknowledgedBy: Readonly<Record<string, number>>;
  failed: number;
  reads: number;
  /** Since the last acknowledged write of any client, or since the start. Milliseconds. */
  sinceAcknowledgedMs: number;
  /** The longest time between two acknowledged writes so far, the present one included. Milliseconds. */
  longestGapMs: number;
}

/** Takes notes of a load. */
export class Journal {
  readonly writes: WriteRecord[] = [];
  readonly reads: ReadRecord[] = [];
  readonly failures: Failure[] = [];
  readonly #startedAtMs: number;
  #connected = 0;
  #acknowledged = 0;
  readonly #acknowledgedBy: Record<string, number> = {};
  #lastAcknowledgedMs: number;
  #longestGapMs = 0;

  constructor(startedAtMs: number) {
    this.#startedAtMs = startedAtMs;
    this.#lastAcknowledgedMs = startedAtMs;
  }

  get isFull(): boolean {
    return this.writes.length + this.reads.length + this.failures.length >= MAX_ENTRIES;
  }

  connected(change: 1 | -1): void {
    this.#connected += change;
  }

  /** An id is about to be sent. */
  sent(write: Pick<WriteRecord, "id" | "proxy" | "client" | "kind" | "sentAtMs">): WriteRecord {
    const record: WriteRecord = { ...write, acknowledgedAtMs: null, failure: null };
    this.writes.push(record);
    return record;
  }

  acknowledged(records: readonly WriteRecord[], atMs: number): void {
    for (const record of records) {
      record.acknowledgedAtMs = atMs;
      this.#acknowledgedBy[record.proxy] = (this.#acknowledgedBy[record.proxy] ?? 0) + 1;
    }
    this.#acknowledged += records.length;
    this.#longestGapMs = Math.max(this.#longestGapMs, atMs - this.#lastAcknowledgedMs);
    this.#lastAcknowledgedMs = Math.max(this.#lastAcknowledgedMs, atMs);
  }

  failed(failure: Failure, records: readonly WriteRecord[] = []): void {
    for (const record of records) record.failure = failure;
    this.failures.push(failure);
  }

  snapshot(nowMs: number): LoadSnapshot {
    const sinceAcknowledgedMs = nowMs - this.#lastAcknowledgedMs;
    return {
      atMs: nowMs,
      connected: this.#connected,
      acknowledged: this.#acknowledged,
      acknowledgedBy: { ...this.#acknowledgedBy },
      failed: this.failures.length,
      reads: this.reads.length,
      sinceAcknowledgedMs,
      longestGapMs: Math.max(this.#longestGapMs, sinceAcknowledgedMs),
    };
  }

  report(stoppedAtMs: number): LoadReport {
    const { writes, reads, failures } = this;
    return { startedAtMs: this.#startedAtMs, stoppedAtMs, writes, reads, failures };
  }
}
