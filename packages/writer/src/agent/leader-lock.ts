import type { ConsulStore } from "@primacy/consul-store";
import type { Logger } from "pino";
import { errorText } from "../errors.js";
import type { World } from "../world.js";
import {
  HEARTBEAT_MS,
  type Heartbeat,
  LEADER_LOCK,
  type LockWatch,
  heartbeatText,
  mayLead,
  readHeartbeat,
  standbyStep,
} from "./leadership.js";
import { backoffMs, jitteredMs, sleep } from "@primacy/service";

/** Consul takes none shorter. Seconds. */
const SESSION_TTL_SECONDS = 10;
const RENEW_EVERY_MS = 3000;

export interface LeaderLockParts {
  readonly store: Pick<
    ConsulStore,
    "createSession" | "renewSession" | "destroySession" | "acquireLock" | "readLock"
  >;
  readonly agent: string;
  readonly version: string;
  readonly world: World;
  readonly log: Logger;
  /** What the heartbeat tells. */
  readonly tells: () => Pick<Heartbeat, "clusters" | "held">;
  /** Called when it begins or ceases to lead. */
  readonly onChange: (leads: boolean) => void;
}

/** One agent's hold on the lock of the leader. All instants are the world's `elapsed`. */
export class LeaderLock {
  readonly #parts: LeaderLockParts;
  #session: string | null = null;
  #renewedAtMs = 0;
  #beatAtMs: number | null = null;
  #since = "";
  #watch: LockWatch | null = null;
  #failures = 0;
  #problem: string | null = null;
  #led = false;
  #seenAtMs: number | null = null;
  #leader: string | null = null;

  constructor(parts: LeaderLockParts) {
    this.#parts = parts;
  }

  /** May this agent act now? Asked before every write: a process that was paused finds out here. */
  get leads(): boolean {
    return mayLead(this.#beatAtMs, this.#parts.world.elapsed());
  }

  /** Whose heartbeat was read last; null where nobody leads. */
  get leader(): string | null {
    return this.leads ? this.#parts.agent : this.#leader;
  }

  /** Why Consul's last answer about the lock was none; null where it was one. */
  get problem(): string | null {
    return this.#problem;
  }

  /** Milliseconds since Consul last answered about the lock; null before it ever has. */
  get silentMs(): number | null {
    return this.#seenAtMs === null ? null : this.#parts.world.elapsed() - this.#seenAtMs;
  }

  /** Runs until `signal` is aborted, and then gives the lock up so that another agent need not wait. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const delayMs = await this.#step(signal);
      this.#report();
      await sleep(delayMs, signal);
    }
    await this.#leave();
  }

  async #step(signal: AbortSignal): Promise<number> {
    const { world, log } = this.#parts;
    try {
      await (this.#beatAtMs === null ? this.#stand(signal) : this.#beat(signal));
      this.#seenAtMs = world.elapsed();
      if (this.#failures > 0) log.info({}, "Consul answers about the leader's lock again");
      this.#failures = 0;
      this.#problem = null;
      return jitteredMs(HEARTBEAT_MS, world.random());
    } catch (error) {
      if (signal.aborted) return 0;
      if (this.#failures === 0) log.warn({ err: error }, "Consul does not answer about the leader's lock");
      this.#failures += 1;
      this.#problem = errorText(error);
      return backoffMs(this.#failures, world.random(), 100, HEARTBEAT_MS);
    }
  }

  /** Of the leader: its heartbeat, which also keeps the lock. */
  async #beat(signal: AbortSignal): Promise<void> {
    await this.#keepSession(signal);
    await this.#take(signal);
  }

  /** Of a standby: look at the lock, and take it when it is nobody's or its holder has fallen silent. */
  async #stand(signal: AbortSignal): Promise<void> {
    const { store, world, log } = this.#parts;
    const lock = await store.readLock(LEADER_LOCK, { signal });
    if (lock !== null && lock.sessionId !== null && lock.sessionId === this.#session)
      return this.#beat(signal);
    this.#leader = lock?.sessionId == null ? null : (readHeartbeat(lock.value)?.agent ?? "unknown");
    const step = standbyStep(lock, this.#watch, world.elapsed());
    this.#watch = step.kind === "wait" ? step.watch : null;
    if (step.kind === "wait") return;
    if (step.kind === "take-over") {
      log.warn(
        { leader: this.#leader, silentMs: Math.round(step.silentMs) },
        "the leader has fallen silent: taking over",
      );
      await store.destroySession(step.sessionId, { signal });
    }
    await this.#keepSession(signal);
    await this.#take(signal);
  }

  async #take(signal: AbortSignal): Promise<void> {
    const { store, agent, version, world, tells } = this.#parts;
    if (this.#session === null) return;
    const sentAtMs = world.elapsed();
    const at = new Date(world.now()).toISOString();
    const since = this.#beatAtMs === null ? at : this.#since;
    const text = heartbeatText({ agent, since, at, version, ...tells() });
    const outcome = await store.acquireLock(LEADER_LOCK, text, this.#session, { signal });
    if (outcome === "session-gone") this.#session = null;
    this.#beatAtMs = outcome === "acquired" ? sentAtMs : null;
    if (outcome === "acquired") this.#since = since;
  }

  async #keepSession(signal: AbortSignal): Promise<void> {
    const { store, agent, world } = this.#parts;
    const now = world.elapsed();
    if (this.#session !== null && now - this.#renewedAtMs < RENEW_EVERY_MS) return;
    if (this.#session !== null && !(await store.renewSession(this.#session, { signal })))
      this.#session = null;
    this.#session ??= await store.createSession(
      {
        name: `primacy-agent ${agent}`,
        ttlSeconds: SESSION_TTL_SECONDS,
        behavior: "release",
        lockDelaySeconds: 0,
      },
      { signal },
    );
    this.#renewedAtMs = now;
  }

  #report(): void {
    const { leads } = this;
    if (leads === this.#led) return;
    this.#led = leads;
    this.#parts.log.info({ leads }, leads ? "leading" : "standing by");
    this.#parts.onChange(leads);
  }

  async #leave(): Promise<void> {
    this.#beatAtMs = null;
    this.#report();
    if (this.#session === null) return;
    try {
      await this.#parts.store.destroySession(this.#session, { deadlineMs: 2000 });
    } catch (error) {
      this.#parts.log.warn({ err: error }, "the lock could not be given up; it ends with the session's TTL");
    }
  }
}
