import { appendFileSync, closeSync, constants, openSync } from "node:fs";
import type { Ending } from "./ending.js";
import { errorText } from "./errors.js";
import { exitCode } from "./exit-codes.js";
import type { Terminal } from "./terminal.js";

/** What a line of the log says beside the ending. */
export interface RunFacts {
  /** ISO 8601, with milliseconds. */
  readonly time: string;
  readonly command: string;
  readonly hook?: string | undefined;
  readonly cluster?: string | undefined;
  readonly recoveryUid?: string | undefined;
  /** What the process really exits with: a Pre hook's failure may be turned into 0. */
  readonly code: number;
  /** Since the process began. */
  readonly durationMs: number;
}

/**
 * One JSON line for the run, to the file `target` or to `stderr`. A log that can't be written is told and stops
 * nothing.
 */
export function writeRunLog(
  target: string | undefined,
  facts: RunFacts,
  ending: Ending,
  terminal: Terminal,
): void {
  if (target === undefined) return;
  const line = JSON.stringify({
    level: exitCode(ending.exit) === 0 ? "info" : "error",
    program: "primacy-writer",
    ...facts,
    outcome: ending.exit,
    ...ending.fields,
    msg: ending.line,
    ...(ending.notes === undefined || ending.notes.length === 0 ? {} : { notes: ending.notes }),
  });
  if (target === "stderr") {
    terminal.err(line);
    return;
  }
  try {
    appendLine(target, line);
  } catch (error) {
    terminal.err(`primacy: the log ${target} can't be written: ${errorText(error)}`);
  }
}

/** Never waits: a pipe that nobody reads would hold the hook, and with it the failover. */
function appendLine(target: string, line: string): void {
  const { O_WRONLY, O_APPEND, O_CREAT, O_NONBLOCK } = constants;
  const file = openSync(target, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK, 0o640);
  try {
    appendFileSync(file, `${line}\n`);
  } finally {
    closeSync(file);
  }
}
