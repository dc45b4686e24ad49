import { KvTable } from "./kv-table.js";
import { type Session, type SessionRequest, Sessions } from "./sessions.js";

const MAX_LOCK_DELAY_MS = 60_000;

/** Everything that the stand-in knows, and the one place where it changes. */
export class ConsulState {
  readonly sessions: Sessions;
  #kv = new KvTable();
  /** Consul's raft log: every command takes the next index, whether it changes anything or not. */
  #raftIndex = 10;
  /** Until when (ms, monotonic) a key may not be locked, after its session was taken away. */
  readonly #lockDelays = new Map<string, number>();
  readonly #watchers = new Set<() => void>();

  constructor() {
    this.sessions = new Sessions((id) => this.destroySession(id));
  }

  get kv(): KvTable {
    return this.#kv;
  }

  /**
   * Runs a command on the keys with the next raft index and wakes those who wait. A command that throws or answers
   * `keep: false` leaves the keys as they were.
   */
  apply<T>(command: (kv: KvTable, at: number) => { result: T; keep: boolean }): T {
    const draft = this.#kv.copy();
    const { result, keep } = command(draft, this.#nextIndex());
    if (keep) this.#kv = draft;
    this.#wake();
    return result;
  }

  createSession(request: SessionRequest): Session {
    const session = this.sessions.create(this.#nextIndex(), request);
    this.#wake();
    return session;
  }

  /** Removes a session and does to the keys that it has locked what it was made to do. */
  destroySession(id: string): void {
    const at = this.#nextIndex();
    const session = this.sessions.remove(at, id);
    if (!session) return;
    const delayMs = Math.min(session.lockDelayMs, MAX_LOCK_DELAY_MS);
    for (const entry of this.#kv.heldBy(id)) {
      if (session.behavior === "delete") this.#kv.delete(at, entry.key);
      else this.#kv.release(at, entry);
      if (delayMs > 0) this.#lockDelays.set(entry.key, performance.now() + delayMs);
    }
    this.#wake();
  }

  /** True while nobody may lock the key because its last session was taken away a short time ago. */
  isLockDelayed(key: string): boolean {
    const until = this.#lockDelays.get(key);
    if (until === undefined) return false;
    if (until > performance.now()) return true;
    this.#lockDelays.delete(key);
    return false;
  }

  /** Calls `watcher` after every command, until the returned function is called. */
  watch(watcher: () => void): () => void {
    this.#watchers.add(watcher);
    return () => void this.#watchers.delete(watcher);
  }

  close(): void {
    this.sessions.close();
    this.#wake();
  }

  #nextIndex(): number {
    return ++this.#raftIndex;
  }

  #wake(): void {
    for (const watcher of this.#watchers) watcher();
  }
}
