import { type Server, formatServer, printable } from "@primacy/contract";
import type { World } from "../world.js";
import { type Dialect, FACTS_STATEMENT, type Variables, dialectOf, readVariables } from "./dialect.js";
import {
  type Connect,
  type DatabaseAccount,
  DatabaseError,
  type DatabaseSession,
  isDatabaseError,
} from "./session.js";

/** For a statement that waits for nothing. Milliseconds. */
const STATEMENT_LIMIT_MS = 2000;

/** What it takes to work on a database server. */
export interface DatabaseContext {
  readonly connect: Connect;
  readonly account: DatabaseAccount;
  readonly world: Pick<World, "elapsed" | "pause">;
}

/** A session and what is known of its server. */
export interface Reached {
  readonly session: DatabaseSession;
  readonly dialect: Dialect;
  readonly variables: Variables;
}

/**
 * Opens a session and finds out whose it is. `deadline`: on the world's `elapsed` clock.
 *
 * @param connectMs how long a server may take to answer at all
 * @throws {DatabaseError}
 */
export async function reach(
  server: Server,
  deadline: number,
  context: DatabaseContext,
  connectMs = Number.POSITIVE_INFINITY,
): Promise<Reached> {
  const session = await openSession(server, Math.min(deadline, context.world.elapsed() + connectMs), context);
  try {
    const variables = await readFacts(session, deadline, context);
    const dialect = dialectOf(variables);
    if (!dialect.ok)
      throw new DatabaseError("refused", `${formatServer(server)}: ${dialect.problem}`, undefined);
    return { session, dialect: dialect.value, variables };
  } catch (error) {
    session.close();
    throw error;
  }
}

/** @throws {DatabaseError} */
export async function openSession(
  server: Server,
  deadline: number,
  context: DatabaseContext,
): Promise<DatabaseSession> {
  return await context.connect(server, context.account, limit(deadline, deadline, context));
}

/** @throws {DatabaseError} */
export async function readFacts(
  session: DatabaseSession,
  deadline: number,
  context: DatabaseContext,
): Promise<Variables> {
  return readVariables(await session.query(FACTS_STATEMENT, statementLimit(deadline, context)));
}

/** For a statement that waits for nothing. */
export function statementLimit(deadline: number, context: DatabaseContext): number {
  return limit(deadline, STATEMENT_LIMIT_MS, context);
}

/** What is left, and never nothing: the call that has no time fails by its own limit. */
function limit(deadline: number, most: number, { world }: DatabaseContext): number {
  return Math.max(1, Math.min(most, deadline - world.elapsed()));
}

/** @throws what is no error of a database's */
export function databaseProblem(error: unknown): string {
  if (isDatabaseError(error)) return printable(error.message);
  throw error;
}
