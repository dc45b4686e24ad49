import { hostname } from "node:os";
import type { ConsulStore } from "@primacy/consul-store";
import type { Acknowledgement } from "@primacy/contract";
import type { Logger } from "pino";
import { saysTheSame } from "./outcome.js";
import { Alarm, type Clock, backoffMs, jitteredMs } from "./timing.js";

/** A Consul session must live for 10 s at least. */
export const SESSION_TTL_SECONDS = 15;

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
  #session: string | null = null;
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
      for (const [cluster, acknowledgement] of this.#wanted)
        await this.#write(cluster, acknowledgement, signal);
      if (this.#failures > 0) this.log.info("acknowledgements reach Consul again");
      this.#failures = 0;
      return Math.max(0, this.#renewAtMs - this.clock.monotonicNow());
    } catch (error) {
      if (signal.aborted) return 0;
      if (this.#failures === 0) this.log.warn({ err: error }, "acknowledgements do not reach Consul");
      this.#failures += 1;
      return backoffMs(this.#failures, this.clock.random());
    }
  }

  async #keepSession(signal: AbortSignal): Promise<void> {
    const now = this.clock.monotonicNow();
    if (this.#session !== null && now < this.#renewAtMs) return;
    if (this.#session === null || !(await this.store.renewSession(this.#session, { signal }))) {
      this.#written.clear();
      this.#session = null;
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
    this.#renewAtMs = now + jitteredMs((SESSION_TTL_SECONDS * 1000) / 3, this.clock.random());
  }

  async #write(cluster: string, acknowledgement: Acknowledgement, signal: AbortSignal): Promise<void> {
    if (this.#session === null || saysTheSame(this.#written.get(cluster) ?? null, acknowledgement)) return;
    const outcome = await this.store.acknowledge(cluster, this.proxy, acknowledgement, {
      sessionId: this.#session,
      takeOver: !this.#written.has(cluster),
      signal,
    });
    if (outcome === "written") {
      this.#written.set(cluster, acknowledgement);
      return;
    }
    if (outcome === "session-gone") {
      this.#session = null;
      throw new Error("the Consul session is gone");
    }
    throw new Error(
      `another watcher acknowledges as proxy "${this.proxy}": each ProxySQL needs a name of its own`,
    );
  }

  async #leave(): Promise<void> {
    if (this.#session === null) return;
    try {
      await this.store.destroySession(this.#session, { deadlineMs: 2000 });
    } catch (error) {
      this.log.warn({ err: error }, "the Consul session could not be given up; it ends with its TTL");
    }
  }
}
