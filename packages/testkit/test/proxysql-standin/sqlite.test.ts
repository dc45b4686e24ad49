import { describe, expect, it } from "vitest";
import { Sqlite } from "../../src/proxysql-standin/admin/sqlite.js";

describe("sqlite handle", () => {
  it("answers every value as text and big integers exactly", async () => {
    const db = await Sqlite.open();
    expect(
      db.execute("SELECT 1 AS a, 'x' AS b, NULL AS c, 9007199254740993 AS d, 0.5 AS e, 2.0 AS f"),
    ).toEqual({
      kind: "rows",
      columns: ["a", "b", "c", "d", "e", "f"],
      rows: [["1", "x", null, "9007199254740993", "0.5", "2.0"]],
    });
  });

  it("runs only the first of several statements", async () => {
    const db = await Sqlite.open();
    db.execute("CREATE TABLE t (x)");
    expect(db.execute("INSERT INTO t VALUES (1); INSERT INTO t VALUES (2)")).toEqual({
      kind: "changed",
      affectedRows: 1,
    });
    expect(db.select("SELECT x FROM t")).toEqual([{ x: "1" }]);
  });

  it.each(["", "  ", "-- nothing"])("has no error to tell for %j", async (sql) => {
    const db = await Sqlite.open();
    expect(() => db.execute(sql)).toThrow("not an error");
  });

  it("sees what another handle writes into an attached database", async () => {
    const main = await Sqlite.open();
    const disk = await Sqlite.open();
    main.attach(disk, "disk");
    const before = disk.dataVersion;
    main.execute("CREATE TABLE disk.t (x)");
    main.execute("INSERT INTO t VALUES ('kept')");
    expect(disk.dataVersion).not.toBe(before);
    const copy = await Sqlite.open(disk.bytes());
    expect(copy.select("SELECT x FROM t")).toEqual([{ x: "kept" }]);
  });
});
