import type { Admin } from "./admin.js";

/**
 * Where the guard shows that it gets through: one row in a table of our own in ProxySQL's memory. That it is in the
 * scheduler says nothing of whether it could fence; a `mysql` client that is missing, or a password that has changed,
 * would show only when it is needed. By ProxySQL's clock, which is the only one here.
 */
const NOW = "CAST(strftime('%s','now') AS INTEGER)";
const CREATE =
  "CREATE TABLE IF NOT EXISTS main.primacy_guard (id INT NOT NULL PRIMARY KEY, seen INT NOT NULL)";

/** What the guard says, now and then. The shell's form says the same. */
export const REPORT = `UPDATE primacy_guard SET seen=${NOW} WHERE id=1`;

/** Begins to count anew. Throws AdminError. */
export async function expectReport(admin: Admin): Promise<void> {
  await admin.execute(CREATE);
  await admin.execute(`INSERT OR REPLACE INTO main.primacy_guard (id, seen) VALUES (1, ${NOW})`);
}

/** For how many seconds nothing has been heard of the guard; null where nobody has begun to count. Throws AdminError. */
export async function secondsWithoutReport(admin: Admin): Promise<number | null> {
  await admin.execute(CREATE);
  const [row] = await admin.rows(`SELECT ${NOW} - seen AS seconds FROM main.primacy_guard WHERE id=1`);
  return row === undefined ? null : Number(row["seconds"]);
}
