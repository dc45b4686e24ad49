import { needWritable } from "../access.js";
import type { Core } from "../core.js";
import type { Session } from "../session.js";
import { Transaction } from "../storage/transaction.js";

/** START TRANSACTION: what was open is committed first. @throws {SqlError} */
export function begin(core: Core, session: Session): void {
  commit(core, session);
  session.transaction = new Transaction();
}

/**
 * Stores what the session has written, if it has.
 *
 * @throws {SqlError} 1290 where the server has become read-only meanwhile; the transaction is rolled back then
 */
export function commit(core: Core, session: Session): void {
  const { transaction } = session;
  session.transaction = undefined;
  if (transaction === undefined || transaction.inserts.length === 0) return;
  needWritable(core, session);
  core.store({ kind: "rows", inserts: transaction.inserts });
}

export function rollBack(session: Session): void {
  session.transaction = undefined;
}

/** The transaction in which a statement runs that touches a table; undefined where it is one by itself. */
export function currentTransaction(session: Session): Transaction | undefined {
  if (!session.autocommit) session.transaction ??= new Transaction();
  return session.transaction;
}

/** SET autocommit: switching it on commits. */
export function setAutocommit(core: Core, session: Session, on: boolean): void {
  if (on && !session.autocommit) commit(core, session);
  session.autocommit = on;
}
