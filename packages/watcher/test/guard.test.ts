import { describe, expect, test } from "vitest";
import { type SchedulerRow, guardComment, guardRow, guardStatements } from "../src/guard-row.js";
import {
  type LeaseEntry,
  hostgroupsToFence,
  leaseEntriesText,
  leaseIsOver,
  readLeaseEntries,
} from "../src/lease-entries.js";

const main: LeaseEntry = { cluster: "main", writerHostgroup: 10, leaseSeconds: 8, untilSeconds: 1000 };
const shop: LeaseEntry = { cluster: "shop-2", writerHostgroup: 30, leaseSeconds: 4, untilSeconds: 1001 };

describe("the lease file", () => {
  test("says again what was written", () => {
    expect(readLeaseEntries(leaseEntriesText([main, shop]))).toEqual([main, shop]);
    expect(leaseEntriesText([main])).toMatch(/^# .*\nmain 10 8 1000\n$/);
  });

  test.each([
    "",
    "main 10 8",
    "main 10 8 1000 7",
    "main ten 8 1000",
    "<html>",
    "main 10 8 -1",
    "MAIN 10 8 1000",
  ])("garbage is no lease: %j", (line) => {
    expect(readLeaseEntries(`${line}\nshop-2 30 4 1001\n`)).toEqual([shop]);
  });

  test("a lease is over at its end, and where the clock has gone back behind its beginning", () => {
    expect(leaseIsOver(main, 999)).toBe(false);
    expect(leaseIsOver(main, 1000)).toBe(true);
    expect(leaseIsOver(main, 991)).toBe(false);
    expect(leaseIsOver(main, 990)).toBe(true);
  });

  test("to be fenced: what is over, and what should have a lease and has none", () => {
    expect(hostgroupsToFence([main, shop], [10, 30], 999)).toEqual([]);
    expect(hostgroupsToFence([main, shop], [10, 30], 1000)).toEqual([10]);
    expect(hostgroupsToFence([main, shop], [10, 30], 2000)).toEqual([10, 30]);
    expect(hostgroupsToFence([shop], [30, 10], 1000)).toEqual([10]);
    expect(hostgroupsToFence([], [30, 10], 1000)).toEqual([10, 30]);
    expect(hostgroupsToFence([], [], 1000)).toEqual([]);
  });
});

describe("the guard's row in the scheduler", () => {
  const command = { filename: "/usr/bin/primacy-guard.sh", leading: [], defaultsFile: "/etc/it's.cnf" };
  const comment = guardComment("p1");
  const wanted = guardRow("p1", command, "/run/p1.lease", [30, 10, 30])!;
  const row: SchedulerRow = { id: 7, ...wanted };
  const all = (rows: readonly SchedulerRow[]) => ({ memory: rows, runtime: rows, disk: rows });

  test("has the hostgroups once and in order, and is not there without one", () => {
    expect(wanted.args).toEqual(["/run/p1.lease", "/etc/it's.cnf", "10,30"]);
    expect(guardRow("p1", command, "/run/p1.lease", [])).toBeNull();
  });

  test("as it must be: nothing to do", () => {
    expect(guardStatements(comment, wanted, all([row]))).toEqual([]);
    expect(guardStatements(comment, null, all([]))).toEqual([]);
  });

  test("missing: inserted, loaded, saved, with every quote doubled", () => {
    expect(guardStatements(comment, wanted, all([]))).toEqual([
      "INSERT INTO scheduler (active, interval_ms, filename, arg1, arg2, arg3, arg4, arg5, comment) VALUES " +
        "(1, 1000, '/usr/bin/primacy-guard.sh', '/run/p1.lease', '/etc/it''s.cnf', '10,30', NULL, NULL, " +
        "'primacy guard of p1')",
      "LOAD SCHEDULER TO RUNTIME",
      "SAVE SCHEDULER TO DISK",
    ]);
  });

  test.each([
    ["switched off", { active: false }],
    ["slowed down", { intervalMs: 60_000 }],
    ["another file", { filename: "/bin/true" }],
    ["other hostgroups", { args: ["/run/p1.lease", "/etc/it's.cnf", "10"] }],
    ["one argument more", { args: [...row.args, "x"] }],
  ])("changed (%s): put right", (_, changes) => {
    const [update, ...rest] = guardStatements(comment, wanted, all([{ ...row, ...changes }]));
    expect(update).toMatch(
      /^UPDATE scheduler SET active=1, interval_ms=1000, .* WHERE comment='primacy guard of p1'$/,
    );
    expect(rest).toEqual(["LOAD SCHEDULER TO RUNTIME", "SAVE SCHEDULER TO DISK"]);
  });

  test("twice: one stays", () => {
    expect(guardStatements(comment, wanted, all([row, { ...row, id: 9 }]))[0]).toBe(
      "DELETE FROM scheduler WHERE comment='primacy guard of p1' AND id<>7",
    );
  });

  test("not loaded, or not saved: only that", () => {
    expect(guardStatements(comment, wanted, { ...all([row]), runtime: [] })).toEqual([
      "LOAD SCHEDULER TO RUNTIME",
      "SAVE SCHEDULER TO DISK",
    ]);
    expect(guardStatements(comment, wanted, { ...all([row]), disk: [] })).toEqual(["SAVE SCHEDULER TO DISK"]);
  });

  test("taken out when no cluster asks for a lease any more", () => {
    expect(guardStatements(comment, null, all([row]))).toEqual([
      "DELETE FROM scheduler WHERE comment='primacy guard of p1'",
      "LOAD SCHEDULER TO RUNTIME",
      "SAVE SCHEDULER TO DISK",
    ]);
  });
});
