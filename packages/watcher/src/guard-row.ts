import { quote } from "./proxysql/quote.js";

/** How ProxySQL's scheduler starts the guard. */
export interface GuardCommand {
  /** The program, as ProxySQL finds it: it runs in ProxySQL's place, not in the watcher's. */
  readonly filename: string;
  /** Arguments before the guard's own, for a program that has other commands too. */
  readonly leading: readonly string[];
  /** An option file of the `mysql` client with the admin user and its password. */
  readonly defaultsFile: string;
}

/** A row of `scheduler`, with the columns that matter here. */
export interface SchedulerRow {
  readonly id: number;
  readonly active: boolean;
  readonly intervalMs: number;
  readonly filename: string;
  readonly args: readonly string[];
  readonly comment: string;
}

const GUARD_INTERVAL_MS = 1000;
const COLUMNS = "active, interval_ms, filename, arg1, arg2, arg3, arg4, arg5, comment";
const MOST_ARGUMENTS = 5;

/** The row by which its watcher knows it again. */
export function guardComment(proxy: string): string {
  return `primacy guard of ${proxy}`;
}

/** The row as it must be; null while no cluster asks for a lease. Pure. */
export function guardRow(
  proxy: string,
  command: GuardCommand,
  leaseFile: string,
  writerHostgroups: readonly number[],
): Omit<SchedulerRow, "id"> | null {
  if (writerHostgroups.length === 0) return null;
  const hostgroups = [...new Set(writerHostgroups)].sort((a, b) => a - b).join(",");
  return {
    active: true,
    intervalMs: GUARD_INTERVAL_MS,
    filename: command.filename,
    args: [...command.leading, leaseFile, command.defaultsFile, hostgroups].slice(0, MOST_ARGUMENTS),
    comment: guardComment(proxy),
  };
}

/** The layers of `scheduler`, reduced to rows with our comment. */
export interface SchedulerLayers {
  readonly memory: readonly SchedulerRow[];
  readonly runtime: readonly SchedulerRow[];
  readonly disk: readonly SchedulerRow[];
}

/** The statements from what there is to the one row, or to none. Other people's rows are left alone. Pure. */
export function guardStatements(
  comment: string,
  wanted: Omit<SchedulerRow, "id"> | null,
  layers: SchedulerLayers,
): readonly string[] {
  const edits = memoryEdits(comment, wanted, layers.memory);
  const load = edits.length > 0 || !isOnly(wanted, layers.runtime);
  const save = load || !isOnly(wanted, layers.disk);
  return [
    ...edits,
    ...(load ? ["LOAD SCHEDULER TO RUNTIME"] : []),
    ...(save ? ["SAVE SCHEDULER TO DISK"] : []),
  ];
}

function memoryEdits(
  comment: string,
  wanted: Omit<SchedulerRow, "id"> | null,
  memory: readonly SchedulerRow[],
): readonly string[] {
  if (isOnly(wanted, memory)) return [];
  const where = `WHERE comment=${quote(comment)}`;
  if (wanted === null) return [`DELETE FROM scheduler ${where}`];
  const first = memory[0];
  if (first === undefined)
    return [`INSERT INTO scheduler (${COLUMNS}) VALUES (${values(wanted).join(", ")})`];
  const sets = COLUMNS.split(", ").map((column, index) => `${column}=${values(wanted)[index] ?? "NULL"}`);
  return [
    ...(memory.length > 1 ? [`DELETE FROM scheduler ${where} AND id<>${String(first.id)}`] : []),
    `UPDATE scheduler SET ${sets.join(", ")} ${where}`,
  ];
}

function values(row: Omit<SchedulerRow, "id">): readonly string[] {
  const args = Array.from({ length: MOST_ARGUMENTS }, (_, index) => {
    const arg = row.args[index];
    return arg === undefined ? "NULL" : quote(arg);
  });
  return [row.active ? "1" : "0", String(row.intervalMs), quote(row.filename), ...args, quote(row.comment)];
}

function isOnly(wanted: Omit<SchedulerRow, "id"> | null, rows: readonly SchedulerRow[]): boolean {
  if (wanted === null) return rows.length === 0;
  const [row, ...more] = rows;
  return row !== undefined && more.length === 0 && values(row).join() === values(wanted).join();
}
