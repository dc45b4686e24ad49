import type { PrivilegeGroups, Privileges } from "../database/dialect.js";
import type { Row } from "../database/session.js";

/** What an account may do, as far as SHOW GRANTS tells. */
export interface Grants {
  /** On all databases, in capitals. */
  readonly everywhere: ReadonlySet<string>;
  /** It has roles, whose privileges are not shown. */
  readonly hasRoles: boolean;
}

export const GRANTS_STATEMENT = "SHOW GRANTS";

/** Reads the answer: one column, named after the account. It has password hashes in it, and is not to be shown. Pure. */
export function readGrants(rows: readonly Row[]): Grants {
  const lines = rows.map((row) => String(Object.values(row)[0] ?? ""));
  const everywhere = lines.flatMap((line) => {
    const found = /^GRANT (.+?) ON \*\.\* TO /.exec(line);
    return found?.[1] === undefined ? [] : found[1].toUpperCase().split(/, */);
  });
  const hasRoles = lines.some((line) => line.startsWith("GRANT ") && !line.includes(" ON "));
  return { everywhere: new Set(everywhere), hasRoles };
}

/** The privileges that are not there; of several that would do, the first. Pure. */
export function missingPrivileges(
  { toSilence, toOpen }: Privileges,
  { everywhere }: Grants,
  opens: boolean,
): readonly string[] {
  if (everywhere.has("ALL PRIVILEGES")) return [];
  const groups: PrivilegeGroups = opens ? [...toSilence, ...toOpen] : toSilence;
  return groups
    .filter((group) => !group.some((name) => everywhere.has(name)))
    .flatMap(([first]) => first ?? []);
}
