import { describe, expect, it } from "vitest";
import { RULE_IDS } from "../../packages/contract/src/rules.js";
import { type Case, CASES } from "../../packages/contract/test/cases.js";
import { bare, readText, tableRows } from "./markdown.js";

const rows = tableRows(readText("docs/rules.md"));

/** How the cell of a rule begins that a case reaches. */
function outcome({ expected }: Case): string {
  if (typeof expected === "object") return "Written";
  return expected === "nothing" ? "Nothing" : `Refused: ${expected}`;
}

describe("docs/rules.md", () => {
  it("lists every rule once, in the order of the code", () => {
    expect(rows.map(([rule]) => bare(rule))).toEqual([...RULE_IDS]);
  });

  it.each(rows.map(([rule, when, what]) => [bare(rule), when!, what!] as const))(
    "says of %s what the code does",
    (rule, when, what) => {
      expect(when).toMatch(/\.$/);
      const outcomes = new Set(CASES.filter((one) => one.rule === rule).map(outcome));
      expect(outcomes.size).toBe(1);
      expect(what.startsWith([...outcomes][0]!)).toBe(true);
    },
  );
});
