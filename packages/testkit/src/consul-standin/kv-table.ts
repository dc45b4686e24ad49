/** One key as Consul keeps it. Numbers above 2^53 lose precision here; Consul's are 64 bits wide. */
export interface KvEntry {
  key: string;
  value: Buffer;
  flags: number;
  /** Id of the session that holds the lock, or "". */
  session: string;
  /** How often a lock on the key was acquired. */
  lockIndex: number;
  createIndex: number;
  modifyIndex: number;
}

/** What a writer says about a key; the table adds the indexes. */
export interface KvWrite {
  key: string;
  value: Buffer;
  flags: number;
}

/**
 * Consul's table of keys. Every change carries the raft index `at`.
 *
 * The rules are those of Consul 1.8.7, agent/consul/state/kvs.go, under the same names.
 */
export class KvTable {
  #entries = new Map<string, KvEntry>();
  /** Deleted keys and prefixes, with the index of their deletion. Consul forgets them after 15 minutes. */
  #tombstones = new Map<string, number>();
  #index = 0;

  /** A table with the same contents that changes by itself. */
  copy(): KvTable {
    const copy = new KvTable();
    copy.#entries = new Map(this.#entries);
    copy.#tombstones = new Map(this.#tombstones);
    copy.#index = this.#index;
    return copy;
  }

  /** The index of the last change to any key, or 0. */
  get index(): number {
    return this.#index;
  }

  get(key: string): KvEntry | undefined {
    return this.#entries.get(key);
  }

  /** The entries below `prefix`, by key. */
  list(prefix: string): KvEntry[] {
    return [...this.#entries.values()]
      .filter((entry) => entry.key.startsWith(prefix))
      .sort((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)));
  }

  /** The index of a prefix: the highest of its entries and tombstones, or the table's where there is neither. */
  indexOfPrefix(prefix: string): number {
    if (prefix === "") return this.#index;
    let highest = 0;
    for (const { key, modifyIndex } of this.#entries.values()) {
      if (key.startsWith(prefix)) highest = Math.max(highest, modifyIndex);
    }
    for (const [key, index] of this.#tombstones) {
      if (key.startsWith(prefix)) highest = Math.max(highest, index);
    }
    return highest === 0 ? this.#index : highest;
  }

  heldBy(session: string): KvEntry[] {
    return [...this.#entries.values()].filter((entry) => entry.session === session);
  }

  /** Writes without a condition. A lock on the key stays, its lockIndex does not (Consul 1.8.7 sets it to 0). */
  set(at: number, write: KvWrite): KvEntry {
    return this.#store(at, { ...write, session: this.get(write.key)?.session ?? "", lockIndex: 0 });
  }

  /** Writes if the key's ModifyIndex is `expected`; 0 stands for "no such key". Undefined: it was not. */
  setCas(at: number, write: KvWrite, expected: number): KvEntry | undefined {
    return (this.get(write.key)?.modifyIndex ?? 0) === expected ? this.set(at, write) : undefined;
  }

  /** Writes and takes the lock. Undefined: another session holds it. The caller has checked the session. */
  lock(at: number, write: KvWrite, session: string): KvEntry | undefined {
    const existing = this.get(write.key);
    if (existing !== undefined && existing.session !== "" && existing.session !== session) return undefined;
    const acquired = existing?.session === session ? 0 : 1;
    return this.#store(at, { ...write, session, lockIndex: (existing?.lockIndex ?? 0) + acquired });
  }

  /** Writes and gives the lock back. Undefined: this session does not hold it. */
  unlock(at: number, write: KvWrite, session: string): KvEntry | undefined {
    const existing = this.get(write.key);
    if (existing === undefined || existing.session !== session) return undefined;
    return this.#store(at, { ...write, session: "", lockIndex: existing.lockIndex });
  }

  /** Takes the lock off a key whose session is gone. */
  release(at: number, entry: KvEntry): void {
    this.#store(at, { ...entry, session: "" });
  }

  delete(at: number, key: string): void {
    if (!this.#entries.delete(key)) return;
    this.#tombstones.set(key, at);
    this.#index = at;
  }

  /** Deletes if the key's ModifyIndex is `expected`. A missing key counts as deleted, whatever is expected. */
  deleteCas(at: number, key: string, expected: number): boolean {
    const existing = this.get(key);
    if (existing !== undefined && existing.modifyIndex !== expected) return false;
    this.delete(at, key);
    return true;
  }

  /** Deletes everything below a prefix, with one tombstone for the prefix. */
  deleteTree(at: number, prefix: string): void {
    const doomed = [...this.#entries.keys()].filter((key) => key.startsWith(prefix));
    if (doomed.length === 0) return;
    for (const key of doomed) this.#entries.delete(key);
    if (prefix !== "") this.#tombstones.set(prefix, at);
    this.#index = at;
  }

  /** A write of what is there already changes nothing: no index moves and nobody wakes. */
  #store(at: number, entry: Omit<KvEntry, "createIndex" | "modifyIndex">): KvEntry {
    const existing = this.get(entry.key);
    if (existing !== undefined && isSame(existing, entry)) return existing;
    const stored = { ...entry, createIndex: existing?.createIndex ?? at, modifyIndex: at };
    this.#entries.set(entry.key, stored);
    this.#index = at;
    return stored;
  }
}

function isSame(a: KvEntry, b: Omit<KvEntry, "createIndex" | "modifyIndex">): boolean {
  return (
    a.lockIndex === b.lockIndex && a.flags === b.flags && a.session === b.session && a.value.equals(b.value)
  );
}
