import { type Server, formatServer } from "@primacy/contract";
import { openServer } from "../new-master/open-server.js";
import { type DatabaseMeans, databaseContext } from "./databases.js";

/**
 * Makes a server writable, as far as the writer can.
 *
 * @param former the master that it must not follow any more, by all its names
 * @param mayOpen asked last of all
 * @returns why it is not; undefined: it is
 */
export async function makeServerWritable(
  server: Server,
  former: readonly Server[],
  means: DatabaseMeans,
  mayOpen?: () => Promise<boolean>,
): Promise<string | undefined> {
  const { settings, world } = means;
  const context = await databaseContext(means);
  if (!context.ok) return context.problem;
  if (settings === undefined || context.value === undefined) {
    return `${formatServer(server)}: the writer has no account for the database servers (databaseUser)`;
  }
  const deadline = world.elapsed() + settings.deadlineMs;
  return await openServer(server, former, deadline, { ...context.value, mayOpen });
}
