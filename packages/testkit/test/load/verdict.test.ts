import { describe, expect, it } from "vitest";
import type { LoadReport, ReadRecord, WriteRecord } from "../../src/load/journal.js";
import { countReadsAfter, judgeTables, type StoredRow } from "../../src/load/verdict.js";

const OLD = 1;
const NEW = 2;
const SWITCHED = 1000;

function write(id: number, acknowledgedAtMs: number | null, proxy = "p1"): WriteRecord {
  return { id, proxy, client: "c", kind: "autocommit", sentAtMs: 0, acknowledgedAtMs, failure: null };
}

function load(writes: WriteRecord[], more: Partial<LoadReport> = {}): LoadReport {
  return { startedAtMs: 0, stoppedAtMs: 2000, writes, reads: [], failures: [], ...more };
}

function row(id: number, executedBy: number, atMs: number): StoredRow {
  return { id, executedBy, atMs };
}

function judge(report: LoadReport, tables: Record<number, StoredRow[]>) {
  return judgeTables({
    load: report,
    tables: Object.entries(tables).map(([serverId, rows]) => ({ serverId: Number(serverId), rows })),
    finalMaster: NEW,
    switchedAtMs: SWITCHED,
  });
}

describe("the oracle", () => {
  it("finds nothing wrong with a switch in which all went well", () => {
    const before = row(1, OLD, 500);
    const after = row(2, NEW, 1500);
    const verdict = judge(load([write(1, 510), write(2, 1510)]), {
      [OLD]: [before, after],
      [NEW]: [before, after],
    });
    expect(verdict).toMatchObject({
      acknowledged: 2,
      acknowledgedOnMaster: 2,
      lost: [],
      strays: [],
      duplicates: [],
      unacknowledgedOnMaster: 0,
    });
  });

  it("counts an acknowledged id that only the old master has as lost, and its row as a stray", () => {
    const verdict = judge(load([write(1, 990)]), { [OLD]: [row(1, OLD, 980)], [NEW]: [] });
    expect(verdict.lost).toEqual([1]);
    expect(verdict.strays).toEqual([{ ...row(1, OLD, 980), foundOn: OLD, why: "not on the master" }]);
  });

  it("counts a row that the old master took after the switch, also where it came to the new one", () => {
    const late = row(1, OLD, 1001);
    const verdict = judge(load([write(1, 1002)]), { [OLD]: [late], [NEW]: [late] });
    expect(verdict.lost).toEqual([]);
    expect(verdict.strays).toEqual([{ ...late, foundOn: OLD, why: "after the switch" }]);
  });

  it("counts a row once, on however many servers it lies", () => {
    const stray = row(1, OLD, 1500);
    const verdict = judge(load([]), { [OLD]: [stray], [NEW]: [], 3: [stray] });
    expect(verdict.strays).toHaveLength(1);
  });

  it("counts the first run of a statement that a proxy sent again, though its id is on the master", () => {
    const verdict = judge(load([write(1, 1200)]), { [OLD]: [row(1, OLD, 900)], [NEW]: [row(1, NEW, 1190)] });
    expect(verdict.lost).toEqual([]);
    expect(verdict.strays).toMatchObject([{ id: 1, executedBy: OLD, why: "not on the master" }]);
  });

  it("counts an id that the master has twice", () => {
    const verdict = judge(load([write(7, 1200)]), { [NEW]: [row(7, NEW, 1100), row(7, NEW, 1190)] });
    expect(verdict.duplicates).toEqual([7]);
  });

  it("allows what was stored and not acknowledged, and counts it", () => {
    const verdict = judge(load([write(1, null)]), { [NEW]: [row(1, NEW, 1100)] });
    expect(verdict).toMatchObject({ acknowledged: 0, unacknowledgedOnMaster: 1, strays: [], lost: [] });
  });

  it("does not mind replicas that are behind", () => {
    expect(judge(load([write(1, 1200)]), { [OLD]: [], [NEW]: [row(1, NEW, 1100)] }).strays).toEqual([]);
  });

  it("measures the longest time without an acknowledged write, from the start to the end", () => {
    const gap = (writes: WriteRecord[]) => judge(load(writes), { [NEW]: [] }).longestGapMs;
    expect(gap([write(1, 100), write(2, 700), write(3, 1900)])).toBe(1200);
    expect(gap([write(1, 1500)])).toBe(1500);
    expect(gap([write(1, 100)])).toBe(1900);
    expect(gap([])).toBe(2000);
    // Acknowledged in another order than sent.
    expect(gap([write(1, 1900), write(2, 1000), write(3, 50)])).toBe(950);
  });

  it("measures it for each proxy too", () => {
    const writes = [write(1, 1000, "p1"), write(2, 100, "p2"), write(3, 1900, "p2")];
    expect(judge(load(writes), { [NEW]: [] }).longestGapMsByProxy).toEqual({ p1: 1000, p2: 1800 });
  });

  it("counts the reads after a moment by the server that answered", () => {
    const read = (sentAtMs: number, serverId: number): ReadRecord => ({
      proxy: "p1",
      client: "c",
      sentAtMs,
      answeredAtMs: sentAtMs + 1,
      serverId,
    });
    const report = load([], { reads: [read(999, OLD), read(1000, NEW), read(1001, OLD), read(1002, NEW)] });
    expect(judge(report, { [NEW]: [] }).readsAfterSwitch).toEqual({ [OLD]: 1, [NEW]: 2 });
    expect(countReadsAfter(report, 1002)).toEqual({ [NEW]: 1 });
  });

  it("counts failures by error number, or by what the driver calls them", () => {
    const failure = { atMs: 1, proxy: "p1", client: "c", statement: "insert" } as const;
    const failures = [
      { ...failure, errno: 1290, code: "ER_OPTION_PREVENTS_STATEMENT" },
      { ...failure, errno: 1290, code: "ER_OPTION_PREVENTS_STATEMENT" },
      { ...failure, errno: null, code: "PROTOCOL_CONNECTION_LOST" },
    ];
    expect(judge(load([], { failures }), { [NEW]: [] }).failures).toEqual({
      1290: 2,
      PROTOCOL_CONNECTION_LOST: 1,
    });
  });

  it("says nothing without the final master's table", () => {
    expect(() => judge(load([]), { [OLD]: [] })).toThrow(/server 2, the final master, was not read/);
  });
});
