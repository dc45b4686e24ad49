import { type Server, includesServer, makeServer } from "@primacy/contract";
import { type DatabaseContext, type Reached, statementLimit } from "../database/server.js";
import type { Row } from "../database/session.js";

/** Between two looks at how far the applier is. Milliseconds. */
const PAUSE_MS = 50;

/** A column has its old name up to MySQL 8.0.21 and in MariaDB. */
function column(row: Row, ...names: readonly string[]): string {
  const name = names.find((one) => row[one] !== undefined && row[one] !== null);
  return name === undefined ? "" : String(row[name]);
}

/**
 * Makes a replica of the old master nobody's replica, once it has executed all that it has received: Orchestrator does
 * this when it promotes (RESET SLAVE ALL, 3.2.6), and leaves it out where it is told not to promote. Otherwise an old
 * master that comes back would be followed again.
 *
 * @param former the old master, by all the names that it goes by
 * @returns why not; undefined: done, or it was not its replica
 * @throws {DatabaseError}
 */
export async function detachFrom(
  former: readonly Server[],
  { session, dialect }: Reached,
  deadline: number,
  context: DatabaseContext,
): Promise<string | undefined> {
  const say = async (sql: string) => await session.query(sql, statementLimit(deadline, context));
  const status = async () => (await say(dialect.replicaStatus)).find((row) => follows(row, former));
  let row = await status();
  if (row === undefined) return undefined;
  await say(dialect.stopReceiver);
  for (;;) {
    row = await status();
    if (row === undefined || hasApplied(row)) break;
    if (!isApplying(row))
      return `its replication has stopped before it had executed everything: ${lastError(row)}`;
    if (context.world.elapsed() >= deadline) return "it has not executed all that it received";
    await context.world.pause(PAUSE_MS);
  }
  await say(dialect.stopReplica);
  await say(dialect.forgetSource);
  return undefined;
}

/** Orchestrator detaches a replica by writing "//" before the master's name. */
function follows(row: Row, former: readonly Server[]): boolean {
  const host = column(row, "Source_Host", "Master_Host").replace(/^\/\//, "");
  const made = makeServer(host, Number(column(row, "Source_Port", "Master_Port")));
  return made.ok && includesServer(former, made.value);
}

/** Read and executed are one place in the old master's binary log. */
function hasApplied(row: Row): boolean {
  const read = column(row, "Source_Log_File", "Master_Log_File");
  const executed = column(row, "Relay_Source_Log_File", "Relay_Master_Log_File");
  return (
    read === executed &&
    column(row, "Read_Source_Log_Pos", "Read_Master_Log_Pos") ===
      column(row, "Exec_Source_Log_Pos", "Exec_Master_Log_Pos")
  );
}

function isApplying(row: Row): boolean {
  return column(row, "Replica_SQL_Running", "Slave_SQL_Running") === "Yes";
}

function lastError(row: Row): string {
  return column(row, "Last_SQL_Error").slice(0, 300) || "no error is given";
}
