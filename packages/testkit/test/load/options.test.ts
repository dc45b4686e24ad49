import { describe, expect, it } from "vitest";
import { backOffMs } from "../../src/load/back-off.js";
import { Journal } from "../../src/load/journal.js";
import { planLoad } from "../../src/load/options.js";
import { insertRow } from "../../src/load/table.js";

const target = { host: "127.0.0.1", port: 6033, user: "app", password: "secret" };

describe("a load's plan", () => {
  it("spreads its clients over the targets in turn", () => {
    const plan = planLoad({
      targets: [target, { ...target, port: 6034, name: "second" }],
      writers: 3,
      transactions: 0,
      pinned: 1,
      readers: 1,
    });
    expect(plan.clients.map(({ kind, target: { name } }) => `${kind} ${name}`)).toEqual([
      "autocommit 127.0.0.1:6033",
      "autocommit second",
      "autocommit 127.0.0.1:6033",
      "pinned second",
      "reader 127.0.0.1:6033",
    ]);
  });

  it.each([
    [{ targets: [] }, /needs a target/],
    [{ targets: [target], writers: 201 }, /more than 200/],
    [{ targets: [target], intervalMs: 0 }, /less than 1 ms/],
    [{ targets: [target], maxDurationMs: 600_001 }, /not within 600000 ms/],
    [{ targets: [target], maxDurationMs: Number.NaN }, /not within/],
  ])("refuses %j", (options, problem) => {
    expect(() => planLoad(options)).toThrow(problem);
  });
});

describe("the back-off", () => {
  it("doubles its limit up to a second and takes a random part of it", () => {
    expect([1, 2, 3, 4, 5, 6, 60].map((failures) => backOffMs(failures, 0.5))).toEqual([
      25, 50, 100, 200, 400, 500, 500,
    ]);
    expect(backOffMs(9, 0)).toBe(0);
  });
});

describe("the journal", () => {
  it("keeps count of what happens", () => {
    const journal = new Journal(1000);
    journal.connected(1);
    const [first, second] = [1, 2].map((id) =>
      journal.sent({ id, proxy: "p", client: "c", kind: "autocommit", sentAtMs: 1000 }),
    );
    journal.acknowledged([first!], 1400);
    const failure = {
      atMs: 1450,
      proxy: "p",
      client: "c",
      statement: "insert",
      errno: 1290,
      code: "X",
    } as const;
    journal.failed(failure, [second!]);
    expect(journal.snapshot(1500)).toEqual({
      atMs: 1500,
      connected: 1,
      acknowledged: 1,
      acknowledgedBy: { p: 1 },
      failed: 1,
      reads: 0,
      sinceAcknowledgedMs: 100,
      longestGapMs: 400,
    });
    expect(journal.snapshot(2000).longestGapMs).toBe(600);
    expect(journal.report(2000)).toMatchObject({
      writes: [
        { id: 1, acknowledgedAtMs: 1400, failure: null },
        { id: 2, acknowledgedAtMs: null, failure },
      ],
    });
  });
});

describe("the statement", () => {
  it("carries no quote of anybody's name", () => {
    expect(insertRow(7, "it's; -- a", "c-1", "pinned")).toBe(
      "INSERT INTO app.load_rows (id, proxy, client, kind) VALUES (7, 'it_s__--_a', 'c-1', 'pinned')",
    );
  });
});
