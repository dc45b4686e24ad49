import { type Server, formatServer } from "@primacy/contract";
import { type Position, beyond } from "../database/dialect.js";
import {
  type DatabaseContext,
  type Reached,
  databaseProblem,
  reach,
  statementLimit,
} from "../database/server.js";
import type { DatabaseSession } from "../database/session.js";

/** Has the successor executed all that the old master has? Null: that could not be told. */
export interface CatchUp {
  readonly caughtUp: boolean | null;
  readonly note: string | undefined;
}

/**
 * Waits until `successor` has executed all that stands in the old master's binary log now. Proves something only where
 * the old master writes no more. By GTID where both have them, else by file and position.
 */
export async function waitForSuccessor(
  old: { readonly session: DatabaseSession; readonly dialect: Reached["dialect"] },
  successor: Server,
  deadline: number,
  context: DatabaseContext,
): Promise<CatchUp> {
  const name = formatServer(successor);
  let there: Reached | undefined;
  try {
    there = await reach(successor, deadline, context);
    const question = old.dialect.position(old.dialect.gtid && there.dialect.gtid);
    const [row] = await old.session.query(question.sql, statementLimit(deadline, context));
    const position = question.read(row);
    if (position === null) return { caughtUp: null, note: "the old master has no binary log to compare" };
    const caughtUp = await waitAt(there, position, deadline, context);
    return { caughtUp, note: caughtUp === true ? undefined : shortfall(name, caughtUp) };
  } catch (error) {
    return {
      caughtUp: null,
      note: `whether ${name} has everything could not be asked: ${databaseProblem(error)}`,
    };
  } finally {
    there?.session.close();
  }
}

async function waitAt(
  { session, dialect }: Reached,
  wanted: Position,
  deadline: number,
  context: DatabaseContext,
): Promise<boolean | null> {
  const { ownPosition } = dialect;
  const [own] =
    ownPosition === null ? [] : await session.query(ownPosition.sql, statementLimit(deadline, context));
  const position = ownPosition === null ? wanted : beyond(wanted, ownPosition.read(own));
  if (position === null) return true;
  const leftMs = Math.max(1, deadline - context.world.elapsed());
  const wait = dialect.waitFor(position, leftMs / 1000);
  // The server counts in whole seconds, so its limit may be the later one.
  const answer = session.query(wait.sql, Math.max(leftMs, 1000) + 200);
  const [row] = await answer;
  return wait.read(row);
}

function shortfall(name: string, caughtUp: false | null): string {
  return caughtUp === null
    ? `${name} can't tell whether it has everything: it is nobody's replica`
    : `${name} had not executed everything in time`;
}
