import { type Server, formatServer } from "@primacy/contract";
import { openServer } from "../new-master/open-server.js";
import type { OldMasterMeans } from "./old-master.js";
import { databaseContext } from "./databases.js";

/**
 * Makes a server writable, as far as the writer can.
 *
 * @param former the master that it must not follow any more, by all its names
 * @returns why it is not; undefined: it is
 */
export async function makeServerWritable(
  server: Server,
  former: readonly Server[],
  { settings, world }: Pick<OldMasterMeans, "settings" | "world">,
): Promise<string | undefined> {
  const context = await databaseContext(settings, world);
  if (!context.ok) return context.problem;
  if (settings === undefined || context.value === undefined) {
    return `${formatServer(server)}: the writer has no account for the database servers (databaseUser)`;
  }
  return await openServer(server, former, world.elapsed() + settings.deadlineMs, context.value);
}
