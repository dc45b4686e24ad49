import type { Hostgroups } from "../hostgroups/hostgroups.js";
import { ServerLink } from "../wire/server-link.js";
import type { Backend } from "./backend.js";
import { isTiedForGood } from "./session-flags.js";

/** The backend connections that a session holds, one for each hostgroup at most. */
export class Slots {
  readonly #held = new Map<number, Backend>();
  readonly #hostgroups: Hostgroups<Backend>;
  /** Called when a connection breaks that the session holds and does not use just now. */
  readonly #onBroken: () => void;

  constructor(hostgroups: Hostgroups<Backend>, onBroken: () => void) {
    this.#hostgroups = hostgroups;
    this.#onBroken = onBroken;
  }

  get(hostgroup: number): Backend | undefined {
    return this.#held.get(hostgroup);
  }

  /** The hostgroup where a transaction is open, if there is one. */
  get inTransaction(): number | undefined {
    return [...this.#held].find(([, backend]) => backend.inTransaction)?.[0];
  }

  /** Takes the connection out while a statement runs on it. */
  take(hostgroup: number): Backend | undefined {
    const backend = this.#held.get(hostgroup);
    this.#held.delete(hostgroup);
    return backend;
  }

  /** The session goes on holding the connection. */
  hold(hostgroup: number, backend: Backend): void {
    this.#held.set(hostgroup, backend);
    backend.idleSince = Date.now();
    backend.link.onClose = () => {
      this.#hostgroups.pool.forget(backend);
      if (this.#held.get(hostgroup) === backend) this.#onBroken();
    };
    if (backend.link.closed) backend.link.onClose();
  }

  /** The session is done with it: free for the next one. */
  release(backend: Backend): void {
    backend.link.onClose = () => this.#hostgroups.pool.forget(backend);
    if (!backend.link.closed) this.#hostgroups.release(backend);
  }

  /** Gives back what is only held because of warnings: the next statement is another one. */
  releaseWarned(): void {
    for (const [hostgroup, backend] of this.#held) {
      if (!backend.ties.warnings) continue;
      backend.ties = { ...backend.ties, warnings: false };
      if (!backend.bound) this.#letGo(hostgroup, backend);
    }
  }

  /** Gives back what has waited long enough after an auto-increment INSERT. */
  releaseDelayed(timeoutMs: number): void {
    for (const [hostgroup, backend] of this.#held) {
      const waited = Date.now() - backend.idleSince > timeoutMs;
      const onlyDelayed =
        backend.ties.delayedStatements > 0 && !isTiedForGood(backend.ties) && !backend.inTransaction;
      if (!waited || !onlyDelayed) continue;
      backend.ties = { ...backend.ties, delayedStatements: 0 };
      this.#letGo(hostgroup, backend);
    }
  }

  /** The session ends: its connections are cleaned and given back, or closed where their server is not ONLINE. */
  async recycle(): Promise<void> {
    const held = [...this.#held.values()];
    this.#held.clear();
    await Promise.all(held.map((backend) => this.#clean(backend)));
  }

  async #clean(backend: Backend): Promise<void> {
    backend.link.onClose = () => this.#hostgroups.pool.forget(backend);
    const online = this.#hostgroups.server(backend.serverId)?.status === "ONLINE";
    try {
      if (online) await backend.reset();
      this.release(backend);
    } catch {
      backend.link.destroy();
    }
  }

  #letGo(hostgroup: number, backend: Backend): void {
    this.#held.delete(hostgroup);
    this.release(backend);
  }
}

/** Sends KILL QUERY or KILL CONNECTION for a backend connection, over another one. */
export async function killOn(
  hostgroups: Hostgroups<Backend>,
  backend: Backend,
  what: "QUERY" | "CONNECTION",
  key: Buffer,
): Promise<void> {
  const server = hostgroups.server(backend.serverId);
  if (!server) return;
  const link = new ServerLink(server.hostname, server.port);
  try {
    await link.login({ user: backend.user, key, database: "", timeoutMs: 1000 });
    await link.execute(`KILL ${what} ${backend.link.threadId}`);
    link.quit();
  } catch {
    // As ProxySQL: it tries once, and a server that can't be reached has nothing to kill.
    link.destroy();
  }
}
