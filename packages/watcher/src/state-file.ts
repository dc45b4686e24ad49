import { randomUUID } from "node:crypto";
import { mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { type Mark, sameMark } from "./admission.js";
import { OptionsError } from "./options.js";
import type { Hostgroups } from "./rows.js";

const markSchema = z.object({
  generation: z.int().min(1),
  incarnation: z.string().min(1),
  hash: z.string().min(1),
});
const hostgroupsSchema = z.object({ writer: z.int().min(0), reader: z.int().min(0).nullable() });
const stateSchema = z.object({
  format: z.literal(1),
  marks: z.record(z.string(), markSchema),
  hostgroups: z.record(z.string(), hostgroupsSchema).default({}),
});

/** By cluster. */
interface Memory {
  readonly marks: ReadonlyMap<string, Mark>;
  readonly hostgroups: ReadonlyMap<string, Hostgroups>;
}

const NOTHING: Memory = { marks: new Map(), hostgroups: new Map() };

/**
 * The watcher's own memory of the highest record that its ProxySQL has had, by cluster, and of the hostgroups in which it
 * had it. Written before a LOAD, so that a watcher that is killed in the middle never takes an older record for a new
 * one. The stamp on the ProxySQL is the second memory of the record: losing either loses nothing.
 */
export class StateFile {
  #memory = NOTHING;
  #onDisk = NOTHING;

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
    const memory = parseMemory(text);
    if (memory === null) {
      const aside = `${path}.unreadable-${randomUUID()}`;
      await rename(path, aside);
      return new StateFile(path, `the state file could not be understood and was moved to ${aside}`);
    }
    const file = new StateFile(path, null);
    file.#memory = memory;
    file.#onDisk = memory;
    return file;
  }

  /** What `open` would read, where nothing may be written: makes no folder and moves nothing aside. Throws OptionsError. */
  static async peek(directory: string, proxy: string): Promise<StateFile> {
    const path = join(directory, `${proxy}.json`);
    const text = await readIfThere(path).catch((error: unknown) => {
      const why = error instanceof Error ? error.message : String(error);
      throw new OptionsError(`stateDirectory: ${path} cannot be read: ${why}`, { cause: error });
    });
    const memory = text === null ? NOTHING : parseMemory(text);
    const file = new StateFile(path, memory === null ? "the state file cannot be understood" : null);
    file.#memory = memory ?? NOTHING;
    file.#onDisk = file.#memory;
    return file;
  }

  mark(cluster: string): Mark | null {
    return this.#memory.marks.get(cluster) ?? null;
  }

  /** In which hostgroups these clusters were last applied, for those that have been. */
  hostgroupsOf(clusters: readonly string[]): readonly (readonly [string, Hostgroups])[] {
    return [...this.#memory.hostgroups].filter(([cluster]) => clusters.includes(cluster));
  }

  /** Would a watcher that starts now remember this very mark, and these hostgroups? */
  hasOnDisk(cluster: string, mark: Mark, hostgroups: Hostgroups): boolean {
    const known = this.#onDisk.hostgroups.get(cluster);
    return (
      sameMark(this.#onDisk.marks.get(cluster) ?? null, mark) &&
      known?.writer === hostgroups.writer &&
      known.reader === hostgroups.reader
    );
  }

  /**
   * Remembers a mark, on disk too (temporary file, fsync, rename), and the hostgroups where they are given. Within this
   * process it holds even where the write fails; then it throws, and the caller says so and goes on: a full disk must
   * not stop a failover.
   */
  async remember(cluster: string, mark: Mark, hostgroups?: Hostgroups): Promise<void> {
    this.#memory = {
      marks: new Map(this.#memory.marks).set(cluster, mark),
      hostgroups:
        hostgroups === undefined
          ? this.#memory.hostgroups
          : new Map(this.#memory.hostgroups).set(cluster, hostgroups),
    };
    await this.#write();
  }

  async #write(): Promise<void> {
    const memory = this.#memory;
    const temporary = `${this.path}.${randomUUID()}.tmp`;
    try {
      const file = await open(temporary, "w", 0o640);
      try {
        await file.writeFile(stateText(memory));
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(temporary, this.path);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
    this.#onDisk = memory;
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

function stateText({ marks, hostgroups }: Memory): string {
  const state = {
    format: 1,
    marks: Object.fromEntries(marks),
    hostgroups: Object.fromEntries(hostgroups),
  };
  return `${JSON.stringify(state, null, 2)}\n`;
}

function parseMemory(text: string): Memory | null {
  try {
    const parsed = stateSchema.safeParse(JSON.parse(text));
    if (!parsed.success) return null;
    const { marks, hostgroups } = parsed.data;
    return { marks: new Map(Object.entries(marks)), hostgroups: new Map(Object.entries(hostgroups)) };
  } catch {
    return null;
  }
}
