import { needOnTable } from "../access.js";
import type { Core } from "../core.js";
import { SqlError } from "../errors.js";
import type { Session } from "../session.js";
import { compareValues, evaluate, isTrue, type Scope } from "../sql/evaluate.js";
import type { Expression } from "../sql/expression.js";
import type { Select, SelectItem } from "../sql/statement.js";
import type { StoredRow } from "../storage/change.js";
import { parseGtids } from "../storage/gtid.js";
import { columnIndex, type Table } from "../storage/table.js";
import type { Answer } from "./answer.js";
import { sessionScope, unknownColumn } from "./scope.js";
import { currentTransaction } from "./transaction.js";

/** Longest wait of MASTER_GTID_WAIT, whatever it was asked for. Milliseconds. */
const LONGEST_WAIT_MS = 3_600_000;

export function select(
  core: Core,
  session: Session,
  statement: Select,
  signal: AbortSignal,
): Answer | Promise<Answer> {
  const { from, items, limit } = statement;
  if (from !== undefined) return selectFrom(core, session, statement);
  const waits = items.length === 1 ? gtidWait(items[0]) : undefined;
  if (waits !== undefined) return waitForGtid(core, session, { ...waits, signal });
  const scope = sessionScope(core, session);
  const row = items.map(({ value }) => (value === undefined ? null : evaluate(value, scope)));
  return { kind: "rows", columns: items.map(({ title }) => title), rows: limit === 0 ? [] : [row] };
}

function selectFrom(core: Core, session: Session, statement: Select): Answer {
  const { from, where, orderBy, limit } = statement;
  if (from === undefined) throw new TypeError("a table was to be read");
  const name = core.catalog.qualified(from, session.database);
  needOnTable(session, "SELECT", name);
  const table = core.catalog.needTable(name.database, name.name);
  const items = withoutStars(statement.items, table);
  const scopeOf = rowScopes(core, session, table);
  checkNames(items, where, (clause) => scopeOf(emptyRow(table), clause));
  const rows = visibleRows(core, session, table).filter(
    (row) => where === undefined || isTrue(evaluate(where, scopeOf(row, "WHERE"))),
  );
  const columns = items.map(({ title }) => title);
  if (items.some(({ value }) => hasCount(value))) {
    const scope = countScope(sessionScope(core, session), rows.length);
    return { kind: "rows", columns, rows: [items.map(({ value }) => evaluate(value, scope))] };
  }
  const sorted = orderBy.length === 0 ? rows : sortedRows(rows, orderBy, table);
  const answered = sorted.slice(0, limit).map((row) => {
    const scope = scopeOf(row, "SELECT");
    return items.map(({ value }) => evaluate(value, scope));
  });
  return { kind: "rows", columns, rows: answered };
}

function visibleRows(core: Core, session: Session, table: Table): readonly StoredRow[] {
  const transaction = currentTransaction(session);
  return transaction === undefined ? table.rows : transaction.read(table, () => core.catalog.rowCounts());
}

/** Counting mixes with no column here: MariaDB would take a row by chance. */
function countScope(scope: Scope, count: number): Scope {
  return {
    ...scope,
    count: () => count,
    column: (name) => {
      throw new SqlError(1064, `the MariaDB stand-in does not read the column '${name}' beside COUNT(*)`);
    },
  };
}

function rowScopes(
  core: Core,
  session: Session,
  table: Table,
): (row: StoredRow, clause: "SELECT" | "WHERE") => Scope {
  const outer = sessionScope(core, session);
  return (row, clause) => ({
    ...outer,
    column: (name) => {
      const value = row[columnIndex(table, name)];
      if (value === undefined) throw unknownColumn(name, clause);
      return value;
    },
  });
}

function emptyRow(table: Table): StoredRow {
  return table.columns.map(() => null);
}

/** A name that does not exist is an error though there be no row to ask for it. */
function checkNames(
  items: readonly { value: Expression }[],
  where: Expression | undefined,
  scopeOf: (clause: "SELECT" | "WHERE") => Scope,
): void {
  for (const { value } of items) evaluate(value, scopeOf("SELECT"));
  if (where !== undefined) evaluate(where, scopeOf("WHERE"));
}

function withoutStars(items: readonly SelectItem[], table: Table): { value: Expression; title: string }[] {
  return items.flatMap(({ value, title }) =>
    value === undefined
      ? table.columns.map(({ name }) => ({ value: { kind: "column" as const, name }, title: name }))
      : [{ value, title }],
  );
}

function hasCount(expression: Expression): boolean {
  switch (expression.kind) {
    case "count":
      return true;
    case "cast":
    case "not":
    case "negative":
    case "is null":
      return hasCount(expression.value);
    case "binary":
      return hasCount(expression.left) || hasCount(expression.right);
    case "call":
      return expression.args.some(hasCount);
    case "in":
      return [expression.value, ...expression.list].some(hasCount);
    case "case":
      return [expression.otherwise, ...expression.branches.flatMap(({ when, value }) => [when, value])].some(
        hasCount,
      );
    case "literal":
    case "column":
    case "system variable":
    case "user variable":
      return false;
  }
}

function sortedRows(
  rows: readonly StoredRow[],
  orderBy: Select["orderBy"],
  table: Table,
): readonly StoredRow[] {
  const keys = orderBy.map(({ column, descending }) => {
    const index = columnIndex(table, column);
    if (index < 0) throw unknownColumn(column, "ORDER BY");
    return { index, sign: descending ? -1 : 1 };
  });
  return [...rows].sort((a, b) => {
    for (const { index, sign } of keys) {
      const order = sign * compareValues(a[index] ?? null, b[index] ?? null);
      if (order !== 0) return order;
    }
    return 0;
  });
}

interface GtidWait {
  title: string;
  args: readonly Expression[];
}

function gtidWait(item: SelectItem | undefined): GtidWait | undefined {
  const call = item?.value?.kind === "call" ? item.value : undefined;
  if (item === undefined || call?.database !== undefined || call?.name !== "master_gtid_wait")
    return undefined;
  return { title: item.title, args: call.args };
}

/** MASTER_GTID_WAIT(position, seconds): 0, or -1 where the time was over. */
async function waitForGtid(
  core: Core,
  session: Session,
  wait: GtidWait & { signal: AbortSignal },
): Promise<Answer> {
  const scope = sessionScope(core, session);
  const [position = "", seconds] = wait.args.map((arg) => evaluate(arg, scope));
  const limitMs = seconds === undefined ? LONGEST_WAIT_MS : Number(seconds) * 1000;
  const wanted = parseGtids(String(position ?? ""));
  const reached = await core.replica.waitFor(wanted, Math.min(limitMs, LONGEST_WAIT_MS), wait.signal);
  if (wait.signal.aborted) throw new SqlError(1317, "Query execution was interrupted");
  return { kind: "rows", columns: [wait.title], rows: [[reached ? 0 : -1]] };
}
