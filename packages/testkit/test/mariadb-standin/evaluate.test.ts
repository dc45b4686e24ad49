import { describe, expect, it } from "vitest";
import { compareValues, evaluate, type Scope } from "../../src/mariadb-standin/sql/evaluate.js";
import type { Value } from "../../src/mariadb-standin/sql/expression.js";
import { parseExpression } from "../../src/mariadb-standin/sql/expression.js";
import { Tokens } from "../../src/mariadb-standin/sql/tokens.js";

const scope: Scope = {
  column: (name) => `column ${name}`,
  count: () => 42,
  systemVariable: (name, from) => `${from ?? "any"} ${name}`,
  userVariable: (name) => `user ${name}`,
  call: (database, name, args) => `${database ?? ""}.${name}(${args.join()})`,
};

function valueOf(sql: string): Value {
  const tokens = new Tokens(sql);
  const expression = parseExpression(tokens);
  tokens.needEnd();
  return evaluate(expression, scope);
}

// What MariaDB 10.11 answers to SELECT with each of these.
describe("an expression", () => {
  it.each<[string, Value]>([
    ["1 + 2 * 3 - -4", 11],
    ["(1 + 2) * 3", 9],
    ["1 = 1 AND 2 = 3 OR 4 <> 5", 1],
    ["NOT 1 = 2", 1],
    ["1 < 2", 1],
    ["'10' > 9", 1],
    ["'a' = 'A'", 1],
    ["'it''s'", "it's"],
    [String.raw`'a\'b\n\\'`, "a'b\n\\"],
    ['"say ""it"""', 'say "it"'],
    ["NULL = NULL", null],
    ["NULL IS NULL", 1],
    ["1 IS NOT NULL", 1],
    ["NULL AND 0", 0],
    ["NULL AND 1", null],
    ["NULL OR 1", 1],
    ["NOT NULL", null],
    ["3 IN (1, 2, 3)", 1],
    ["3 NOT IN (1, 2)", 1],
    ["3 IN (1, NULL)", null],
    ["CASE WHEN 1 = 2 THEN 'a' WHEN 2 = 2 THEN 'b' ELSE 'c' END", "b"],
    ["CASE WHEN 1 = 2 THEN 'a' END", null],
    ["CAST('12.6 or so' AS UNSIGNED)", 13],
    ["CAST(1.4 AS SIGNED)", 1],
    ["CAST(-1 AS UNSIGNED)", "18446744073709551615"],
    ["CAST(5 AS CHAR)", "5"],
    ["TRUE = 1", 1],
  ])("%s is %j", (sql, value) => {
    expect(valueOf(sql)).toBe(value);
  });

  it("asks its scope for every name", () => {
    expect(valueOf("id")).toBe("column id");
    expect(valueOf("`odd name`")).toBe("column odd name");
    expect(valueOf("@@global.Read_Only")).toBe("global read_only");
    expect(valueOf("@@port")).toBe("any port");
    expect(valueOf("@Pinned")).toBe("user pinned");
    expect(valueOf("COUNT(*)")).toBe(42);
    expect(valueOf("app.answered_by()")).toBe("app.answered_by()");
    expect(valueOf("unix_timestamp(1 + 1)")).toBe(".unix_timestamp(2)");
    expect(valueOf("CURRENT_TIMESTAMP")).toBe(".current_timestamp()");
  });

  it("sorts NULL first, numbers as numbers and texts without regard to case", () => {
    expect([10, 9, null, 2].sort(compareValues)).toEqual([null, 2, 9, 10]);
    expect(["b", "A", "C"].sort(compareValues)).toEqual(["A", "b", "C"]);
  });
});
