// The two ways in which Orchestrator's SQLite backend gives an instant, both UTC and whole seconds.

/** `2026-11-21T09:45:51Z`, of a TIMESTAMP column. */
export function timestamp(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

/** `2026-11-21 09:45:51`, of an expression such as IFNULL(column, ''). */
export function dateTime(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19).replace("T", " ");
}
