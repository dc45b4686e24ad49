import { mkdir, open, rename, unlink } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";

/** Files of this name are half-written: left behind by a crash, never read. */
export const TEMPORARY = ".tmp-";

/**
 * Writes `folder/name` so that after a crash it is either not there or whole: temporary file, fsync, rename, fsync of
 * the folder. Readable by the owner and the group.
 *
 * @throws the file system's error (ENOSPC, EACCES, EROFS …); nothing is left behind then.
 */
export async function writeDurably(folder: string, name: string, text: string): Promise<void> {
  const firstMade = await mkdir(folder, { recursive: true, mode: 0o750 });
  const temporary = join(folder, `${TEMPORARY}${name}`);
  try {
    const file = await open(temporary, "w", 0o640);
    try {
      await file.writeFile(text, "utf8");
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, join(folder, name));
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    throw error;
  }
  await syncFolder(folder);
  if (firstMade !== undefined) await syncAbove(folder, firstMade);
}

/** A folder that was just made is a new name itself, in the one above. Who may not read that has done what can be done. */
async function syncAbove(folder: string, firstMade: string): Promise<void> {
  const above = dirname(resolve(folder));
  await syncFolder(above).catch(() => undefined);
  if (above.length > dirname(resolve(firstMade)).length) await syncAbove(above, firstMade);
}

/** Without it the new name itself may be gone after a power cut. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
