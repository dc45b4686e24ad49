import type { Core } from "./core.js";
import { readOnlyError, SqlError } from "./errors.js";
import type { Session } from "./session.js";
import { may, mayUse, type StoredAccount } from "./storage/accounts.js";

/** Any of these privileges is enough. @throws {SqlError} 1227 */
export function needPrivilege(session: Session, ...anyOf: string[]): void {
  if (anyOf.some((privilege) => may(session.account, privilege))) return;
  const names = anyOf.join(", ");
  const text = `Access denied; you need (at least one of) the ${names} privilege(s) for this operation`;
  throw new SqlError(1227, text);
}

/** @throws {SqlError} 1142 */
export function needOnTable(
  session: Session,
  privilege: "SELECT" | "INSERT" | "CREATE",
  table: { database: string; name: string },
): void {
  const { account, address } = session;
  if (may(account, privilege, table.database)) return;
  const where = `\`${table.database}\`.\`${table.name}\``;
  const who = `'${account.user}'@'${address}'`;
  throw new SqlError(1142, `${privilege} command denied to user ${who} for table ${where}`);
}

/** @throws {SqlError} 1044 */
export function needInDatabase(account: StoredAccount, privilege: string, database: string): void {
  if (!may(account, privilege, database)) throw noDatabase(account, database);
}

/** @throws {SqlError} 1044 or 1049 */
export function needUsableDatabase(core: Core, account: StoredAccount, database: string): void {
  if (!mayUse(account, database)) throw noDatabase(account, database);
  core.catalog.needDatabase(database);
}

/** @throws {SqlError} 1370 */
export function needExecute(session: Session, database: string, name: string): void {
  const { account } = session;
  if (may(account, "EXECUTE", database)) return;
  const text = `execute command denied to user '${account.user}'@'%' for routine '${database}.${name}'`;
  throw new SqlError(1370, text);
}

/** Whether read_only binds it: since MariaDB 10.11, SUPER alone is not enough to write all the same. @throws {SqlError} 1290 */
export function needWritable(core: Core, session: Session): void {
  if (core.readOnly && !may(session.account, "READ_ONLY ADMIN")) throw readOnlyError();
}

function noDatabase(account: StoredAccount, database: string): SqlError {
  return new SqlError(1044, `Access denied for user '${account.user}'@'%' to database '${database}'`);
}
