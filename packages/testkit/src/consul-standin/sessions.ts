import { randomUUID } from "node:crypto";
import { parseDuration } from "./duration.js";

/** What happens to the keys whose lock a session holds when it is gone. */
export type SessionBehavior = "release" | "delete";

/** What a client asks for. */
export interface SessionRequest {
  name: string;
  /** A Go duration, or "" for a session that never expires by itself. */
  ttl: string;
  behavior: SessionBehavior;
  lockDelayMs: number;
  nodeChecks: string[];
}

/** A session as Consul keeps it. */
export interface Session extends SessionRequest {
  id: string;
  createIndex: number;
}

const MAX_TTL_MS = 24 * 3_600_000;

/**
 * Why a TTL is refused, in Consul's words, or undefined.
 *
 * Source: Consul 1.8.7, agent/consul/session_endpoint.go.
 */
export function refuseTtl(ttl: string, minMs: number): string | undefined {
  if (ttl === "") return undefined;
  const milliseconds = parseDuration(ttl);
  if (milliseconds === undefined) return `Session TTL '${ttl}' invalid: time: invalid duration "${ttl}"`;
  if (milliseconds === 0 || (milliseconds >= minMs && milliseconds <= MAX_TTL_MS)) return undefined;
  return `Invalid Session TTL '${milliseconds * 1e6}', must be between [${minMs / 1000}s=24h0m0s]`;
}

/** The sessions and their timers. */
export class Sessions {
  readonly #sessions = new Map<string, Session>();
  readonly #timers = new Map<string, NodeJS.Timeout>();
  readonly #expire: (id: string) => void;
  #index = 0;

  /** @param expire called when a session was not renewed in time; it must end in {@link remove} */
  constructor(expire: (id: string) => void) {
    this.#expire = expire;
  }

  /** The index of the last change to any session, or 0. */
  get index(): number {
    return this.#index;
  }

  get(id: string): Session | undefined {
    return this.#sessions.get(id);
  }

  list(): Session[] {
    return [...this.#sessions.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  create(at: number, request: SessionRequest): Session {
    const session = { ...request, id: randomUUID(), createIndex: at };
    this.#sessions.set(session.id, session);
    this.#index = at;
    this.#restartTimer(session);
    return session;
  }

  /** Starts the time to live anew. Undefined: there is no such session. */
  renew(id: string): Session | undefined {
    const session = this.get(id);
    if (session) this.#restartTimer(session);
    return session;
  }

  remove(at: number, id: string): Session | undefined {
    const session = this.get(id);
    this.#stopTimer(id);
    if (this.#sessions.delete(id)) this.#index = at;
    return session;
  }

  /** Stops all timers. */
  close(): void {
    for (const id of this.#timers.keys()) this.#stopTimer(id);
  }

  #restartTimer(session: Session): void {
    this.#stopTimer(session.id);
    const ttlMs = parseDuration(session.ttl === "" ? "0" : session.ttl) ?? 0;
    // Consul allows twice the TTL as a grace for slow networks: "no promise about the upper bound".
    if (ttlMs > 0)
      this.#timers.set(
        session.id,
        setTimeout(() => this.#expire(session.id), 2 * ttlMs),
      );
  }

  #stopTimer(id: string): void {
    clearTimeout(this.#timers.get(id));
    this.#timers.delete(id);
  }
}
