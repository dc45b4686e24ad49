import { describe, expect, it } from "vitest";
import {
  type Dialect,
  beyond,
  dialectOf,
  isReadOnly,
  isWritable,
  readVariables,
} from "../src/database/dialect.js";

const variables = (version: string, more: Record<string, string> = {}) =>
  readVariables(
    Object.entries({ version, ...more }).map(([name, value]) => ({ Variable_name: name, Value: value })),
  );

function dialect(version: string, more: Record<string, string> = {}): Dialect {
  const found = dialectOf(variables(version, more));
  if (!found.ok) throw new Error(found.problem);
  return found.value;
}

const MYSQL = { read_only: "OFF", super_read_only: "OFF", gtid_mode: "ON" };
const file = { kind: "file", file: "binlog.000007", position: 4711 } as const;

describe("the dialects", () => {
  it.each([
    ["5.7.44-log", "MySQL 5.7.44", "SHOW MASTER STATUS", "MASTER_POS_WAIT", "SHOW SLAVE STATUS"],
    ["8.0.21", "MySQL 8.0.21", "SHOW MASTER STATUS", "MASTER_POS_WAIT", "SHOW SLAVE STATUS"],
    ["8.0.36-28", "MySQL 8.0.36", "SHOW MASTER STATUS", "SOURCE_POS_WAIT", "SHOW REPLICA STATUS"],
    ["8.2.0", "MySQL 8.2.0", "SHOW BINARY LOG STATUS", "SOURCE_POS_WAIT", "SHOW REPLICA STATUS"],
    ["8.4.6", "MySQL 8.4.6", "SHOW BINARY LOG STATUS", "SOURCE_POS_WAIT", "SHOW REPLICA STATUS"],
    ["9.7.4-2", "MySQL 9.7.4", "SHOW BINARY LOG STATUS", "SOURCE_POS_WAIT", "SHOW REPLICA STATUS"],
  ])("%s has the words of its time", (...[version, name, position, wait, status]) => {
    const found = dialect(version, MYSQL);
    expect(found.name).toBe(name);
    expect(found.position(false).sql).toBe(position);
    expect(found.waitFor(file, 3.7).sql).toBe(`SELECT ${wait}('binlog.000007', 4711, 3) AS outcome`);
    expect(found.replicaStatus).toBe(status);
    expect(found.readOnlyOn).toBe("SET GLOBAL read_only=1, GLOBAL super_read_only=1");
    expect(found.gtid).toBe(true);
  });

  it.each(["10.5.29-MariaDB-log", "10.11.14-MariaDB-0+deb12u2", "5.5.5-10.6.22-MariaDB", "12.0.2-MariaDB"])(
    "%s is a MariaDB",
    (version) => {
      const found = dialect(version, { read_only: "OFF" });
      expect(found.family).toBe("mariadb");
      expect(found.superReadOnly).toBe(false);
      expect(found.readOnlyOn).toBe("SET GLOBAL read_only=1");
      const question = found.waitFor({ kind: "gtid", set: "0-1-100,7-2-9" }, 5);
      expect(question.sql).toBe("SELECT MASTER_GTID_WAIT('0-1-100,7-2-9', 5) AS outcome");
      expect([0, -1].map((value) => question.read({ outcome: value }))).toEqual([true, false]);
    },
  );

  it("a server without GTIDs on goes by file and position", () => {
    expect(dialect("8.4.6", { ...MYSQL, gtid_mode: "ON_PERMISSIVE" }).gtid).toBe(false);
    expect(dialect("5.7.44", { ...MYSQL, gtid_mode: "OFF" }).gtid).toBe(false);
    const [wait] = [dialect("8.4.6", MYSQL).waitFor(file, 5)];
    // So many events, none, over, and nobody's replica.
    expect([12, 0, -1, null].map((value) => wait.read({ outcome: value }))).toEqual([
      true,
      true,
      false,
      null,
    ]);
  });

  it("never waits without limit: 0 seconds would be for ever", () => {
    expect(dialect("9.7.4", MYSQL).waitFor(file, 0.2).sql).toContain(", 1)");
  });

  it("reads a set that MySQL has broken into lines, and none where nothing is written", () => {
    const { position } = dialect("9.7.4", MYSQL);
    const set = "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5,\n4e11fa47-71ca-11e1-9e33-c80aa9429562:tag:1-9";
    expect(position(true).read({ position: set })).toEqual({ kind: "gtid", set: set.replace("\n", "") });
    expect(position(true).read({ position: "" })).toBeNull();
    expect(position(false).read(undefined)).toBeNull();
  });

  it("what a MariaDB wrote itself counts as had, domain by domain, whoever's number it is", () => {
    const gtid = (set: string) => ({ kind: "gtid", set }) as const;
    expect(beyond(gtid("0-2-10"), gtid("0-1-10"))).toBeNull();
    expect(beyond(gtid("0-2-11"), gtid("0-1-10"))).toEqual(gtid("0-2-11"));
    expect(beyond(gtid("0-2-10,7-2-4"), gtid("0-1-10"))).toEqual(gtid("7-2-4"));
    expect(beyond(gtid("0-2-18446744073709551615"), gtid("0-1-18446744073709551614"))).not.toBeNull();
    expect(beyond(gtid("0-2-10"), null)).toEqual(gtid("0-2-10"));
    expect(beyond(file, gtid("0-1-10"))).toEqual(file);
  });

  it("pastes nothing into a statement that can't be a position", () => {
    const { position } = dialect("9.7.4", MYSQL);
    expect(() => position(true).read({ position: "x'); DROP TABLE t; --" })).toThrow(/no position/);
    expect(() => position(false).read({ File: "a'b", Position: 4 })).toThrow(/no position/);
  });

  it.each(["5.6.51", "5.7.7", "10.4.34-MariaDB", "", "8.0", "PostgreSQL 17"])(
    "%j is refused by its number, or for having none",
    (version) => {
      expect(dialectOf(variables(version))).toMatchObject({ ok: false });
    },
  );

  it("is read-only only where administrators are bound too; writable only where nobody is", () => {
    const states = [
      { read_only: "OFF", super_read_only: "OFF" },
      { read_only: "ON", super_read_only: "OFF" },
      { read_only: "ON", super_read_only: "ON" },
      { read_only: "ON" },
      { read_only: "NO_LOCK_NO_ADMIN" },
      { read_only: "0" },
    ].map((more) => variables("9.7.4", more as Record<string, string>));
    expect(states.map(isReadOnly)).toEqual([false, false, true, true, true, false]);
    expect(states.map(isWritable)).toEqual([true, false, false, false, false, true]);
  });
});
