import type { AcknowledgementEntry, Roster } from "@primacy/consul-store";
import type { Acknowledgement } from "@primacy/contract";
import { describe, expect, test } from "vitest";
import { type BarrierQuestion, barrier } from "../src/barrier.js";
import { db1, db2 } from "./fakes.js";

const fenced: BarrierQuestion["record"] = {
  generation: 8,
  incarnation: "history-1",
  phase: "fenced",
  master: db1,
  writtenAt: "2026-11-21T09:20:00.000Z",
  deadline: "2026-11-21T09:21:00.000Z",
};
const draining = { ...fenced, phase: "draining" as const, deadline: "2026-11-21T09:20:10.000Z" };
const opened = { ...fenced, phase: "open" as const, master: db2, deadline: null };

const keep: BarrierQuestion = { record: fenced, committedAtMs: 1000, giveUpAtMs: 9000, leaseSeconds: null };

function said(proxy: string, changes: Partial<Acknowledgement> = {}): AcknowledgementEntry {
  const value: Acknowledgement = {
    format: 1,
    proxy,
    cluster: "main",
    generation: 8,
    incarnation: "history-1",
    phase: "fenced",
    state: "applied",
    appliedGeneration: 8,
    writers: [],
    connectionsInUse: 0,
    at: "2026-11-21T09:20:00.100Z",
    tookMs: 4,
    reason: null,
    watcher: "0.1.0",
    ...changes,
  };
  return { proxy, document: { kind: "valid", value, text: "" }, sessionId: `session-${proxy}`, index: 5 };
}

function roster(...acknowledgements: readonly AcknowledgementEntry[]): Roster {
  return { acknowledgements, index: 9, sentAtMs: 1001 };
}

describe("who is waited for", () => {
  test("everybody has it: reached", () => {
    expect(barrier(keep, roster(said("p1"), said("p2")), 1040)).toEqual({
      kind: "reached",
      by: "acknowledgements",
      acknowledged: 2,
      of: 2,
      missing: [],
    });
  });

  test("no live watcher: reached, 0 of 0", () => {
    expect(barrier(keep, roster(), 1040)).toMatchObject({ kind: "reached", of: 0 });
  });

  test("a watcher whose session is gone is not waited for", () => {
    const gone = { ...said("p2", { generation: 7 }), sessionId: null };
    expect(barrier(keep, roster(said("p1"), gone), 1040)).toMatchObject({
      kind: "reached",
      acknowledged: 1,
      of: 1,
    });
  });

  test("a roster that was asked for before the commit proves nothing", () => {
    const early = { ...roster(said("p1")), sentAtMs: 999 };
    expect(barrier(keep, early, 1040)).toMatchObject({ kind: "waiting", acknowledged: 0 });
    expect(barrier(keep, null, 1040)).toMatchObject({ kind: "waiting", missing: [{ proxy: "*" }] });
  });
});

describe("what does not count as an acknowledgement", () => {
  test.each([
    ["an older generation", { generation: 7, appliedGeneration: 7 }, "at generation 7"],
    ["another history", { incarnation: "history-0" }, "follows another history (history-0)"],
    ["a refusal", { state: "refused", reason: "lower-generation" }, "refused: lower-generation"],
    ["a failure", { state: "failing", reason: "PROXYSQL_TIMEOUT" }, "failing: PROXYSQL_TIMEOUT"],
    ["a fence with a writer", { writers: [db1] }, "routes writes to db1:3306"],
    ["a failure at a later generation", { state: "failing", generation: 9 }, "failing: no reason given"],
  ] as const)("%s", (_, changes, why) => {
    const seen = barrier(keep, roster(said("p1"), said("p2", changes)), 1040);
    expect(seen).toMatchObject({
      kind: "waiting",
      acknowledged: 1,
      of: 2,
      missing: [{ proxy: "p2", why }],
      untilMs: 9000,
    });
  });

  test("an open record without its writer, or with another one", () => {
    const question = { ...keep, record: opened };
    expect(barrier(question, roster(said("p1", { phase: "open", writers: [db2] })), 1040).kind).toBe(
      "reached",
    );
    for (const writers of [[], [db1], [db1, db2]]) {
      expect(barrier(question, roster(said("p1", { phase: "open", writers })), 1040).kind).toBe("waiting");
    }
  });

  test("garbage under a live session", () => {
    const garbage = { ...said("p2"), document: { kind: "unusable", problem: "not JSON" } as const };
    expect(barrier(keep, roster(garbage), 1040)).toMatchObject({
      kind: "waiting",
      missing: [{ proxy: "p2", why: "no acknowledgement" }],
    });
  });
});

test("a proxy that has come further counts: it never goes back", () => {
  const later = said("p1", { generation: 9, phase: "open", writers: [db2] });
  expect(barrier(keep, roster(later), 1040).kind).toBe("reached");
});

test("without a lease, whoever is silent is waited for until the end, and named", () => {
  const silent = said("p2", { generation: 7 });
  expect(barrier(keep, roster(said("p1"), silent), 8999).kind).toBe("waiting");
  expect(barrier(keep, roster(said("p1"), silent), 9000)).toMatchObject({
    kind: "given-up",
    missing: [{ proxy: "p2" }],
  });
});

describe("with a lease of 4 s", () => {
  const lease: BarrierQuestion = { ...keep, leaseSeconds: 4, giveUpAtMs: 60_000 };
  const boundMs = 1000 + 4000 + 40 + 2000;
  const silent = roster(said("p1"), said("p2", { generation: 7 }));

  test("a silent proxy is waited for that long and the time to apply", () => {
    expect(barrier(lease, silent, boundMs - 1)).toMatchObject({ kind: "waiting", untilMs: boundMs });
    expect(barrier(lease, silent, boundMs)).toMatchObject({
      kind: "reached",
      by: "lease",
      acknowledged: 1,
      of: 2,
      missing: [{ proxy: "p2" }],
    });
  });

  test("also where the acknowledgements cannot be read", () => {
    expect(barrier(lease, null, boundMs)).toMatchObject({ kind: "reached", by: "lease" });
  });

  test("a drain is not bounded by it: there, sessions may go on", () => {
    expect(barrier({ ...lease, record: draining, giveUpAtMs: 8000 }, silent, boundMs + 60_000)).toMatchObject(
      { kind: "given-up" },
    );
  });

  test("nor an open: nobody must route to the new master, some must not route to the old one", () => {
    expect(barrier({ ...lease, record: opened, giveUpAtMs: 8000 }, silent, 8000).kind).toBe("given-up");
  });
});

describe("a drain", () => {
  const question: BarrierQuestion = { ...keep, record: draining, giveUpAtMs: 60_000 };
  const busy = said("p1", { phase: "draining", state: "draining", connectionsInUse: 3 });

  test("waits for the last connection, and for its deadline at most", () => {
    expect(barrier(question, roster(busy), 10_999)).toMatchObject({
      kind: "waiting",
      untilMs: 11_000,
      missing: [{ proxy: "p1", why: "3 connections to the outgoing master are in use" }],
    });
    expect(barrier(question, roster(busy), 11_000).kind).toBe("reached");
    const done = said("p1", { phase: "draining", state: "drained" });
    expect(barrier(question, roster(done), 1040).kind).toBe("reached");
  });
});
