import type { SchedulerLayers, SchedulerRow } from "../guard-row.js";
import type { Admin, AdminRow } from "./admin.js";
import { quote } from "./quote.js";

const COLUMNS = "id, active, interval_ms, filename, arg1, arg2, arg3, arg4, arg5, comment";
const TABLES = { memory: "scheduler", runtime: "runtime_scheduler", disk: "disk.scheduler" } as const;

/** The rows of ProxySQL's scheduler with this comment, in all three layers. */
export async function readScheduler(admin: Admin, comment: string): Promise<SchedulerLayers> {
  const read = async (table: string): Promise<readonly SchedulerRow[]> =>
    (await admin.rows(`SELECT ${COLUMNS} FROM ${table} WHERE comment=${quote(comment)} ORDER BY id`)).map(
      schedulerRow,
    );
  return {
    memory: await read(TABLES.memory),
    runtime: await read(TABLES.runtime),
    disk: await read(TABLES.disk),
  };
}

function schedulerRow(row: AdminRow): SchedulerRow {
  const args = ["arg1", "arg2", "arg3", "arg4", "arg5"].map((name) => row[name] ?? null);
  return {
    id: Number(row["id"]),
    active: row["active"] === "1",
    intervalMs: Number(row["interval_ms"]),
    filename: row["filename"] ?? "",
    // The columns behind the last argument are NULL.
    args: args.filter((one): one is string => one !== null),
    comment: row["comment"] ?? "",
  };
}
