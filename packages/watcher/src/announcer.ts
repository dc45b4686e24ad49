import { hostname } from "node:os";
import { ConsulError, type ConsulStore } from "@primacy/consul-store";
import { type Acknowledgement, SESSION_TTL_SECONDS } from "@primacy/contract";
import type { Logger } from "pino";
import { saysTheSame } from "./outcome.js";
import { Alarm, type Clock, backoffMs, jitteredMs } from "./timing.js";

/** How often an acknowledgement is written that is not news. Milliseconds. */
const REWRITE_MS = 20_000;

/** What a lease needs to know of the session. Milliseconds on the monotonic clock. */
export interface Presence {
  /** When the newest renewal (or the creation) that succeeded was sent; null: there is no session. */
  readonly renewedSentAtMs: number | null;
  /** Since when the cluster's acknowledgement has been known to lie in Consul under this session; null: it isn't. */
  readonly presentSinceMs: number | null;
}

class OtherWatcherError extends Error {
  override readonly name = "OtherWatcherError";

  constructor(proxy: string) {
    super(`another watcher acknowledges as proxy "${proxy}": each ProxySQL needs a name of its own`);
  }
}

/** Consul answers, and says no: people must mend that. A token may have the right to write some clusters' keys. */
function isRefusal(error: unknown): error is Error {
  if (error instanceof OtherWatcherError) return true;
  return error instanceof ConsulError && (error.code === "CONSUL_DENIED" || error.code === "CONSUL_REFUSED");
}

/**
 * Keeps the watcher's Consul session alive and its acknowledgements written. They hang on the session: a watcher that
 * dies takes them along, and nobody waits for it longer than Consul needs to notice (once to twice the TTL).
 *
 * It runs beside the passes, so that a slow Consul never holds up ProxySQL.
 */
export class Announcer {
  readonly #wanted = new Map<string, Acknowledgement>();
  readonly #written = new Map<string, Acknowledgement>();
  readonly #alarm = new Alarm();
  readonly #onPresent = new Map<string, () => void>();
  readonly #rewriteAtMs = new Map<string, number>();
  readonly #presentSince = new Map<string, number>();
  /** Why a cluster's acknowledgement is refused. */
  readonly #refusals = new Map<string, string>();
  #sessionRefusal: string | null = null;
  /** Clusters under a lease, with its length in milliseconds. */
  readonly #leases = new Map<string, number>();
  #session: string | null = null;
  #renewedSentAtMs: number | null = null;
  #renewAtMs = 0;
  #failures = 0;

  constructor(
    private readonly store: ConsulStore,
    private readonly proxy: string,
    private readonly clock: Clock,
    private readonly log: Logger,
  ) {}

  get hasSession(): boolean {
    return this.#session !== null;
  }

  presence(cluster: string): Presence {
    if (this.#session === null) return { renewedSentAtMs: null, presentSinceMs: null };
    return {
      renewedSentAtMs: this.#renewedSentAtMs,
      presentSinceMs: this.#presentSince.get(cluster) ?? null,
    };
  }

  /** Why Consul takes no acknowledgement of this cluster from here, so that no writer waits for this proxy; or null. */
  refusal(cluster: string): string | null {
    return this.#sessionRefusal ?? this.#refusals.get(cluster.toLowerCase()) ?? null;
  }

  /** Calls back as soon as the cluster's acknowledgement lies in Consul under a new session. */
  onPresent(cluster: string, callback: () => void): void {
    this.#onPresent.set(cluster, callback);
  }

  /** The length of a cluster's lease, milliseconds; null: it has none. The session is renewed often enough for all. */
  setLease(cluster: string, leaseMs: number | null): void {
    if (leaseMs === null) this.#leases.delete(cluster);
    else if (this.#leases.get(cluster) !== leaseMs) {
      this.#leases.set(cluster, leaseMs);
      this.#renewAtMs = Math.min(this.#renewAtMs, this.clock.monotonicNow() + leaseMs / 4);
      this.#alarm.ring();
    }
  }

  announce(acknowledgement: Acknowledgement): void {
    this.#wanted.set(acknowledgement.cluster.toLowerCase(), acknowledgement);
    this.#alarm.ring();
  }

  /** Runs until `signal` is aborted; then it gives the session up, so that nobody waits for this watcher. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#alarm.sleep(await this.#step(signal), signal);
    }
    await this.#leave();
  }

  /** Does what is due and says in how many milliseconds the next thing is. */
  async #step(signal: AbortSignal): Promise<number> {
    try {
      await this.#keepSession(signal);
      this.#sessionRefusal = null;
      const refused = await this.#writeAll(signal);
      const renewInMs = Math.max(0, this.#renewAtMs - this.clock.monotonicNow());
      // The others' leases hang on the session: it does not wait for the one that is refused.
      if (refused !== null) return Math.min(this.#failed(refused), renewInMs);
      if (this.#failures > 0) this.log.info("acknowledgements reach Consul again");
      this.#failures = 0;
      return renewInMs;
    } catch (error) {
      if (signal.aborted) return 0;
      if (isRefusal(error)) this.#sessionRefusal = error.message;
      return this.#failed(error);
    }
  }

  /** Says it once, and in how many milliseconds to try again. */
  #failed(error: unknown): number {
    if (this.#failures === 0) this.log.warn({ err: error }, "acknowledgements do not reach Consul");
    this.#failures += 1;
    return backoffMs(this.#failures, this.clock.random());
  }

  /** Writes what is due. Returns why one of them was refused, or null; rejects with what would keep the others out too. */
  async #writeAll(signal: AbortSignal): Promise<Error | null> {
    let refused: Error | null = null;
    for (const [cluster, acknowledgement] of this.#wanted) {
      try {
        await this.#write(cluster, acknowledgement, signal);
        this.#refusals.delete(cluster);
      } catch (error) {
        if (!isRefusal(error)) throw error;
        this.#refusals.set(cluster, error.message);
        refused = error;
      }
    }
    return refused;
  }

  async #keepSession(signal: AbortSignal): Promise<void> {
    const now = this.clock.monotonicNow();
    if (this.#session !== null && now < this.#renewAtMs) return;
    if (this.#session === null || !(await this.store.renewSession(this.#session, { signal }))) {
      this.#forgetSession();
      this.#session = await this.store.createSession(
        {
          name: `primacy-watcher ${this.proxy} on ${hostname()}`,
          ttlSeconds: SESSION_TTL_SECONDS,
          behavior: "delete",
          lockDelaySeconds: 0,
        },
        { signal },
      );
    }
    // `now` was before the call: an answer may have waited anywhere.
    this.#renewedSentAtMs = now;
    this.#renewAtMs = now + jitteredMs(this.#renewIntervalMs, this.clock.random());
  }

  get #renewIntervalMs(): number {
    return Math.min((SESSION_TTL_SECONDS * 1000) / 3, ...[...this.#leases.values()].map((one) => one / 4));
  }

  #forgetSession(): void {
    this.#session = null;
    this.#renewedSentAtMs = null;
    this.#written.clear();
    this.#presentSince.clear();
  }

  async #write(cluster: string, acknowledgement: Acknowledgement, signal: AbortSignal): Promise<void> {
    if (this.#session === null || !this.#isDue(cluster, acknowledgement)) return;
    const outcome = await this.store.acknowledge(cluster, this.proxy, acknowledgement, {
      sessionId: this.#session,
      takeOver: !this.#written.has(cluster),
      signal,
    });
    if (outcome === "written") {
      this.#written.set(cluster, acknowledgement);
      this.#rewriteAtMs.set(cluster, this.clock.monotonicNow() + REWRITE_MS);
      if (!this.#presentSince.has(cluster)) {
        this.#presentSince.set(cluster, this.clock.monotonicNow());
        this.#onPresent.get(cluster)?.();
      }
      return;
    }
    if (outcome === "session-gone") {
      this.#forgetSession();
      throw new Error("the Consul session is gone");
    }
    // The writer sees the other one there, and waits for that one.
    this.#presentSince.delete(cluster);
    throw new OtherWatcherError(this.proxy);
  }

  /**
   * Also what was written is written again after a while: a request that was given up may have been applied later, over
   * it (observed, Consul 1.8.7), and nobody would know. The same again changes nothing in Consul and wakes nobody.
   */
  #isDue(cluster: string, acknowledgement: Acknowledgement): boolean {
    const rewriteAtMs = this.#rewriteAtMs.get(cluster) ?? Number.NEGATIVE_INFINITY;
    return (
      !saysTheSame(this.#written.get(cluster) ?? null, acknowledgement) ||
      this.clock.monotonicNow() >= rewriteAtMs
    );
  }

  async #leave(): Promise<void> {
    if (this.#session === null) return;
    if (this.#leases.size > 0) {
      // The layout stays, and ProxySQL routes by it until the guard finds the lease over: the writer must see us so long.
      this.log.info("the Consul session is left to end with its TTL: this ProxySQL is under a lease");
      return;
    }
    try {
      await this.store.destroySession(this.#session, { deadlineMs: 2000 });
    } catch (error) {
      this.log.warn({ err: error }, "the Consul session could not be given up; it ends with its TTL");
    }
  }
}
