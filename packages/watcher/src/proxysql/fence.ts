import type { Admin } from "./admin.js";
import { killFastForward } from "./sessions.js";
import { LOAD_SERVERS, countUnfenced, countUnfencedOnDisk, fenceHostgroups } from "./sql.js";

/**
 * Takes every server of these writer hostgroups out, if any is in: in the runtime, or in the memory, from where
 * anybody's LOAD would bring it back. Returns whether there was anything to do. `stillLost` is asked once more before
 * anything is changed.
 */
export async function fenceNow(
  admin: Admin,
  writerHostgroups: readonly number[],
  stillLost: () => boolean,
): Promise<boolean> {
  if (writerHostgroups.length === 0) return false;
  const [row] = await admin.rows(countUnfenced(writerHostgroups));
  const memory = Number(row?.["memory"] ?? 1);
  const runtime = Number(row?.["runtime"] ?? 1);
  if ((memory === 0 && runtime === 0) || !stillLost()) return false;
  await admin.execute(fenceHostgroups(writerHostgroups));
  // Also where only the memory had one: somebody's LOAD may have come in between.
  await admin.execute(LOAD_SERVERS);
  await killFastForward(admin, writerHostgroups, []);
  return true;
}

/** Would a restart bring back a writer in one of these hostgroups? */
export async function diskHasWriter(admin: Admin, writerHostgroups: readonly number[]): Promise<boolean> {
  if (writerHostgroups.length === 0) return false;
  const [row] = await admin.rows(countUnfencedOnDisk(writerHostgroups));
  return Number(row?.["disk"] ?? 0) > 0;
}
