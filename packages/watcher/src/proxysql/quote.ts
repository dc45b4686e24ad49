/**
 * A text as SQLite reads it: quotes doubled, backslashes left alone. mysql2's placeholders and `escape` write MySQL's
 * escapes, which SQLite does not know: an injection on the admin port (ProxySQL 2.7.1, observed).
 */
export function quote(text: string): string {
  if (text.includes("\u0000")) throw new RangeError("a text with a NUL byte cannot stand in a statement");
  return `'${text.replaceAll("'", "''")}'`;
}

/** A whole number, as it stands in a statement. */
export function integer(value: number): string {
  if (!Number.isSafeInteger(value)) throw new RangeError(`${String(value)} is not a whole number`);
  return String(value);
}
