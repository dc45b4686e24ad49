import type { Layout } from "@primacy/contract";
import type { Presence } from "./announcer.js";
import { type LeaseEntry, leaseIsOver } from "./lease-entries.js";
import type { LeaseFacts, LeasePolicy } from "./lease.js";

/** What a lease is kept for. */
export interface Followed extends LeasePolicy {
  readonly writerHostgroup: number;
}

/** Both clocks, read at one moment. Milliseconds. */
export interface BothClocks {
  readonly monotonicMs: number;
  readonly wallMs: number;
}

/** Of so many records the reads are kept; more than two hardly ever matter. */
const MOST_RECORDS = 16;

/**
 * What is known of one cluster's lease: which records consistent reads have shown, and when they were sent; which record
 * ProxySQL shows; what the process before this one left. Instants are milliseconds on the monotonic clock. No clock, no
 * timer and no socket: the keeper has those.
 */
export class LeaseLedger {
  #followed: Followed | null = null;
  /** Hash of a record → when the newest consistent read was sent that showed it. */
  readonly #reads = new Map<string, number>();
  #inForce: string | null;
  #inheritedUntilMs: number | null = null;

  /** `inForce`: hash of the record that this ProxySQL is remembered to have had last; null: of none. */
  constructor(inForce: string | null) {
    this.#inForce = inForce;
  }

  /** Null where there has been no layout yet: nobody has asked for a lease. */
  get followed(): Followed | null {
    return this.#followed;
  }

  /** Hash of the record that ProxySQL was last verified to show; null: not known. */
  get inForce(): string | null {
    return this.#inForce;
  }

  /** When the newest read of all was sent; -Infinity: there was none. */
  get newestReadMs(): number {
    return Math.max(Number.NEGATIVE_INFINITY, ...this.#reads.values());
  }

  /** What the lease of one record hangs on: of those that have been read, only the newest one's is renewed. */
  factsOf(hash: string | null, presence: Presence): LeaseFacts {
    return {
      ...presence,
      readSentAtMs: hash === null ? null : (this.#reads.get(hash) ?? null),
      inheritedUntilMs: this.#inheritedUntilMs,
    };
  }

  /**
   * What the process before this one left: its lease holds to its end, so that a watcher can be replaced without a gap,
   * and then ends here too, also where Consul never answers. Its Consul session is still there: it was not given up.
   */
  inherit(entry: LeaseEntry, { monotonicMs, wallMs }: BothClocks): void {
    const { writerHostgroup, leaseSeconds } = entry;
    const nowSeconds = wallMs / 1000;
    this.#followed = { onConsulLoss: "lease", leaseSeconds, writerHostgroup };
    if (leaseIsOver(entry, nowSeconds)) return;
    const leftMs = Math.min(entry.untilSeconds - nowSeconds, leaseSeconds) * 1000;
    this.#inheritedUntilMs = monotonicMs + leftMs;
  }

  /** The layout as it now is. A cluster that begins to ask for a lease has one lease's time to get it. */
  followLayout(layout: Layout, monotonicMs: number): void {
    const { onConsulLoss, leaseSeconds } = layout;
    if (onConsulLoss === "lease" && this.#followed?.onConsulLoss === "keep") {
      this.#inheritedUntilMs = monotonicMs + leaseSeconds * 1000;
    }
    this.#followed = { onConsulLoss, leaseSeconds, writerHostgroup: layout.hostgroups.writer };
  }

  /**
   * The record of hash `next` follows that of hash `before`, a generation or more later. A read that showed the one from
   * before has shown nothing later than this one either, so that a new record need not wait for a read of its own.
   */
  followRecord(before: string, next: string): void {
    const readSentAtMs = this.#reads.get(before);
    if (readSentAtMs !== undefined && !this.#reads.has(next)) this.#reads.set(next, readSentAtMs);
  }

  /** A consistent read, sent then, has shown the record of this hash. */
  noteRead(hash: string, sentAtMs: number): void {
    if (this.#reads.size > MOST_RECORDS) {
      for (const old of this.#reads.keys()) if (old !== this.#inForce) this.#reads.delete(old);
    }
    this.#reads.set(hash, Math.max(this.#reads.get(hash) ?? Number.NEGATIVE_INFINITY, sentAtMs));
  }

  /** ProxySQL was verified to show the record of this hash, or nobody in its place. True: that is news. */
  noteInForce(hash: string): boolean {
    const isNews = hash !== this.#inForce;
    this.#inForce = hash;
    return isNews;
  }

  /** What Consul shows is not followed here: no read of it counts. */
  noteRefused(hash: string): void {
    this.#reads.delete(hash);
    this.#inheritedUntilMs = null;
  }
}
