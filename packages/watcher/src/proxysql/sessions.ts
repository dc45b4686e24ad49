import { includesServer } from "@primacy/contract";
import type { Step } from "../plan.js";
import type { Admin } from "./admin.js";
import { AdminError } from "./admin-error.js";
import { readConnectionsInUse } from "./read.js";
import { killSession, selectFastForward, selectHiddenSessions, selectSessions } from "./sql.js";

/**
 * Ends every client session that holds a connection to one of these servers: in a transaction, bound, fast_forward or
 * in the middle of a statement. Returns how many it told to end.
 *
 * Where `hidden` is set and none of them is seen although connections are in use, those that may be hiding one are
 * ended. The pool is asked after the list: what it still counts then is of sessions that the list does not show.
 *
 * @param foreign hostgroups of other clusters
 */
export async function killSessions(
  admin: Admin,
  { hostgroup, servers, hidden }: Extract<Step, { kind: "kill" }>,
  foreign: readonly number[],
): Promise<number> {
  const seen = await killAll(admin, selectSessions(hostgroup, servers));
  if (seen > 0 || hidden === null) return seen;
  const pool = await readConnectionsInUse(admin, hostgroup);
  if (!pool.some((one) => one.used > 0 && includesServer(servers, one))) return 0;
  return await killAll(admin, selectHiddenSessions(hostgroup, hidden.reader, foreign));
}

/** Ends the `fast_forward` sessions of hostgroups where a LOAD has taken their server out. Returns how many. */
export async function killFastForward(
  admin: Admin,
  hostgroups: readonly number[],
  except: Parameters<typeof selectFastForward>[1],
): Promise<number> {
  return await killAll(admin, selectFastForward(hostgroups, except));
}

/** Answers how many the list has. One that has gone by itself in the meantime stops nothing. */
async function killAll(admin: Admin, list: string): Promise<number> {
  const rows = await admin.rows(list);
  for (const row of rows) {
    try {
      await admin.execute(killSession(Number(row["SessionID"])));
    } catch (error) {
      if (!(error instanceof AdminError) || !/Unknown thread id/i.test(error.message)) throw error;
    }
  }
  return rows.length;
}
