import { access, unlink } from "node:fs/promises";
import { join } from "node:path";
import { writeDurably } from "../spool/durable-file.js";

/**
 * Whether a Pre hook that fails stops the failover is the cluster's own choice, and its layout lies in Consul: the very
 * thing that may be away. So each run that reads it leaves the answer on disk for those that can't. A disk that fails
 * counts as "unknown".
 *
 * @param said what the layout says; undefined where it could not be read
 * @returns what it says, or said when it was last read on this machine; undefined where neither is known
 */
export async function knownPolicy(
  spoolFolder: string,
  cluster: string,
  said: boolean | undefined,
): Promise<boolean | undefined> {
  const folder = join(spoolFolder, "stop-on-failure");
  const file = join(folder, cluster);
  const before = await access(file).then(
    () => true,
    () => false,
  );
  if (said === undefined) return before ? true : undefined;
  try {
    if (said && !before) await writeDurably(folder, cluster, "");
    if (!said && before) await unlink(file);
  } catch {
    // What is known now holds now; the next run says it again.
  }
  return said;
}
