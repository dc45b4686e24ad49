import { spawn } from "node:child_process";

/** A row of `scheduler` in force. */
interface Job {
  readonly intervalMs: number;
  readonly filename: string;
  readonly args: readonly string[];
}

type Row = Readonly<Record<string, string | null>>;

/**
 * Runs the programs of the table `scheduler` (lib/ProxySQL_Admin.cpp:14021, run_once): the first time one interval after
 * the LOAD, each with an empty environment, and again when its interval is over whether or not the last run has ended.
 * Every LOAD begins all intervals anew.
 */
export class Scheduler {
  #timers: NodeJS.Timeout[] = [];
  readonly #log: (line: string) => void;

  constructor(log: (line: string) => void) {
    this.#log = log;
  }

  load(rows: readonly Row[]): void {
    this.stop();
    this.#timers = rows
      .filter((row) => row["active"] === "1")
      .map(parseJob)
      .map((job) => setInterval(() => this.#run(job), job.intervalMs).unref());
  }

  stop(): void {
    for (const timer of this.#timers) clearInterval(timer);
    this.#timers = [];
  }

  #run(job: Job): void {
    const child = spawn(job.filename, [...job.args], { env: {}, stdio: "ignore" });
    child.once("error", (error) => this.#log(`Scheduler: Failed to run ${job.filename}: ${error.message}`));
    child.unref();
  }
}

/** Arguments count up to the first that is NULL. */
function parseJob(row: Row): Job {
  const args: string[] = [];
  for (const column of ["arg1", "arg2", "arg3", "arg4", "arg5"]) {
    const value = row[column] ?? null;
    if (value === null) break;
    args.push(value);
  }
  return { intervalMs: Number(row["interval_ms"]), filename: row["filename"] ?? "", args };
}
