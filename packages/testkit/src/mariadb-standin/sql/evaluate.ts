import type { BinaryOperator, CastType, Expression, Value } from "./expression.js";
import type { VariableScope } from "./tokens.js";

/** Where an expression's names come from. Each of these throws for a name that it does not know. */
export interface Scope {
  column(name: string): Value;
  /** Number of rows that COUNT(*) counts. */
  count(): number;
  systemVariable(name: string, scope: VariableScope | undefined): Value;
  userVariable(name: string): Value;
  call(database: string | undefined, name: string, args: readonly Value[]): Value;
}

export function evaluate(expression: Expression, scope: Scope): Value {
  switch (expression.kind) {
    case "literal":
      return expression.value;
    case "column":
      return scope.column(expression.name);
    case "system variable":
      return scope.systemVariable(expression.name, expression.scope);
    case "user variable":
      return scope.userVariable(expression.name);
    case "count":
      return scope.count();
    case "call": {
      const args = expression.args.map((arg) => evaluate(arg, scope));
      return scope.call(expression.database, expression.name, args);
    }
    case "cast":
      return cast(evaluate(expression.value, scope), expression.to);
    case "not":
      return not(evaluate(expression.value, scope));
    case "negative":
      return arithmetic("-", 0, evaluate(expression.value, scope));
    case "binary":
      return binary(expression.operator, expression.left, expression.right, scope);
    case "in":
      return evaluateIn(expression, scope);
    case "is null":
      return truth((evaluate(expression.value, scope) === null) !== expression.negated);
    case "case": {
      const taken = expression.branches.find(({ when }) => isTrue(evaluate(when, scope)));
      return evaluate(taken === undefined ? expression.otherwise : taken.value, scope);
    }
  }
}

/** Is it what WHERE lets through? */
export function isTrue(value: Value): boolean {
  return value !== null && toNumber(value) !== 0;
}

/** Below zero, zero or above, as ORDER BY and comparisons have it: numbers as numbers, texts without regard to case. */
export function compareValues(left: Value, right: Value): number {
  if (left === null || right === null) return Number(right === null) - Number(left === null);
  if (typeof left === "string" && typeof right === "string") {
    const [a, b] = [left.toLowerCase(), right.toLowerCase()];
    if (a === b) return 0;
    return a < b ? -1 : 1;
  }
  return toNumber(left) - toNumber(right);
}

/** A text counts as the number that it begins with. */
function toNumber(value: string | number): number {
  return typeof value === "number" ? value : Number.parseFloat(value) || 0;
}

function truth(is: boolean): Value {
  return is ? 1 : 0;
}

function not(value: Value): Value {
  return value === null ? null : truth(!isTrue(value));
}

function binary(operator: BinaryOperator, left: Expression, right: Expression, scope: Scope): Value {
  const a = evaluate(left, scope);
  const b = evaluate(right, scope);
  if (operator === "and" || operator === "or") return logical(operator, a, b);
  if (a === null || b === null) return null;
  switch (operator) {
    case "=":
      return truth(compareValues(a, b) === 0);
    case "<>":
      return truth(compareValues(a, b) !== 0);
    case "<":
      return truth(compareValues(a, b) < 0);
    case "<=":
      return truth(compareValues(a, b) <= 0);
    case ">":
      return truth(compareValues(a, b) > 0);
    case ">=":
      return truth(compareValues(a, b) >= 0);
    case "+":
    case "-":
    case "*":
      return arithmetic(operator, a, b);
  }
}

/** One side decides alone where it is false (AND) or true (OR); else NULL makes it unknown. */
function logical(operator: "and" | "or", a: Value, b: Value): Value {
  const decides = operator === "or";
  if ([a, b].some((side) => side !== null && isTrue(side) === decides)) return truth(decides);
  return a === null || b === null ? null : truth(!decides);
}

function arithmetic(operator: "+" | "-" | "*", left: Value, right: Value): Value {
  if (left === null || right === null) return null;
  const [a, b] = [toNumber(left), toNumber(right)];
  switch (operator) {
    case "+":
      return a + b;
    case "-":
      return a - b;
    case "*":
      return a * b;
  }
}

function cast(value: Value, to: CastType): Value {
  if (value === null) return null;
  if (to === "char") return String(value);
  const rounded = Math.round(toNumber(value));
  return to === "unsigned" && rounded < 0 ? String(2n ** 64n + BigInt(rounded)) : rounded;
}

function evaluateIn({ value, list, negated }: Extract<Expression, { kind: "in" }>, scope: Scope): Value {
  const wanted = evaluate(value, scope);
  if (wanted === null) return null;
  const values = list.map((item) => evaluate(item, scope));
  const found = values.some((item) => item !== null && compareValues(item, wanted) === 0);
  if (!found && values.includes(null)) return null;
  return truth(found !== negated);
}
