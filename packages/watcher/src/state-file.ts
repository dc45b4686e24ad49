import { randomUUID } from "node:crypto";
import { mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { type Mark, sameMark } from "./admission.js";
import { OptionsError } from "./options.js";

const markSchema = z.object({
  generation: z.int().min(1),
  incarnation: z.string().min(1),
  hash: z.string().min(1),
});
const stateSchema = z.object({ format: z.literal(1), marks: z.record(z.string(), markSchema) });

/**
 * The watcher's own memory of the highest record that its ProxySQL has had, by cluster. Written before a LOAD, so that
 * a watcher that is killed in the middle never takes an older record for a new one. The stamp on the ProxySQL is the
 * second memory: losing either loses nothing.
 */
export class StateFile {
  #marks = new Map<string, Mark>();
  #onDisk: ReadonlyMap<string, Mark> = new Map();

  private constructor(
    readonly path: string,
    readonly problem: string | null,
  ) {}

  /**
   * Reads `<directory>/<proxy>.json`. A file that can't be understood is moved aside (`.unreadable-…`) and said in
   * `problem`: the stamp on the ProxySQL still stands. Throws OptionsError where the directory can't be made or read.
   */
  static async open(directory: string, proxy: string): Promise<StateFile> {
    const path = join(directory, `${proxy}.json`);
    const text = await mkdir(directory, { recursive: true, mode: 0o750 })
      .then(async () => readIfThere(path))
      .catch((error: unknown) => {
        const why = error instanceof Error ? error.message : String(error);
        throw new OptionsError(`stateDirectory: ${directory} cannot be used: ${why}`, { cause: error });
      });
    if (text === null) return new StateFile(path, null);
    const marks = parseMarks(text);
    if (marks === null) {
      const aside = `${path}.unreadable-${randomUUID()}`;
      await rename(path, aside);
      return new StateFile(path, `the state file could not be understood and was moved to ${aside}`);
    }
    const file = new StateFile(path, null);
    file.#marks = marks;
    file.#onDisk = new Map(marks);
    return file;
  }

  /** What `open` would read, where nothing may be written: makes no folder and moves nothing aside. Throws OptionsError. */
  static async peek(directory: string, proxy: string): Promise<StateFile> {
    const path = join(directory, `${proxy}.json`);
    const text = await readIfThere(path).catch((error: unknown) => {
      const why = error instanceof Error ? error.message : String(error);
      throw new OptionsError(`stateDirectory: ${path} cannot be read: ${why}`, { cause: error });
    });
    const marks = text === null ? new Map<string, Mark>() : parseMarks(text);
    const file = new StateFile(path, marks === null ? "the state file cannot be understood" : null);
    file.#marks = marks ?? file.#marks;
    file.#onDisk = new Map(file.#marks);
    return file;
  }

  mark(cluster: string): Mark | null {
    return this.#marks.get(cluster) ?? null;
  }

  /** Would a watcher that starts now remember this very mark? */
  hasOnDisk(cluster: string, mark: Mark): boolean {
    return sameMark(this.#onDisk.get(cluster) ?? null, mark);
  }

  /**
   * Remembers a mark, on disk too (temporary file, fsync, rename). Within this process it holds even where the write
   * fails; then it throws, and the caller says so and goes on: a full disk must not stop a failover.
   */
  async remember(cluster: string, mark: Mark): Promise<void> {
    this.#marks.set(cluster, mark);
    await this.#write();
  }

  /** An operator's word: this cluster begins anew here. */
  async forget(cluster: string): Promise<void> {
    this.#marks.delete(cluster);
    await this.#write();
  }

  async #write(): Promise<void> {
    const marks = new Map(this.#marks);
    const temporary = `${this.path}.${randomUUID()}.tmp`;
    try {
      const file = await open(temporary, "w", 0o640);
      try {
        await file.writeFile(`${JSON.stringify({ format: 1, marks: Object.fromEntries(marks) }, null, 2)}\n`);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(temporary, this.path);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
    this.#onDisk = marks;
  }
}

async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}

function parseMarks(text: string): Map<string, Mark> | null {
  try {
    const parsed = stateSchema.safeParse(JSON.parse(text));
    return parsed.success ? new Map(Object.entries(parsed.data.marks)) : null;
  } catch {
    return null;
  }
}
