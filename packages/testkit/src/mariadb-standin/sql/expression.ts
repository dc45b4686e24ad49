import { NotUnderstood } from "../errors.js";
import type { Tokens, VariableScope } from "./tokens.js";

/** A value of SQL. Truth is 1 or 0. */
export type Value = string | number | null;

export type BinaryOperator = "or" | "and" | "=" | "<>" | "<" | "<=" | ">" | ">=" | "+" | "-" | "*";

export type CastType = "unsigned" | "signed" | "char";

/** What can be computed. */
export type Expression =
  | { kind: "literal"; value: Value }
  | { kind: "column"; name: string }
  | { kind: "system variable"; name: string; scope: VariableScope | undefined }
  | { kind: "user variable"; name: string }
  | { kind: "count" }
  | { kind: "call"; database: string | undefined; name: string; args: Expression[] }
  | { kind: "cast"; value: Expression; to: CastType }
  | { kind: "not" | "negative"; value: Expression }
  | { kind: "binary"; operator: BinaryOperator; left: Expression; right: Expression }
  | { kind: "in"; value: Expression; list: Expression[]; negated: boolean }
  | { kind: "is null"; value: Expression; negated: boolean }
  | { kind: "case"; branches: { when: Expression; value: Expression }[]; otherwise: Expression };

/** Words that can't be a column's bare name, as far as they come up where an expression may end. */
const RESERVED = new Set(
  "AND AS ASC BY CASE DESC ELSE FOR FROM GROUP HAVING IN INTO IS JOIN LIKE LIMIT LOCK NOT ON OR ORDER PROCEDURE SELECT SET THEN UNION USING VALUES WHEN WHERE WITH".split(
    " ",
  ),
);

const NULL: Expression = { kind: "literal", value: null };

export function isReserved(word: string): boolean {
  return RESERVED.has(word);
}

/** @throws {NotUnderstood} */
export function parseExpression(tokens: Tokens): Expression {
  return parseLevel(tokens, 0);
}

type Level = (tokens: Tokens) => BinaryOperator | undefined;

/** From the loosest to the tightest. */
const LEVELS: readonly Level[] = [
  (tokens) => (tokens.takeWords("OR") ? "or" : undefined),
  (tokens) => (tokens.takeWords("AND") ? "and" : undefined),
  comparison,
  (tokens) => (["+", "-"] as const).find((sign) => tokens.takeSign(sign)),
  (tokens) => (tokens.takeSign("*") ? "*" : undefined),
];

const COMPARISON_LEVEL = 2;

function comparison(tokens: Tokens): BinaryOperator | undefined {
  const found = (["=", "<>", "!=", "<=", ">=", "<", ">"] as const).find((sign) => tokens.takeSign(sign));
  return found === "!=" ? "<>" : found;
}

function parseLevel(tokens: Tokens, level: number): Expression {
  const operator = LEVELS[level];
  if (operator === undefined) return parseUnary(tokens);
  if (level === COMPARISON_LEVEL && tokens.takeWords("NOT")) {
    return { kind: "not", value: parseLevel(tokens, level) };
  }
  let left = parseLevel(tokens, level + 1);
  for (;;) {
    const tested = level === COMPARISON_LEVEL ? parseTest(tokens, left) : undefined;
    if (tested !== undefined) {
      left = tested;
      continue;
    }
    const found = operator(tokens);
    if (found === undefined) return left;
    left = { kind: "binary", operator: found, left, right: parseLevel(tokens, level + 1) };
  }
}

/** `IS [NOT] NULL` and `[NOT] IN (…)` */
function parseTest(tokens: Tokens, value: Expression): Expression | undefined {
  if (tokens.takeWords("IS", "NOT", "NULL")) return { kind: "is null", value, negated: true };
  if (tokens.takeWords("IS", "NULL")) return { kind: "is null", value, negated: false };
  const negated = tokens.takeWords("NOT", "IN");
  if (!negated && !tokens.takeWords("IN")) return undefined;
  tokens.needSign("(");
  const list = tokens.list(() => parseExpression(tokens));
  tokens.needSign(")");
  return { kind: "in", value, list, negated };
}

function parseUnary(tokens: Tokens): Expression {
  if (tokens.takeSign("-")) return { kind: "negative", value: parseUnary(tokens) };
  if (tokens.takeSign("(")) {
    const inner = parseExpression(tokens);
    tokens.needSign(")");
    return inner;
  }
  const number = tokens.takeNumber();
  if (number !== undefined) return literal(number);
  const text = tokens.takeText();
  if (text !== undefined) return { kind: "literal", value: text };
  const system = tokens.takeSystemVariable();
  if (system !== undefined) return { kind: "system variable", ...system };
  const user = tokens.takeUserVariable();
  if (user !== undefined) return { kind: "user variable", name: user };
  return parseWord(tokens);
}

function literal(value: number): Expression {
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
    throw new NotUnderstood(`${value} is too large a number`);
  }
  return { kind: "literal", value };
}

function parseWord(tokens: Tokens): Expression {
  if (tokens.takeWords("NULL")) return NULL;
  if (tokens.takeWords("TRUE")) return literal(1);
  if (tokens.takeWords("FALSE")) return literal(0);
  if (tokens.takeWords("CASE", "WHEN")) return parseCase(tokens);
  const word = tokens.nextWord;
  if (word !== undefined && RESERVED.has(word)) throw new NotUnderstood(`${word} where a value should be`);
  const first = tokens.needName();
  const database = tokens.takeSign(".") ? first : undefined;
  const name = database === undefined ? first : tokens.needName();
  if (tokens.takeSign("(")) return parseCall(tokens, database, name);
  // A function of SQL that needs no brackets.
  if (database === undefined && name.toUpperCase() === "CURRENT_TIMESTAMP") {
    return { kind: "call", database, name: "current_timestamp", args: [] };
  }
  if (database !== undefined) throw new NotUnderstood(`the column ${database}.${name}`);
  return { kind: "column", name };
}

function parseCall(tokens: Tokens, database: string | undefined, name: string): Expression {
  const word = database === undefined ? name.toUpperCase() : "";
  if (word === "COUNT" && tokens.takeSign("*")) {
    tokens.needSign(")");
    return { kind: "count" };
  }
  if (word === "CAST") return parseCast(tokens);
  if (tokens.takeSign(")")) return { kind: "call", database, name: name.toLowerCase(), args: [] };
  const args = tokens.list(() => parseExpression(tokens));
  tokens.needSign(")");
  return { kind: "call", database, name: name.toLowerCase(), args };
}

function parseCast(tokens: Tokens): Expression {
  const value = parseExpression(tokens);
  tokens.needWords("AS");
  const to = (["unsigned", "signed", "char"] as const).find((type) => tokens.takeWords(type.toUpperCase()));
  if (to === undefined) throw new NotUnderstood("a type that values can't be cast to here");
  tokens.needSign(")");
  return { kind: "cast", value, to };
}

function parseCase(tokens: Tokens): Expression {
  const branches: { when: Expression; value: Expression }[] = [];
  do {
    const when = parseExpression(tokens);
    tokens.needWords("THEN");
    branches.push({ when, value: parseExpression(tokens) });
  } while (tokens.takeWords("WHEN"));
  const otherwise = tokens.takeWords("ELSE") ? parseExpression(tokens) : NULL;
  tokens.needWords("END");
  return { kind: "case", branches, otherwise };
}
