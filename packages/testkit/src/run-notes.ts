import { appendFileSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { primacyFolder } from "./primacy-folder.js";

/** What the last lines of a test run say: which real programs were used, what was left out, and what else people must know. */
export type RunNotes = "used.log" | "left-out.log" | "unusual.log";

/** Writes down one line for the end of the test run. */
export function noteForTheEnd(notes: RunNotes, line: string): void {
  const path = primacyFolder(notes);
  mkdirSync(dirname(path), { recursive: true });
  appendFileSync(path, `${line.replaceAll(/\s*\n\s*/g, " | ")}\n`);
}
