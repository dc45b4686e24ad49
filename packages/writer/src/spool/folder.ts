import { mkdir, readFile, readdir, rename, unlink } from "node:fs/promises";
import { join } from "node:path";
import { errorText } from "../errors.js";
import { writeDurably } from "./durable-file.js";
import {
  type SpoolEntry,
  entryName,
  entryText,
  isEntryName,
  isSpooledAlready,
  newEntry,
  readEntry,
} from "./entry.js";

export const DEFAULT_SPOOL_FOLDER = "/var/lib/primacy/spool";
export const DEFAULT_SPOOL_LIMIT = 1000;

export interface SpooledFile {
  readonly name: string;
  readonly entry: SpoolEntry;
}

/** A file that could not be taken as an event. `moved`: it is none, and lies in `unreadable/` now. */
export interface UnreadableFile {
  readonly name: string;
  readonly problem: string;
  readonly moved: boolean;
}

/** What a file was found to be: an event, gone meanwhile, none of ours, or nobody knows: the disk does not give it back. */
type Found =
  | { readonly kind: "entry"; readonly entry: SpoolEntry }
  | { readonly kind: "gone" }
  | { readonly kind: "garbage" | "unread"; readonly problem: string };

export class SpoolFullError extends Error {
  override readonly name = "SpoolFullError";
}

/**
 * Events that wait for Consul, one file each, in the order of their names.
 *
 * - `refused/`: events that were delivered too late, with the reason, for people to look at.
 * - `unreadable/`: files that are no events.
 */
export class Spool {
  constructor(
    readonly folder: string,
    readonly limit: number,
  ) {}

  /**
   * Keeps an event; "already" when the same event waits there.
   * @throws {SpoolFullError} at the limit, or the file system's own error (a full disk).
   */
  async add(entry: SpoolEntry, id: string): Promise<"spooled" | "already"> {
    const names = await this.names();
    const { files } = await this.#read(names);
    if (
      isSpooledAlready(
        entry,
        files.map((file) => file.entry),
      )
    )
      return "already";
    if (names.length >= this.limit) {
      throw new SpoolFullError(`${this.folder} holds ${String(names.length)} events, the limit`);
    }
    await writeDurably(this.folder, entryName(entry, names, id), entryText(entry));
    return "spooled";
  }

  /** The names of what waits, oldest first. A folder that doesn't exist holds nothing. */
  async names(): Promise<string[]> {
    return (await listFolder(this.folder)).filter(isEntryName).sort();
  }

  /**
   * What waits, oldest first. Files that are no events are moved out of the way and told. One that could not be read
   * (another user's, a broken disk) is told and stays: whoever can read it delivers it.
   */
  async waiting(): Promise<{ files: SpooledFile[]; unreadable: UnreadableFile[] }> {
    const { files, garbage, unread } = await this.#read(await this.names());
    const aside = await Promise.all(garbage.map((file) => this.#setAside(file)));
    return { files, unreadable: [...aside, ...unread] };
  }

  async remove(name: string): Promise<void> {
    await unlink(join(this.folder, name)).catch(ignoreMissing);
  }

  /** Moves an event to `refused/`, with the reason in it. */
  async refuse(file: SpooledFile, refusedAt: string, reason: string): Promise<void> {
    const folder = join(this.folder, "refused");
    const text = JSON.stringify({ ...newEntry(file.entry), refusedAt, reason }, null, 2);
    await writeDurably(folder, file.name, `${text}\n`);
    await this.remove(file.name);
    await this.#prune(folder);
  }

  async #read(
    names: readonly string[],
  ): Promise<{ files: SpooledFile[]; garbage: UnreadableFile[]; unread: UnreadableFile[] }> {
    const files: SpooledFile[] = [];
    const others = { garbage: [] as UnreadableFile[], unread: [] as UnreadableFile[] };
    for (const name of names) {
      const found = await this.#readFile(name);
      if (found.kind === "gone") continue;
      if (found.kind === "entry") files.push({ name, entry: found.entry });
      else others[found.kind].push({ name, problem: found.problem, moved: false });
    }
    return { files, ...others };
  }

  async #readFile(name: string): Promise<Found> {
    let text: string;
    try {
      text = await readFile(join(this.folder, name), "utf8");
    } catch (error) {
      return isMissing(error) ? { kind: "gone" } : { kind: "unread", problem: errorText(error) };
    }
    const entry = readEntry(text);
    return typeof entry === "string" ? { kind: "garbage", problem: entry } : { kind: "entry", entry };
  }

  async #setAside(file: UnreadableFile): Promise<UnreadableFile> {
    const folder = join(this.folder, "unreadable");
    try {
      await mkdir(folder, { recursive: true, mode: 0o750 });
      await rename(join(this.folder, file.name), join(folder, file.name));
      await this.#prune(folder);
      return { ...file, moved: true };
    } catch {
      return file;
    }
  }

  /** These folders are for people; they get no more room than the spool itself, and the oldest goes first. */
  async #prune(folder: string): Promise<void> {
    const names = (await listFolder(folder)).filter(isEntryName).sort();
    for (const name of names.slice(0, Math.max(0, names.length - this.limit))) {
      await unlink(join(folder, name)).catch(ignoreMissing);
    }
  }
}

/** Plain files only: opening a pipe would wait for ever. */
async function listFolder(folder: string): Promise<string[]> {
  try {
    const found = await readdir(folder, { withFileTypes: true });
    return found.filter((one) => one.isFile()).map((one) => one.name);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}

function ignoreMissing(error: unknown): void {
  if (!isMissing(error)) throw error;
}
