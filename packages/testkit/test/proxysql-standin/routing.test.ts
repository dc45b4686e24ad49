import { describe, expect, it } from "vitest";
import { digest, withoutLeadingComments } from "../../src/proxysql-standin/traffic/digest.js";
import { applyRules, parseRules } from "../../src/proxysql-standin/traffic/rules.js";
import { parseUsers, runtimeUserRows } from "../../src/proxysql-standin/traffic/users.js";

describe("the digest of a statement", () => {
  it.each([
    ["SELECT  *\nFROM t WHERE a = 'x' AND b=5", "SELECT * FROM t WHERE a = ? AND b=?"],
    ["SELECT /* c */ 'it''s' , \"a\\\"b\"", "SELECT ?,?"],
    ["SELECT 1 -- tail", "SELECT ?"],
    ["SELECT 'a@b'", "SELECT ?"],
    ["SELECT @a, @@port", "SELECT @a,@@port"],
    ["SELECT `a@b`", "SELECT `a@b`"],
    ["# all comment", ""],
  ])("%j is %j", (text, expected) => {
    expect(digest(text)).toBe(expected);
  });

  it("is of the statement after its comments", () => {
    expect(withoutLeadingComments(" /* a */ -- b\n # c\nSELECT 1")).toBe("SELECT 1");
  });
});

describe("query rules", () => {
  const rule = (id: number, columns: Record<string, string | null>) => ({
    rule_id: String(id),
    active: "1",
    flagIN: "0",
    re_modifiers: "CASELESS",
    negate_match_pattern: "0",
    apply: "0",
    ...columns,
  });
  const ask = (rows: Record<string, string | null>[], text: string, user = "app") =>
    applyRules(parseRules(rows), { user, schema: "app", text, digest: digest(text) });

  const readWriteSplit = [
    rule(2, { match_digest: "^SELECT", destination_hostgroup: "20", apply: "1" }),
    rule(1, { match_digest: "^SELECT.*FOR UPDATE", destination_hostgroup: "10", apply: "1" }),
  ];

  it("are looked at by number, and the first that applies ends it", () => {
    expect(ask(readWriteSplit, "select 1").destinationHostgroup).toBe(20);
    expect(ask(readWriteSplit, "SELECT 1 FOR UPDATE").destinationHostgroup).toBe(10);
    expect(ask(readWriteSplit, "UPDATE t SET a=1").destinationHostgroup).toBeUndefined();
  });

  it("without apply let later ones override them", () => {
    const rows = [
      rule(1, { match_pattern: "t", destination_hostgroup: "1", retries: "0" }),
      rule(2, { match_pattern: "t", destination_hostgroup: "2" }),
    ];
    expect(ask(rows, "SELECT * FROM t")).toMatchObject({ destinationHostgroup: 2, retries: 0, hits: [1, 2] });
  });

  it("chain by flags", () => {
    const rows = [
      rule(1, { username: "app", flagOUT: "5" }),
      rule(2, { flagIN: "5", match_digest: "^SELECT", destination_hostgroup: "7", apply: "1" }),
    ];
    expect(ask(rows, "SELECT 1").destinationHostgroup).toBe(7);
    expect(ask(rows, "SELECT 1", "other").destinationHostgroup).toBeUndefined();
  });

  it("may be negated, mind case, or answer themselves", () => {
    expect(
      ask([rule(1, { match_pattern: "x", negate_match_pattern: "1", multiplex: "0" })], "SELECT 1").multiplex,
    ).toBe(0);
    expect(
      ask([rule(1, { match_pattern: "SELECT", re_modifiers: null, error_msg: "no" })], "select 1")
        .errorMessage,
    ).toBeUndefined();
    expect(ask([rule(1, { match_pattern: "SELECT", error_msg: "no" })], "select 1").errorMessage).toBe("no");
  });

  it("that are not active are not there", () => {
    expect(parseRules([rule(1, { active: "0" })])).toEqual([]);
  });
});

describe("users", () => {
  const row = {
    username: "app",
    password: "x",
    active: "1",
    default_hostgroup: "10",
    default_schema: null,
    fast_forward: "1",
    transaction_persistent: "1",
    max_connections: "100",
    backend: "1",
    frontend: "1",
  };

  it("in force are the active ones", () => {
    expect(parseUsers([row, { ...row, active: "0" }])).toMatchObject([
      { username: "app", fastForward: true, defaultSchema: "" },
    ]);
  });

  it("are shown once for each side, without NULL", () => {
    const shown = runtimeUserRows([row]);
    expect(shown.map((cells) => cells.slice(-2))).toEqual([
      ["0", "1"],
      ["1", "0"],
    ]);
    expect(shown.flat()).not.toContain(null);
  });
});
