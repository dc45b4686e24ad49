import * as fc from "fast-check";
import initSqlJs from "sql.js";
import { describe, expect, test } from "vitest";
import { quote } from "../src/proxysql/quote.js";
import { statementsOf, updateStatuses } from "../src/proxysql/sql.js";
import { db1, db2, rowOf } from "./samples.js";

const MYSQL_SERVERS = `CREATE TABLE mysql_servers (hostgroup_id INT NOT NULL, hostname VARCHAR NOT NULL, port INT NOT NULL,
  gtid_port INT NOT NULL, status VARCHAR NOT NULL, weight INT NOT NULL, compression INT NOT NULL, max_connections INT NOT NULL,
  max_replication_lag INT NOT NULL, use_ssl INT NOT NULL, max_latency_ms INT NOT NULL, comment VARCHAR NOT NULL,
  PRIMARY KEY (hostgroup_id, hostname, port))`;

const mark = { generation: 7, incarnation: "it's", hash: "sha256:0" };
const sqlite = await initSqlJs();

function database(): InstanceType<typeof sqlite.Database> {
  const db = new sqlite.Database();
  db.run("ATTACH ':memory:' AS disk");
  db.run(MYSQL_SERVERS);
  return db;
}

describe("statements, as SQLite reads them", () => {
  test("any text comes back as it was: no quote and no backslash breaks out", () => {
    const db = database();
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        fc.pre(!text.includes("\u0000"));
        expect(db.exec(`SELECT ${quote(text)}`)[0]?.values[0]?.[0]).toBe(text);
      }),
    );
  });

  test("a hostile host name is a host name and nothing else", () => {
    const db = database();
    const hostile = { host: "127.0.0.1' OR 1=1 -- ", port: 3306 };
    for (const row of [rowOf(10, hostile, "ONLINE"), rowOf(10, db1, "ONLINE"), rowOf(77, db2, "ONLINE")]) {
      for (const sql of statementsOf({ kind: "insert", row }, "main", mark)) db.run(sql);
    }
    db.run(updateStatuses(10, [{ hostgroup: 10, ...hostile, status: "OFFLINE_SOFT" }], null));
    const rows = db.exec("SELECT hostname, status FROM mysql_servers ORDER BY hostname")[0]?.values;
    expect(rows).toEqual([
      [hostile.host, "OFFLINE_SOFT"],
      ["db1", "OFFLINE_HARD"],
      ["db2", "ONLINE"],
    ]);
  });

  test("a row that somebody adds to the writer hostgroup before the UPDATE is taken out by it", () => {
    const db = database();
    for (const row of [rowOf(10, db1, "ONLINE"), rowOf(20, db2, "ONLINE")]) {
      for (const sql of statementsOf({ kind: "insert", row }, "main", mark)) db.run(sql);
    }
    db.run(updateStatuses(10, [{ hostgroup: 20, ...db2, status: "OFFLINE_SOFT" }], null));
    const rows = db.exec("SELECT hostname, status FROM mysql_servers ORDER BY hostname")[0]?.values;
    expect(rows).toEqual([
      ["db1", "OFFLINE_HARD"],
      ["db2", "OFFLINE_SOFT"],
    ]);
  });

  test("the stamp is written over, one row a cluster", () => {
    const db = database();
    for (const generation of [7, 8]) {
      for (const sql of statementsOf({ kind: "stamp" }, "main", { ...mark, generation })) db.run(sql);
    }
    expect(db.exec("SELECT cluster, generation, incarnation FROM disk.primacy_stamp")[0]?.values).toEqual([
      ["main", 8, "it's"],
    ]);
  });

  test("a statement that opens does so only before its deadline, and then takes everybody out", () => {
    const now = Math.floor(Date.now() / 1000);
    for (const [until, status] of [
      [now + 60, "ONLINE"],
      [now - 1, "OFFLINE_HARD"],
    ] as const) {
      const db = database();
      for (const row of [
        rowOf(10, db1, "OFFLINE_HARD"),
        rowOf(10, db2, "ONLINE"),
        rowOf(20, db2, "ONLINE"),
      ]) {
        for (const sql of statementsOf({ kind: "insert", row }, "main", mark)) db.run(sql);
      }
      const rows = [
        { hostgroup: 10, ...db1, status: "ONLINE" },
        { hostgroup: 10, ...db2, status: "OFFLINE_HARD" },
        { hostgroup: 20, ...db2, status: "OFFLINE_SOFT" },
      ] as const;
      db.run(updateStatuses(10, rows, until));
      const select = "SELECT hostgroup_id, hostname, status FROM mysql_servers ORDER BY 1, 2";
      expect(db.exec(select)[0]?.values).toEqual([
        [10, "db1", status],
        [10, "db2", "OFFLINE_HARD"],
        [20, "db2", "OFFLINE_SOFT"],
      ]);
    }
  });

  test("under a lease the disk gets the rows of these hostgroups, and nobody takes writes there", () => {
    const db = database();
    db.run(MYSQL_SERVERS.replace("CREATE TABLE ", "CREATE TABLE disk."));
    const insert = (row: ReturnType<typeof rowOf>, table: string): void => {
      for (const sql of statementsOf({ kind: "insert", row }, "main", mark)) {
        db.run(sql.replace("mysql_servers", table));
      }
    };
    insert(rowOf(10, db1, "ONLINE", { weight: 5, comment: "it's" }), "mysql_servers");
    insert(rowOf(20, db2, "ONLINE"), "mysql_servers");
    insert(rowOf(77, db2, "ONLINE"), "mysql_servers");
    insert(rowOf(10, db1, "ONLINE"), "disk.mysql_servers");
    insert(rowOf(10, db2, "SHUNNED"), "disk.mysql_servers");
    insert(rowOf(77, db1, "ONLINE"), "disk.mysql_servers");
    const hostgroups = { writer: 10, reader: 20 };
    for (const step of [
      { kind: "fence-disk", writerHostgroup: 10 },
      { kind: "save-fenced", hostgroups },
    ] as const) {
      for (const sql of statementsOf(step, "main", mark)) db.run(sql);
    }
    const select =
      "SELECT hostgroup_id, hostname, status, weight, comment FROM disk.mysql_servers ORDER BY 1, 2";
    expect(db.exec(select)[0]?.values).toEqual([
      [10, "db1", "OFFLINE_HARD", 5, "it's"],
      [20, "db2", "ONLINE", 1, ""],
      [77, "db1", "ONLINE", 1, ""],
    ]);
  });

  test("no statement is empty, several, or begins with a comment", () => {
    const steps = [
      { kind: "insert", row: rowOf(10, db1, "OFFLINE_HARD") },
      { kind: "kill", hostgroup: 10, servers: [db1, db2], hidden: { reader: 20 } },
      { kind: "kill-fast-forward", hostgroup: 10, except: [db1] },
      { kind: "fence-disk", writerHostgroup: 10 },
      {
        kind: "update",
        writerHostgroup: 10,
        rows: [{ hostgroup: 10, ...db1, status: "ONLINE" }],
        openUntilSeconds: 1,
      },
      { kind: "save-fenced", hostgroups: { writer: 10, reader: null } },
      { kind: "load" },
      { kind: "verify" },
      { kind: "stamp" },
      { kind: "save" },
    ] as const;
    for (const sql of steps.flatMap((step) => statementsOf(step, "main", mark))) {
      expect(sql).toMatch(/^[A-Z]+ /);
      expect(sql).not.toContain(";");
    }
  });

  test("a text with a NUL byte and a number that is none are refused", () => {
    expect(() => quote("a\u0000b")).toThrow(RangeError);
    expect(() => updateStatuses(Number.NaN, [], null)).toThrow(RangeError);
  });
});
