import type { Server } from "@primacy/contract";
import type { Admin } from "./admin.js";
import { AdminError } from "./admin-error.js";
import { killSession, selectSessions } from "./sql.js";

/**
 * Ends every client session that holds a connection to one of these servers: in a transaction, bound, fast_forward or
 * in the middle of a statement. Returns how many. One that has gone by itself in the meantime stops nothing.
 */
export async function killSessions(
  admin: Admin,
  hostgroup: number,
  servers: readonly Server[],
): Promise<number> {
  const rows = await admin.rows(selectSessions(hostgroup, servers));
  let killed = 0;
  for (const row of rows) {
    try {
      await admin.execute(killSession(Number(row["SessionID"])));
      killed += 1;
    } catch (error) {
      if (!(error instanceof AdminError) || !/Unknown thread id/i.test(error.message)) throw error;
    }
  }
  return killed;
}
