import { ConsulError, type ConsulErrorCode } from "@primacy/consul-store";
import { type ClusterEvent, layoutText, recordHash, recordText } from "@primacy/contract";
import { beforeEach, describe, expect, it } from "vitest";
import { type CommitOutcome, commitEvent } from "../src/commit.js";
import {
  BOOTSTRAP,
  FakeStore,
  FakeWorld,
  commitContext,
  db1,
  db2,
  db3,
  opened,
  testLayout,
} from "./fakes.js";

let store: FakeStore;
let world: FakeWorld;

const commit = (event: ClusterEvent, deadline = 8000): Promise<CommitOutcome> =>
  commitEvent("main", event, deadline, commitContext(store, world));
const consulError = (code: ConsulErrorCode) => new ConsulError(code, `consul says ${code}`);

beforeEach(async () => {
  store = new FakeStore();
  world = new FakeWorld();
  await commit(BOOTSTRAP);
  store.commits.length = 0;
  store.reads = 0;
});

describe("commitEvent", () => {
  it("reads, decides and writes on the index that was read, linked to the text that was read", async () => {
    const before = store.record ?? "";
    const index = store.recordIndex;
    expect(await commit(opened(db1, db2, 5))).toMatchObject({
      kind: "applied",
      rule: "open-new-master",
      record: { generation: 2, master: db2, previous: db1, writtenBy: "orc1" },
    });
    expect(store.commits).toMatchObject([{ expectedIndex: index, alsoSet: [] }]);
    expect(store.value.previousHash).toBe(recordHash(before, world.sha256));
  });

  it("writes nothing the second time", async () => {
    await commit(opened(db1, db2, 5));
    expect(await commit(opened(db1, db2, 5))).toMatchObject({ kind: "nothing", rule: "open-already" });
    expect(store.commits).toHaveLength(1);
  });

  it("knows servers by the layout's names", async () => {
    const other = (n: number) => ({ host: `10.0.0.${String(n)}`, port: 3306 });
    expect(await commit(opened(other(1), other(2), 5))).toMatchObject({
      kind: "applied",
      record: { master: db2 },
    });
  });

  it("decides again after a lost race, with another write id, after a pause with jitter", async () => {
    store.nextCommits.push(
      () => ({ outcome: "lost-race" }),
      () => ({ outcome: "lost-race" }),
    );
    expect(await commit(opened(db1, db2, 5))).toMatchObject({ kind: "applied", record: { generation: 2 } });
    expect(store.reads).toBe(3);
    expect(new Set(store.commits.map((one) => one.record.writeId)).size).toBe(3);
    expect(world.pauses).toEqual([10, 20]);
  });

  it("takes another writer's word when it lost the race to the same event", async () => {
    store.nextCommits.push((sent) => {
      store.put(recordText({ ...sent.record, writtenBy: "orc2" }));
      return undefined;
    });
    expect(await commit(opened(db1, db2, 5))).toMatchObject({
      kind: "nothing",
      record: { writtenBy: "orc2" },
    });
    expect(store.value.generation).toBe(2);
  });

  it("gives up at its deadline however often it loses", async () => {
    for (let i = 0; i < 1000; i++) store.nextCommits.push(() => ({ outcome: "lost-race" }));
    expect(await commit(opened(db1, db2, 5), 2000)).toMatchObject({ kind: "unreachable" });
    expect(world.elapsedMs).toBeLessThanOrEqual(2000);
  });

  it("refuses what is stale or contradictory and writes nothing", async () => {
    await commit(opened(db1, db2, 10));
    await commit(opened(db2, db1, 15));
    const before = store.record;
    expect(await commit(opened(db1, db2, 10))).toMatchObject({ kind: "refused", refusal: "stale" });
    expect(await commit(opened(db3, db2, 18))).toMatchObject({ kind: "refused", refusal: "contradictory" });
    expect(store.record).toBe(before);
  });

  it("takes no recovery's word that it begins in the future: all later ones would look stale", async () => {
    await commit({ ...opened(db1, db2, 5), beganAt: "2027-01-01T00:00:00.000Z" });
    expect(Date.parse(store.value.decidedAt)).toBeLessThanOrEqual(world.wallMs);
    world.pass(1000);
    const beganAt = new Date(world.wallMs).toISOString();
    expect(await commit({ ...opened(db2, db1, 21), beganAt })).toMatchObject({ kind: "applied" });
  });
});

describe("what commitEvent does not decide", () => {
  it("an unknown cluster is refused", async () => {
    store.record = null;
    store.recordIndex = 0;
    store.layout = null;
    expect(await commit(opened(db1, db2, 5))).toMatchObject({ kind: "refused", refusal: "no-record" });
    expect(store.commits).toEqual([]);
  });

  it.each([
    ["record", { record: "{}" }],
    ["record", { record: '{"format": 2}' }],
    ["layout", { layout: "not JSON" }],
  ])("a damaged %s is left alone", async (_what, damage) => {
    Object.assign(store, damage);
    expect(await commit(opened(db1, db2, 5))).toMatchObject({ kind: "unusable" });
    expect(store.commits).toEqual([]);
  });

  it.each([
    ["CONSUL_DENIED", "denied"],
    ["CONSUL_UNREACHABLE", "unreachable"],
    ["CONSUL_TIMEOUT", "unreachable"],
    ["CONSUL_NO_LEADER", "unreachable"],
    ["CONSUL_UNEXPECTED_ANSWER", "unreachable"],
    ["CONSUL_CONFIGURATION", "unreachable"],
    ["CONSUL_HISTORY_EXISTS", "unusable"],
    ["CONSUL_REFUSED", "unusable"],
  ] as const)("%s is %s, from a read and from a write", async (code, kind) => {
    store.nextReads.push(() => {
      throw consulError(code);
    });
    expect(await commit(opened(db1, db2, 5))).toEqual({ kind, problem: `consul says ${code}` });
    store.nextCommits.push(() => ({ outcome: "not-written", cause: consulError(code) }));
    expect(await commit(opened(db1, db2, 5))).toEqual({ kind, problem: `consul says ${code}` });
  });

  it("a write without an answer is not taken for done", async () => {
    store.nextCommits.push(() => ({ outcome: "unknown", cause: consulError("CONSUL_TIMEOUT") }));
    expect(await commit(opened(db1, db2, 5))).toMatchObject({
      kind: "unreachable",
      problem: expect.stringContaining("may yet count") as string,
    });
  });

  it("throws what is not Consul's", async () => {
    store.nextReads.push(() => {
      throw new TypeError("ours");
    });
    await expect(commit(opened(db1, db2, 5))).rejects.toThrow("ours");
  });
});

describe("beside the record", () => {
  it("Orchestrator's own keys are in the same transaction where they are asked for", async () => {
    const context = { ...commitContext(store, world), orchestratorKeys: "mysql/master" };
    await commitEvent("main", opened(db1, db2, 5), 8000, context);
    expect(store.commits[0]?.alsoSet).toEqual([
      { key: "mysql/master/main", value: "db2:3306" },
      { key: "mysql/master/main/hostname", value: "db2" },
      { key: "mysql/master/main/port", value: "3306" },
    ]);
  });

  it.each([
    [db3, ["db3:3306 is no candidate in the layout"]],
    [{ host: "db9", port: 3306 }, ["db9:3306 is not in the layout"]],
  ])("a successor that the layout doesn't want is written, with a warning", async (successor, warnings) => {
    expect(await commit(opened(db1, successor, 5))).toMatchObject({ kind: "applied", warnings });
  });

  it("without a layout it is written, with a warning", async () => {
    store.layout = null;
    expect(await commit(opened(db1, db2, 5))).toMatchObject({
      kind: "applied",
      warnings: [expect.stringContaining("no layout")],
    });
  });

  it("drain and fence last as long as the layout says", async () => {
    store.layout = layoutText(testLayout({ drainSeconds: 7, fenceSeconds: 21 }));
    const { cause, beganAt } = opened(db1, db2, 5);
    await commit({ kind: "drain", outgoing: db1, successor: null, cause, beganAt });
    expect(Date.parse(store.value.deadline ?? "") - world.wallMs).toBe(7000);
    await commit({ kind: "fence", outgoing: db1, cause, beganAt });
    expect(Date.parse(store.value.deadline ?? "") - world.wallMs).toBe(21_000);
  });
});
