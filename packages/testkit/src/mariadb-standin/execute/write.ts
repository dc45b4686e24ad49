import { needInDatabase, needOnTable, needPrivilege, needWritable } from "../access.js";
import type { Core } from "../core.js";
import { SqlError } from "../errors.js";
import type { Session } from "../session.js";
import { evaluate } from "../sql/evaluate.js";
import type { Expression, Value } from "../sql/expression.js";
import type { Definition, Insert } from "../sql/statement.js";
import type { StoredRow } from "../storage/change.js";
import { columnIndex, rowToStore, type Table, tableKey } from "../storage/table.js";
import { type Answer, OK } from "./answer.js";
import { sessionScope, unknownColumn } from "./scope.js";
import { commit, currentTransaction } from "./transaction.js";

export function insert(core: Core, session: Session, statement: Insert): Answer {
  needWritable(core, session);
  const name = core.catalog.qualified(statement.into, session.database);
  needOnTable(session, "INSERT", name);
  const table = core.catalog.needTable(name.database, name.name);
  const rows = rowsToStore(core, session, table, statement);
  const transaction = currentTransaction(session);
  if (transaction !== undefined) transaction.add(table, rows);
  else core.store({ kind: "rows", inserts: [{ table: tableKey(table.database, table.name), rows }] });
  if (rows.length === 1) return { kind: "ok", affectedRows: 1 };
  const info = `Records: ${rows.length}  Duplicates: 0  Warnings: 0`;
  return { kind: "ok", affectedRows: rows.length, info };
}

/** What is open is committed first, whether the definition succeeds or not. */
export function define(core: Core, session: Session, definition: Definition, sql: string): Answer {
  needWritable(core, session);
  commit(core, session);
  needDefinitionPrivilege(core, session, definition);
  core.store({ kind: "definition", sql, database: session.database });
  return OK;
}

function rowsToStore(core: Core, session: Session, table: Table, { columns, rows }: Insert): StoredRow[] {
  const indexes = columns?.map((name) => {
    const index = columnIndex(table, name);
    if (index < 0) throw unknownColumn(name, "INSERT INTO");
    return index;
  });
  const into = indexes ?? table.columns.map((_column, index) => index);
  const scope = sessionScope(core, session, "VALUES");
  const valueOf = (expression: Expression | undefined): Value =>
    expression === undefined ? null : evaluate(expression, scope);
  return rows.map((row, index) => {
    if (row.length !== into.length) {
      throw new SqlError(1136, `Column count doesn't match value count at row ${index + 1}`);
    }
    const given = new Map(into.map((column, place) => [column, valueOf(row[place])]));
    return rowToStore(table, given, ({ byDefault }) => valueOf(byDefault), index + 1);
  });
}

function needDefinitionPrivilege(core: Core, session: Session, definition: Definition): void {
  const { catalog } = core;
  switch (definition.kind) {
    case "create table":
      return needOnTable(session, "CREATE", catalog.qualified(definition.table, session.database));
    case "create function": {
      const { database } = catalog.qualified(definition.function, session.database);
      return needInDatabase(session.account, "CREATE ROUTINE", database);
    }
    case "create database":
      return needInDatabase(session.account, "CREATE", definition.database);
    case "create user":
      return needPrivilege(session, "CREATE USER");
    case "grant":
      return definition.database === undefined
        ? needPrivilege(session, "GRANT OPTION")
        : needInDatabase(session.account, "GRANT OPTION", definition.database);
  }
}
