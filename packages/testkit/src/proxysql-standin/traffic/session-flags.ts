import { STATUS } from "../wire/constants.js";

/** What ties a session to its backend connection (ProxySQL: "multiplexing disabled"). */
export interface Ties {
  readonly userVariable: boolean;
  readonly prepared: boolean;
  readonly temporaryTable: boolean;
  readonly lockTables: boolean;
  readonly getLock: boolean;
  readonly foundRows: boolean;
  readonly savepoint: boolean;
  readonly warnings: boolean;
  /** By a query rule with multiplex=0. */
  readonly byRule: boolean;
  /** Statements left until the connection is given back after an auto-increment INSERT. */
  readonly delayedStatements: number;
}

export const UNTIED: Ties = {
  userVariable: false,
  prepared: false,
  temporaryTable: false,
  lockTables: false,
  getLock: false,
  foundRows: false,
  savepoint: false,
  warnings: false,
  byRule: false,
  delayedStatements: 0,
};

/** A statement that has just succeeded on the connection. */
export interface Finished {
  readonly digest: string;
  /** Server status after it. */
  readonly status: number;
  readonly warnings: number;
  readonly insertId: number;
  readonly affectedRows: number;
  /** mysql_query_rules.multiplex of the rules that matched. */
  readonly multiplexRule: number | undefined;
  /** The statement is a SET that ProxySQL can't repeat on another connection. */
  readonly locksHostgroup: boolean;
  /** mysql-auto_increment_delay_multiplex. */
  readonly delayAfterInsert: number;
  /** mysql-keep_multiplexing_variables. */
  readonly keepVariables: string;
}

/** The ties after a statement (lib/mysql_connection.cpp:2838, ProcessQueryAndSetStatusFlags). */
export function afterStatement(before: Ties, finished: Finished): Ties {
  const text = finished.digest.toUpperCase();
  const inTransaction = (finished.status & STATUS.IN_TRANSACTION) !== 0;
  const inserted = finished.insertId > 0 && finished.affectedRows > 0;
  return {
    userVariable: before.userVariable || finished.locksHostgroup || readsVariable(finished),
    prepared: before.prepared || text.startsWith("PREPARE "),
    temporaryTable: before.temporaryTable || text.startsWith("CREATE TEMPORARY TABLE "),
    lockTables: lockedTables(before.lockTables, text),
    getLock: before.getLock || text.includes("GET_LOCK("),
    foundRows: before.foundRows || text.includes("SQL_CALC_FOUND_ROWS"),
    savepoint: inTransaction && (before.savepoint || text.startsWith("SAVEPOINT ")),
    warnings: before.warnings ? /^SHOW (COUNT\(\*\) )?WARNINGS$/.test(text) : finished.warnings > 0,
    byRule: finished.multiplexRule === 1 ? false : before.byRule || finished.multiplexRule === 0,
    delayedStatements: inserted ? finished.delayAfterInsert : Math.max(0, before.delayedStatements - 1),
  };
}

/** True while the session must keep its connection for another reason than an open transaction. */
export function isTied(ties: Ties): boolean {
  return ties.delayedStatements > 0 || isTiedForGood(ties);
}

/** As {@link isTied}, but without the wait after an auto-increment INSERT. */
export function isTiedForGood(ties: Ties): boolean {
  const { delayedStatements: _delayed, ...flags } = ties;
  return Object.values(flags).some(Boolean);
}

/** Any "@" in a statement that is not SET, except in SELECTs of variables that are known to be the same everywhere. */
function readsVariable(finished: Finished): boolean {
  if (finished.multiplexRule === 2 || /^SET /i.test(finished.digest)) return false;
  return finished.digest.includes("@") && !readsKeptVariables(finished);
}

function readsKeptVariables({ digest, keepVariables }: Finished): boolean {
  const [, list] = /^SELECT (.*)$/is.exec(digest) ?? [];
  if (list === undefined) return false;
  const kept = keepVariables
    .split(/[ ,]+/)
    .filter((name) => name !== "")
    .map((name) => name.toLowerCase());
  const names = list
    .toLowerCase()
    .replace(/@@(session\.|local\.)?/g, "")
    .split(",")
    .map((name) => name.trim());
  return names.every((name) => kept.some((start) => name.startsWith(start)));
}

function lockedTables(before: boolean, text: string): boolean {
  if (text.startsWith("UNLOCK TABLES")) return false;
  return before || text.startsWith("LOCK TABLE") || text.startsWith("FLUSH TABLES WITH READ LOCK");
}
