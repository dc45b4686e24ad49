import { describe, expect, it } from "vitest";
import { likePattern } from "../../src/mariadb-standin/execute/show.js";
import { parseStatement } from "../../src/mariadb-standin/sql/parse-statement.js";
import type { Definition } from "../../src/mariadb-standin/sql/statement.js";
import { may, mayUse } from "../../src/mariadb-standin/storage/accounts.js";
import { Catalog } from "../../src/mariadb-standin/storage/catalog.js";
import { parseTimestamp, rowToStore, timestampText } from "../../src/mariadb-standin/storage/table.js";
import { Transaction } from "../../src/mariadb-standin/storage/transaction.js";

function catalogWith(...statements: string[]): Catalog {
  const catalog = new Catalog();
  for (const sql of ["CREATE DATABASE app", ...statements]) define(catalog, sql);
  return catalog;
}

function define(catalog: Catalog, sql: string, database = ""): boolean {
  return catalog.define(parseStatement(sql) as Definition, database);
}

const TABLE = "CREATE TABLE app.t (id INT UNSIGNED NOT NULL, name VARCHAR(3), at TIMESTAMP(6) DEFAULT 'x')";

describe("a catalogue", () => {
  it("makes things once, and says when there was nothing to do", () => {
    const catalog = catalogWith(TABLE);
    expect(() => define(catalog, TABLE)).toThrow("Table 't' already exists");
    expect(define(catalog, TABLE.replace("TABLE", "TABLE IF NOT EXISTS"))).toBe(false);
    expect(define(catalog, "CREATE TABLE u (id INT)", "app")).toBe(true);
    expect(() => define(catalog, "CREATE TABLE u (id INT)")).toThrow("No database selected");
    expect(() => define(catalog, "CREATE TABLE no.u (id INT)")).toThrow("Unknown database 'no'");
    expect(() => catalog.needTable("app", "v")).toThrow("Table 'app.v' doesn't exist");
  });

  it("replaces a function only when told to", () => {
    const sql = "CREATE FUNCTION app.f() RETURNS INT NO SQL RETURN 1";
    const catalog = catalogWith(sql);
    expect(() => define(catalog, sql)).toThrow("FUNCTION f already exists");
    define(catalog, "CREATE OR REPLACE FUNCTION app.F() RETURNS INT NO SQL RETURN 2");
    expect(catalog.needFunction("app", "f")).toEqual({ kind: "literal", value: 2 });
  });
});

describe("an account", () => {
  const catalog = catalogWith(
    "CREATE USER 'a'@'%' IDENTIFIED BY 'p'",
    "GRANT ALL PRIVILEGES ON app.* TO 'a'@'%'",
    "CREATE USER 'o'@'%' IDENTIFIED BY 'p'",
    "GRANT SELECT, SUPER ON *.* TO 'o'@'%'",
    "GRANT READ_ONLY ADMIN ON *.* TO 'o'@'%'",
  );
  const [app, other] = ["a", "o"].map((user) => catalog.accounts.find(user)!);

  it("may do what was granted where it was granted", () => {
    expect(may(app!, "INSERT", "app")).toBe(true);
    expect(may(app!, "INSERT", "other")).toBe(false);
    expect(may(app!, "READ_ONLY ADMIN")).toBe(false);
    expect(may(other!, "SELECT", "app")).toBe(true);
    expect(may(other!, "READ_ONLY ADMIN")).toBe(true);
    expect(may(other!, "INSERT", "app")).toBe(false);
    expect(mayUse(app!, "app")).toBe(true);
    expect(mayUse(app!, "mysql")).toBe(false);
  });

  it("hands nothing on unless told so: ALL is not all", () => {
    expect(may(app!, "GRANT OPTION", "app")).toBe(false);
    define(catalog, "GRANT SELECT ON app.* TO 'a'@'%' WITH GRANT OPTION");
    expect(may(catalog.accounts.find("a")!, "GRANT OPTION", "app")).toBe(true);
  });
});

describe("a row", () => {
  const table = catalogWith(TABLE).needTable("app", "t");
  const stored = (...values: [number, string | number | null][]) =>
    rowToStore(table, new Map(values), () => timestampText(0), 1);

  it("takes its defaults, and values in its columns' types", () => {
    expect(stored([0, "7"], [1, 12])).toEqual([7, "12", "1970-01-01 00:00:00.000000"]);
    expect(stored([0, 1.6], [1, null])[0]).toBe(2);
  });

  it.each<[string, [number, string | number | null][]]>([
    ["Column 'id' cannot be null", [[0, null]]],
    ["Field 'id' doesn't have a default value", [[1, "a"]]],
    ["Incorrect integer value: 'x' for column `app`.`t`.`id` at row 1", [[0, "x"]]],
    ["Out of range value for column 'id' at row 1", [[0, -1]]],
    [
      "Data too long for column 'name' at row 1",
      [
        [0, 1],
        [1, "four"],
      ],
    ],
    [
      "the MariaDB stand-in can't read the time 'noon' for column 'at'",
      [
        [0, 1],
        [2, "noon"],
      ],
    ],
  ])("does not fit: %s", (message, values) => {
    expect(() => stored(...values)).toThrow(message);
  });

  it("has times to the microsecond, read as they were written", () => {
    const atMs = Date.UTC(2026, 10, 21, 13, 0, 36, 614);
    expect(timestampText(atMs)).toBe("2026-11-21 13:00:36.614000");
    expect(parseTimestamp(timestampText(atMs))! * 1000).toBeCloseTo(atMs, 3);
    expect(parseTimestamp("yesterday")).toBeUndefined();
  });
});

describe("a transaction", () => {
  it("sees what was there when it first read, and its own rows", () => {
    const catalog = catalogWith("CREATE TABLE app.n (id INT)");
    const table = catalog.needTable("app", "n");
    const commit = (id: number) => catalog.insert([{ table: "app.n", rows: [[id]] }]);
    const transaction = new Transaction();
    const read = () => transaction.read(table, () => catalog.rowCounts()).map(([id]) => id);
    commit(1);
    expect(read()).toEqual([1]);
    commit(2);
    transaction.add(table, [[3]]);
    expect(read()).toEqual([1, 3]);
    expect(table.rows).toEqual([[1], [2]]);
  });
});

describe("LIKE", () => {
  it.each([
    ["read_only", "read_only", true],
    ["READ_ONLY", "read_only", true],
    ["read%", "read_only", true],
    ["read_only", "readXonly", true],
    [String.raw`read\_only`, "readXonly", false],
    ["r.*", "read_only", false],
    ["%", "anything", true],
  ])("%s on %s: %s", (like, text, matches) => {
    expect(likePattern(like).test(text)).toBe(matches);
  });
});
