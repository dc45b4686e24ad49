import { describe, expect, it } from "vitest";
import { MODULES, parseMove } from "../../src/proxysql-standin/admin/move.js";
import { rewriteShow } from "../../src/proxysql-standin/admin/rewrite-show.js";
import { parseStatement, squeeze } from "../../src/proxysql-standin/admin/statement.js";

const kindOf = (text: string, isAdmin = true) => parseStatement(text, isAdmin).kind;

describe("a statement of the admin port", () => {
  it.each([";", ";;;", " ; ", "\n;\n"])("%j is the end of the process, whoever sends it", (text) => {
    expect(kindOf(text)).toBe("crash");
    expect(kindOf(text, false)).toBe("crash");
  });

  it.each(["", "  ", "SELECT 1;", "/* c */ LOAD MYSQL SERVERS TO RUNTIME", "LOAD MYSQL SERVERS"])(
    "%j is SQLite's, as it was sent",
    (text) => {
      expect(parseStatement(text, true)).toEqual({ kind: "sql", sql: text });
    },
  );

  it.each([
    "begin",
    "COMMIT AND CHAIN",
    "Rollback to s1",
    "set autocommit=0",
    "SET NAMES utf8",
    "START TRANSACTION",
  ])("%j is ignored", (text) => {
    expect(kindOf(text)).toBe("ignore");
    expect(kindOf(text, false)).toBe("ignore");
  });

  it("SAVEPOINT and END are not ignored: they reach everybody's SQLite handle", () => {
    expect([kindOf("SAVEPOINT a"), kindOf("END")]).toEqual(["sql", "sql"]);
  });

  it("is an administrator's only where it is a command", () => {
    for (const text of ["LOAD MYSQL SERVERS TO RUNTIME", "KILL CONNECTION 5", "PROXYSQL SHUTDOWN"]) {
      expect(kindOf(text)).not.toBe("sql");
      expect(kindOf(text, false)).toBe("sql");
    }
  });

  it("KILL CONNECTION takes the number at the beginning of what follows", () => {
    expect(parseStatement("kill connection 12abc", true)).toEqual({ kind: "kill connection", session: 12 });
    expect(parseStatement("KILL CONNECTION x", true)).toEqual({ kind: "kill connection", session: 0 });
  });

  it("SET keeps the value as SQL", () => {
    expect(parseStatement("SET mysql-threads = 'a=b';", true)).toEqual({
      kind: "set",
      variable: "mysql-threads",
      value: " 'a=b'",
    });
  });

  it("SELECT @@name appends whatever follows", () => {
    expect(parseStatement("select @@a-b limit 1", true)).toMatchObject({
      sql: expect.stringMatching(/variable_name='a-b' COLLATE NOCASE limit 1$/) as string,
    });
  });

  it("PROXYSQL without a known command is SQLite's", () => {
    expect(kindOf("PROXYSQL NOSUCH")).toBe("sql");
    expect(parseStatement("proxysql  pause ;", true)).toEqual({ kind: "command", command: "PAUSE" });
  });

  it("loses blanks at its ends and runs of them inside", () => {
    expect(squeeze("\n a \t b\n")).toBe("a b");
  });
});

describe("LOAD and SAVE", () => {
  it.each([
    ["LOAD", "FROM DISK", "disk to memory"],
    ["LOAD", "TO MEMORY", "disk to memory"],
    ["LOAD", "TO RUN", "memory to runtime"],
    ["LOAD", "FROM MEM", "memory to runtime"],
    ["SAVE", "TO DISK", "memory to disk"],
    ["SAVE", "FROM MEM", "memory to disk"],
    ["SAVE", "FROM RUNTIME", "runtime to memory"],
    ["SAVE", "TO MEM", "runtime to memory"],
    ["LOAD", "FROM CONFIG", "config to memory"],
  ])("%s … %s is %s, for every module", (verb, where, direction) => {
    for (const module of MODULES)
      expect(parseMove(`${verb} ${module} ${where}`)).toEqual({ module, direction });
  });

  it.each(["SAVE MYSQL SERVERS TO RUNTIME", "LOAD MYSQL TO RUNTIME", "LOAD MYSQL SERVERS TO RUNTIME NOW"])(
    "is not %s",
    (text) => {
      expect(parseMove(text)).toBeUndefined();
    },
  );
});

describe("SHOW", () => {
  it("CREATE TABLE takes a database and backticks", () => {
    for (const name of ["disk.t", "disk.`t`"])
      expect(rewriteShow(`SHOW CREATE TABLE ${name}`)).toMatch(/FROM disk\.sqlite_master .* AND name='t'$/);
    expect(rewriteShow("SHOW CREATE TABLE t")).toMatch(/FROM main\.sqlite_master/);
  });

  it("VARIABLES may have a condition", () => {
    expect(rewriteShow("SHOW VARIABLES LIKE 'a%'")).toMatch(/WHERE variable_name LIKE 'a%'$/);
    expect(rewriteShow("SHOW VARIABLES WHERE Value='1'")).toMatch(/WHERE Value='1'$/);
  });

  it("of something else is SQLite's", () => {
    expect(rewriteShow("SHOW WARNINGS")).toBeUndefined();
  });
});
