import { link, open, readFile, rename, stat, unlink } from "node:fs/promises";
import { join } from "node:path";
import type { World } from "../world.js";

/** A lock older than this is nobody's: no flush may take that long. Milliseconds. */
const ABANDONED_AFTER_MS = 10 * 60_000;

export interface SpoolLock {
  release(): Promise<void>;
}

const UNLOCKED: SpoolLock = { release: () => Promise.resolve() };

/**
 * One delivery from a spool at a time, so that two of them keep the order. Undefined when another process still holds
 * it after `waitMs`. The lock of a process that has died is taken over.
 *
 * Order is all that it protects: that nothing is written twice is the compare-and-set's doing. So where the disk lets
 * nobody make a lock (full, read-only), delivery goes on without one.
 */
export async function lockSpool(
  folder: string,
  waitMs: number,
  world: World,
): Promise<SpoolLock | undefined> {
  const path = join(folder, "lock");
  const giveUpAt = world.elapsed() + waitMs;
  try {
    for (;;) {
      if (await create(path, world)) return { release: () => release(path, world) };
      const abandoned = await abandonedLock(path, world);
      if (abandoned !== undefined) {
        await takeAway(path, abandoned, world);
        continue;
      }
      if (world.elapsed() >= giveUpAt) return undefined;
      await world.pause(20 + 80 * world.random());
    }
  } catch {
    return UNLOCKED;
  }
}

/** False when somebody has it. */
async function create(path: string, world: World): Promise<boolean> {
  try {
    const file = await open(path, "wx", 0o640);
    try {
      await file.writeFile(String(world.pid));
    } finally {
      await file.close();
    }
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    // Where the file could be made but not written (a full disk), it must not stay behind.
    await unlink(path).catch(() => undefined);
    throw error;
  }
}

/** What stands in a lock that is nobody's any more. */
async function abandonedLock(path: string, world: World): Promise<string | undefined> {
  try {
    const [text, { mtimeMs }] = await Promise.all([readFile(path, "utf8"), stat(path)]);
    if (world.now() - mtimeMs > ABANDONED_AFTER_MS) return text;
    // An empty lock is one that its owner is just writing.
    return /^\d+$/.test(text) && !world.isAlive(Number(text)) ? text : undefined;
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

/**
 * By rename, so that of two processes which both see a dead owner only one takes the lock away. The slower one may have
 * got the new lock of the other, and gives it back.
 */
async function takeAway(path: string, abandoned: string, world: World): Promise<void> {
  const aside = `${path}.dead-${String(world.pid)}`;
  try {
    await rename(path, aside);
    if ((await readFile(aside, "utf8")) !== abandoned) await link(aside, path).catch(ignoreThere);
    await unlink(aside);
  } catch (error) {
    if (codeOf(error) !== "ENOENT") throw error;
  }
}

function ignoreThere(error: unknown): void {
  if (codeOf(error) !== "EEXIST") throw error;
}

async function release(path: string, world: World): Promise<void> {
  const text = await readFile(path, "utf8").catch(() => "");
  if (text === String(world.pid)) await unlink(path).catch(() => undefined);
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
