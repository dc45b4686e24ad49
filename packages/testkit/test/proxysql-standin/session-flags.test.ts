import { describe, expect, it } from "vitest";
import {
  afterStatement,
  type Finished,
  isTied,
  isTiedForGood,
  type Ties,
  UNTIED,
} from "../../src/proxysql-standin/traffic/session-flags.js";
import { parseSetStatement } from "../../src/proxysql-standin/traffic/set-statement.js";

function after(digest: string, changes: Partial<Finished> = {}, before: Ties = UNTIED): Ties {
  return afterStatement(before, {
    digest,
    status: 2,
    warnings: 0,
    insertId: 0,
    affectedRows: 0,
    multiplexRule: undefined,
    locksHostgroup: false,
    delayAfterInsert: 5,
    keepVariables: "tx_isolation,transaction_isolation,version",
    ...changes,
  });
}

describe("a session keeps its connection after", () => {
  it.each([
    "SELECT @@port",
    "SELECT @a := ?",
    "INSERT INTO t VALUES (@a)",
    "PREPARE s FROM ?",
    "CREATE TEMPORARY TABLE t (a INT)",
    "LOCK TABLES t WRITE",
    "FLUSH TABLES WITH READ LOCK",
    "SELECT GET_LOCK(?,?)",
    "SELECT SQL_CALC_FOUND_ROWS * FROM t",
  ])("%s", (digest) => {
    expect(isTied(after(digest))).toBe(true);
    expect(isTied(after("SELECT ?", {}, after(digest)))).toBe(true);
  });

  it("a SET that is not understood, a warning, and a rule with multiplex=0", () => {
    expect(isTied(after("SET @a=?", { locksHostgroup: true }))).toBe(true);
    expect(isTied(after("SELECT ?/?", { warnings: 1 }))).toBe(true);
    expect(isTied(after("SELECT ?", { multiplexRule: 0 }))).toBe(true);
  });

  it("a SAVEPOINT, until its transaction ends", () => {
    const saved = after("SAVEPOINT a", { status: 3 });
    expect(isTied(saved)).toBe(true);
    expect(isTied(after("COMMIT", { status: 2 }, saved))).toBe(false);
  });
});

describe("a session gives its connection back after", () => {
  it.each([
    "SELECT * FROM t",
    "SELECT @@version",
    "SELECT @@session.tx_isolation AS a,@@version b",
    "SET NAMES utf8",
  ])("%s", (digest) => {
    expect(isTied(after(digest))).toBe(false);
  });

  it("an auto-increment INSERT only when five more statements have ended", () => {
    let ties = after("INSERT INTO t VALUES (?)", { insertId: 7, affectedRows: 1 });
    for (let statement = 1; statement <= 5; statement++) {
      expect({ statement, tied: isTied(ties), forGood: isTiedForGood(ties) }).toEqual({
        statement,
        tied: true,
        forGood: false,
      });
      ties = after("SELECT ?", {}, ties);
    }
    expect(isTied(ties)).toBe(false);
  });

  it("UNLOCK TABLES, another statement than SHOW WARNINGS, and a rule with multiplex=1", () => {
    expect(isTied(after("UNLOCK TABLES", {}, after("LOCK TABLES t READ")))).toBe(false);
    const warned = after("SELECT ?/?", { warnings: 1 });
    expect(isTied(after("SHOW WARNINGS", { warnings: 1 }, warned))).toBe(true);
    expect(isTied(after("SELECT ?", {}, warned))).toBe(false);
    expect(isTied(after("SELECT ?", { multiplexRule: 1 }, after("SELECT ?", { multiplexRule: 0 })))).toBe(
      false,
    );
  });

  it("a statement with an @ that a rule lets pass", () => {
    expect(isTied(after("SELECT @@port", { multiplexRule: 2 }))).toBe(false);
  });
});

describe("SET", () => {
  it.each([
    ["SET autocommit=0", { kind: "autocommit", on: false }],
    ["set @@session.autocommit = ON;", { kind: "autocommit", on: true }],
    ["SET NAMES utf8mb4 COLLATE utf8mb4_bin", { kind: "tracked" }],
    ["SET sql_mode='ANSI,STRICT_ALL_TABLES', time_zone='+00:00'", { kind: "tracked" }],
    ["SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED", { kind: "tracked" }],
    ["SET SESSION wait_timeout=5", { kind: "tracked", assignments: [] }],
    ["SET @a=1", { kind: "locks hostgroup" }],
    ["SET SESSION nosuch=1", { kind: "locks hostgroup" }],
    ["SET GLOBAL sql_mode=''", { kind: "locks hostgroup" }],
    ["SELECT 1", undefined],
  ])("%s", (sql, expected) => {
    if (expected === undefined) expect(parseSetStatement(sql)).toBeUndefined();
    else expect(parseSetStatement(sql)).toMatchObject(expected);
  });

  it("is repeated with its value as it was", () => {
    expect(parseSetStatement("SET sql_mode = 'A,B', @@session.foreign_key_checks=0")).toEqual({
      kind: "tracked",
      assignments: [
        ["sql_mode", "SET SESSION sql_mode='A,B'"],
        ["foreign_key_checks", "SET SESSION foreign_key_checks=0"],
      ],
    });
  });
});
