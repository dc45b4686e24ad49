import { NotUnderstood } from "../errors.js";
import { isReserved, parseExpression } from "./expression.js";
import type { Insert, Name, Select, SelectItem } from "./statement.js";
import type { Tokens } from "./tokens.js";

/** After SELECT. */
export function parseSelect(tokens: Tokens): Select {
  const items = tokens.list(() => parseItem(tokens));
  const from = tokens.takeWords("FROM") ? parseTableName(tokens) : undefined;
  const where = from !== undefined && tokens.takeWords("WHERE") ? parseExpression(tokens) : undefined;
  const orderBy =
    from !== undefined && tokens.takeWords("ORDER", "BY") ? tokens.list(() => parseOrder(tokens)) : [];
  const limit = tokens.takeWords("LIMIT") ? tokens.needNumber() : undefined;
  if (from === undefined && items.some(({ value }) => value === undefined)) {
    throw new NotUnderstood("* without a table");
  }
  return { kind: "select", items, from, where, orderBy, limit };
}

/** After INSERT INTO. */
export function parseInsert(tokens: Tokens): Insert {
  const into = parseTableName(tokens);
  let columns: string[] | undefined;
  if (tokens.takeSign("(")) {
    columns = tokens.list(() => tokens.needName());
    tokens.needSign(")");
  }
  if (!tokens.takeWords("VALUES")) tokens.needWords("VALUE");
  const rows = tokens.list(() => {
    tokens.needSign("(");
    const row = tokens.list(() => parseExpression(tokens));
    tokens.needSign(")");
    return row;
  });
  return { kind: "insert", into, columns, rows };
}

/** `name` or `database.name` */
export function parseTableName(tokens: Tokens): Name {
  const first = tokens.needName();
  if (!tokens.takeSign(".")) return { database: undefined, name: first };
  return { database: first, name: tokens.needName() };
}

function parseItem(tokens: Tokens): SelectItem {
  if (tokens.takeSign("*")) return { value: undefined, title: "*" };
  const start = tokens.offset;
  const value = parseExpression(tokens);
  const text = tokens.textFrom(start);
  if (tokens.takeWords("AS")) return { value, title: tokens.takeText() ?? tokens.needName() };
  const next = tokens.nextWord;
  const alias = next === undefined || !isReserved(next) ? tokens.takeName() : undefined;
  if (alias !== undefined) return { value, title: alias };
  // A text stands for itself; everything else is called as it was written.
  const title = value.kind === "literal" && typeof value.value === "string" ? value.value : text;
  return { value, title };
}

function parseOrder(tokens: Tokens): { column: string; descending: boolean } {
  const column = tokens.needName();
  const descending = tokens.takeWords("DESC");
  if (!descending) tokens.takeWords("ASC");
  return { column, descending };
}
