import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { insertRow, createLoadTable, READ_QUERY } from "../../src/load/table.js";
import { SqlError } from "../../src/mariadb-standin/errors.js";
import { parseStatement } from "../../src/mariadb-standin/sql/parse-statement.js";
import type { MariaDb } from "../../src/servers/mariadb.js";
import { accountsSql } from "../../src/servers/mariadb-accounts.js";

const failure = (sql: string): SqlError => {
  try {
    parseStatement(sql);
  } catch (error) {
    if (error instanceof SqlError) return error;
    throw error;
  }
  throw new Error(`${sql} was understood`);
};

describe("statements that the stand-in for MariaDB knows", () => {
  it("are those of the load", async () => {
    const sent: string[] = [];
    const server = { query: async (sql: string) => void sent.push(sql) };
    await createLoadTable(server as unknown as MariaDb);
    expect(sent.map((sql) => parseStatement(sql).kind)).toEqual(["create table", "create function"]);
    const insert = parseStatement(insertRow(7, "proxy1", "it's", "autocommit"));
    expect(insert).toMatchObject({
      kind: "insert",
      into: { database: "app", name: "load_rows" },
      columns: ["id", "proxy", "client", "kind"],
    });
    expect(parseStatement(READ_QUERY)).toMatchObject({
      items: [{ title: "server_id", value: { kind: "call", database: "app", name: "answered_by" } }],
    });
  });

  it("are those that make the kit's accounts", () => {
    const kinds = accountsSql()
      .split(";\n")
      .filter((sql) => /^(?:CREATE|GRANT) /.test(sql))
      .map((sql) => parseStatement(sql));
    expect(kinds).toContainEqual({
      kind: "create user",
      user: "app",
      password: "app-password",
      orReplace: true,
    });
    expect(kinds).toContainEqual({ kind: "grant", privileges: ["ALL"], database: "app", user: "app" });
    // In the names that MariaDB's errors use today.
    expect(kinds).toContainEqual({
      kind: "grant",
      privileges: ["BINLOG MONITOR", "SLAVE MONITOR"],
      database: undefined,
      user: "monitor",
    });
  });

  it.each([
    ["begin", "BEGIN"],
    ["begin", "start transaction;"],
    ["commit", "/* at last */ COMMIT -- now"],
    ["rollback", "ROLLBACK"],
    ["start slave", "START SLAVE"],
    ["stop slave", "STOP SLAVE"],
    ["reset slave all", "RESET SLAVE ALL"],
  ])("%s: %s", (kind, sql) => {
    expect(parseStatement(sql)).toEqual({ kind });
  });

  it("set variables of a session, a server and a user", () => {
    expect(
      parseStatement("SET autocommit=OFF, @@global.read_only = ON, @A = 1, SESSION wait_timeout=5"),
    ).toEqual({
      kind: "set",
      assignments: [
        { target: "session", name: "autocommit", value: { kind: "literal", value: "OFF" } },
        { target: "global", name: "read_only", value: { kind: "literal", value: "ON" } },
        { target: "user", name: "a", value: { kind: "literal", value: 1 } },
        { target: "session", name: "wait_timeout", value: { kind: "literal", value: 5 } },
      ],
    });
  });

  it("set the master, as far as options go by GTID", () => {
    const sql =
      "CHANGE MASTER TO MASTER_HOST='db1', MASTER_PORT=3307, MASTER_USE_GTID=current_pos, MASTER_DEMOTE_TO_SLAVE=1";
    expect(parseStatement(sql)).toMatchObject({
      change: { host: "db1", port: 3307, user: undefined, useGtid: "Current_Pos", demote: true },
    });
    expect(failure("CHANGE MASTER TO MASTER_LOG_FILE='binlog.000001'").message).toContain("MASTER_LOG_FILE");
  });

  it.each([
    ["SELECT @@global.read_only read_only", "read_only"],
    ["SELECT 1", "1"],
    ["SELECT 'repl'", "repl"],
    ["SELECT COUNT( * )  FROM t", "COUNT( * )"],
    ["SELECT 1 AS `odd name`", "odd name"],
  ])("call the column of %s %s", (sql, title) => {
    expect(parseStatement(sql)).toMatchObject({ items: [{ title }] });
  });
});

describe("every other statement", () => {
  it.each([
    "UPDATE app.load_rows SET id = 1",
    "DELETE FROM app.load_rows",
    "SELECT * FROM load_rows FOR UPDATE",
    "SELECT * FROM a JOIN b",
    "SELECT 1; DROP TABLE app.load_rows",
    "SELECT *",
    "START TRANSACTION READ ONLY",
    "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE",
    "START SLAVE SQL_THREAD",
    "RESET SLAVE",
    "CREATE TABLE t (id INT PRIMARY KEY)",
    "CREATE TABLE t (id INT) ENGINE=MyISAM",
    "CREATE USER 'u'@'localhost' IDENTIFIED BY 'p'",
    "SELECT 'not ended",
    "SELECT 1 /*! + 1 */",
    "SELECT 9007199254740993",
    "SELECT {",
  ])("is an error that names it: %s", (sql) => {
    const { errno, sqlstate, message } = failure(sql);
    expect({ errno, sqlstate }).toEqual({ errno: 1064, sqlstate: "42000" });
    expect(message).toContain("the MariaDB stand-in does not know this statement");
    expect(message.endsWith(`: ${sql}`)).toBe(true);
  });

  it("is an error of its own when it is empty", () => {
    expect(failure(" -- nothing").errno).toBe(1065);
  });

  it("ends in an error of SQL, whatever it is", () => {
    const words = fc.constantFrom(
      ..."SELECT FROM INSERT INTO VALUES ( ) , . 'a' 1 = t id SET @a CREATE TABLE INT AS CASE WHEN THEN END NOT IN ;".split(
        " ",
      ),
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(words).map((all) => all.join(" ")),
        ),
        (sql) => {
          try {
            parseStatement(sql);
          } catch (error) {
            expect(error).toBeInstanceOf(SqlError);
          }
        },
      ),
    );
  });
});
