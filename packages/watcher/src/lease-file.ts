import { randomUUID } from "node:crypto";
import { open, readFile, rename, rm } from "node:fs/promises";
import { type LeaseEntry, leaseEntriesText, readLeaseEntries } from "./lease-entries.js";
import { OptionsError } from "./options.js";

/**
 * The lease file of one ProxySQL: a line for each cluster under a lease. Replaced as a whole, so that no reader sees
 * half of it. It is not synced: after a power cut an old one is over, and so is a missing one.
 */
export class LeaseFile {
  readonly #entries = new Map<string, LeaseEntry>();
  #written: string | null = null;
  #writing: Promise<void> = Promise.resolve();

  constructor(readonly path: string) {}

  /** What the process before this one left; nothing where there is no file. Throws OptionsError where it can't be read. */
  async read(): Promise<readonly LeaseEntry[]> {
    try {
      this.#written = await readFile(this.path, "utf8");
      return readLeaseEntries(this.#written);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
      const why = error instanceof Error ? error.message : String(error);
      throw new OptionsError(`lease.file: ${this.path} cannot be read: ${why}`, { cause: error });
    }
  }

  /** Sets the line of a cluster, or takes it out. Rejects where the file can't be written: then the guard will fence. */
  async put(cluster: string, entry: LeaseEntry | null): Promise<void> {
    if (entry === null) this.#entries.delete(cluster);
    else this.#entries.set(cluster, entry);
    // One write after another, each of all that is known by then.
    const mine = this.#writing.catch(() => undefined).then(async () => this.#write());
    this.#writing = mine;
    await mine;
  }

  async #write(): Promise<void> {
    const text = leaseEntriesText([...this.#entries.values()]);
    if (text === this.#written || (this.#written === null && this.#entries.size === 0)) return;
    const temporary = `${this.path}.${randomUUID()}.tmp`;
    try {
      const file = await open(temporary, "w", 0o644);
      try {
        await file.writeFile(text);
      } finally {
        await file.close();
      }
      await rename(temporary, this.path);
      this.#written = text;
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
  }
}
