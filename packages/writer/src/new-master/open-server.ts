import { type Server, formatServer } from "@primacy/contract";
import { isWritable } from "../database/dialect.js";
import {
  type DatabaseContext,
  type Reached,
  databaseProblem,
  reach,
  readFacts,
  statementLimit,
} from "../database/server.js";
import { detachFrom } from "./detach.js";

/** What it takes to open a server. */
export interface OpeningContext extends DatabaseContext {
  /** Asked last of all, right before the server is made writable; without it, it may always. */
  readonly mayOpen?: (() => Promise<boolean>) | undefined;
}

/**
 * Makes a server writable and reads back that it is.
 *
 * @param former the master that it must not follow any more, by all the names that it goes by
 * @returns why it is not open; undefined: it is. Never rejects for what a database does.
 */
export async function openServer(
  server: Server,
  former: readonly Server[],
  deadline: number,
  context: OpeningContext,
): Promise<string | undefined> {
  let there: Reached | undefined;
  try {
    there = await reach(server, deadline, context);
    const attached = await detachFrom(former, there, deadline, context);
    if (attached !== undefined) return `${formatServer(server)}: ${attached}`;
    return await makeWritable(server, there, deadline, context);
  } catch (error) {
    return databaseProblem(error);
  } finally {
    there?.session.close();
  }
}

async function makeWritable(
  server: Server,
  { session, dialect, variables }: Reached,
  deadline: number,
  context: OpeningContext,
): Promise<string | undefined> {
  if (isWritable(variables)) return undefined;
  // To reach it, and to make it nobody's replica, may have taken seconds.
  if (context.mayOpen !== undefined && !(await context.mayOpen()))
    return `${formatServer(server)} is left read-only`;
  await session.query(dialect.readOnlyOff, statementLimit(deadline, context));
  if (isWritable(await readFacts(session, deadline, context))) return undefined;
  return `${formatServer(server)} says that it is still read-only`;
}
