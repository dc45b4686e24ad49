import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ConsulError } from "@primacy/consul-store";
import type { HookEvent, SpoolableEvent } from "@primacy/contract";
import { beforeEach, describe, expect, it } from "vitest";
import { commitEvent } from "../src/commit.js";
import { deliverLive } from "../src/live-event.js";
import { deliverSpooled } from "../src/spool/deliver.js";
import { newEntry } from "../src/spool/entry.js";
import { Spool } from "../src/spool/folder.js";
import { lockSpool } from "../src/spool/lock.js";
import {
  BOOTSTRAP,
  FakeStore,
  FakeWorld,
  commitContext,
  db1,
  db2,
  db3,
  opened,
  removeFoldersAfterEach,
  temporaryFolder,
} from "./fakes.js";

removeFoldersAfterEach();

let store: FakeStore;
let world: FakeWorld;
let spool: Spool;
let spooled = 0;

beforeEach(async () => {
  store = new FakeStore();
  world = new FakeWorld();
  spool = new Spool(temporaryFolder(), 10);
  await commitEvent("main", BOOTSTRAP, 8000, commitContext(store, world));
});

const context = () => ({ spool, commit: commitContext(store, world), deadline: 8000 });
const live = (event: HookEvent) =>
  deliverLive({ cluster: "main", hook: "PostMasterFailover", event }, context());
const flush = (cluster?: string) => deliverSpooled(spool, cluster, 8000, commitContext(store, world));
const consulAway = (times = 1, code: ConsulError["code"] = "CONSUL_UNREACHABLE") => {
  for (let i = 0; i < times; i++) {
    store.nextReads.push(() => {
      throw new ConsulError(code, "connect ECONNREFUSED 127.0.0.1:8500");
    });
  }
};

async function keep(event: SpoolableEvent, cluster = "main"): Promise<void> {
  spooled++;
  const spooledAt = new Date(world.wallMs + spooled).toISOString();
  await spool.add(
    newEntry({ spooledAt, cluster, hook: "PostMasterFailover", because: "away", event }),
    `${String(spooled).padStart(8, "0")}-`,
  );
}

const fence = (): HookEvent => {
  const { outgoing, cause, beganAt } = opened(db1, db2, 5);
  return { kind: "fence", outgoing, cause, beganAt };
};

describe("a live event", () => {
  it("is spooled while Consul is away, and says so", async () => {
    consulAway();
    const ending = await live(opened(db1, db2, 5));
    expect(ending.exit).toBe("spooled");
    expect(ending.line).toContain('"db2:3306 follows db1:3306" waits in');
    expect(ending.line).toContain("ECONNREFUSED");
    expect(await spool.names()).toHaveLength(1);
  });

  it("is spooled once by all hooks of its recovery", async () => {
    for (let i = 0; i < 3; i++) {
      consulAway();
      expect((await live(opened(db1, db2, 5))).exit).toBe("spooled");
    }
    expect(await spool.names()).toHaveLength(1);
  });

  it.each([
    ["denied", "CONSUL_DENIED"],
    ["unusable", "CONSUL_REFUSED"],
  ] as const)("is not lost either where it is %s", async (exit, code) => {
    consulAway(1, code);
    expect((await live(opened(db1, db2, 5))).exit).toBe(exit);
    expect(await spool.names()).toHaveLength(1);
  });

  it("that could not be kept says so with a code of its own", async () => {
    consulAway();
    writeFileSync(join(spool.folder, "file"), "");
    spool = new Spool(join(spool.folder, "file"), 10);
    const ending = await live(opened(db1, db2, 5));
    expect(ending.exit).toBe("undelivered");
    expect(ending.line).toMatch(/could not be kept on disk: ENOTDIR/);
  });

  it("in a full spool as well", async () => {
    spool = new Spool(spool.folder, 1);
    await keep(opened(db1, db2, 4), "other");
    consulAway();
    expect(await live(opened(db1, db2, 5))).toMatchObject({
      exit: "undelivered",
      line: expect.stringContaining("the limit") as string,
    });
  });

  it("a fence is dropped, never spooled", async () => {
    consulAway();
    expect((await live(fence())).exit).toBe("undelivered");
    expect(await spool.names()).toEqual([]);
  });

  it("of a cluster that is not ours is not spooled", async () => {
    store.record = null;
    expect((await live(opened(db1, db2, 5))).exit).toBe("unknown-cluster");
    expect(await spool.names()).toEqual([]);
  });

  it.each([
    [opened(db3, db2, 5), "refused-contradictory"],
    [opened(db1, db2, -5), "refused-stale"],
  ])("that is refused is not spooled", async (event, exit) => {
    expect((await live(event)).exit).toBe(exit);
    expect(await spool.names()).toEqual([]);
  });
});

describe("a live event behind spooled ones", () => {
  it("comes after them", async () => {
    await keep(opened(db1, db2, 5));
    const ending = await live(opened(db2, db1, 10));
    expect(ending).toMatchObject({ exit: "ok", line: expect.stringContaining("generation 3") as string });
    expect(ending.notes).toEqual([expect.stringContaining("spooled event: main generation 2")]);
    expect(store.value).toMatchObject({ generation: 3, master: db1 });
    expect(await spool.names()).toEqual([]);
  });

  it("waits behind them when they can't be delivered", async () => {
    await keep(opened(db1, db2, 5));
    consulAway();
    expect((await live(opened(db2, db1, 10))).exit).toBe("spooled");
    expect(await spool.names()).toHaveLength(2);
    await flush();
    expect(store.value).toMatchObject({ generation: 3, master: db1 });
  });

  it("goes on when they are refused", async () => {
    await keep(opened(db3, db2, 5));
    expect((await live(opened(db1, db2, 10))).exit).toBe("ok");
    expect(readdirSync(join(spool.folder, "refused"))).toHaveLength(1);
  });

  it("does not overtake a delivery that is under way", async () => {
    await keep(opened(db1, db2, 5));
    const held = await lockSpool(spool.folder, 0, world);
    const ending = await live(opened(db2, db1, 10));
    expect(ending.exit).toBe("spooled");
    expect(ending.line).toContain("another delivery holds the spool");
    expect(world.elapsedMs).toBeLessThan(8000);
    await held?.release();
    expect(await spool.names()).toHaveLength(2);
  });

  it("of another cluster does not wait for them", async () => {
    await keep(opened(db1, db2, 5), "other");
    await lockSpool(spool.folder, 0, world);
    expect((await live(opened(db1, db2, 5))).exit).toBe("ok");
  });

  it("goes ahead where the spool can't be read at all", async () => {
    writeFileSync(join(spool.folder, "file"), "");
    spool = new Spool(join(spool.folder, "file"), 10);
    const ending = await live(opened(db1, db2, 5));
    expect(ending).toMatchObject({ exit: "ok", notes: [expect.stringContaining("spool can't be read")] });
  });
});

describe("flush", () => {
  it("delivers in order, drops what is already so, keeps refused ones for people", async () => {
    await keep(opened(db1, db2, 5));
    await keep(opened(db2, db1, 6));
    await keep(opened(db1, db2, 5.5));
    await keep(opened(db2, db1, 6.5));
    const report = await flush();
    expect(report.delivered.map((one) => one.outcome)).toMatchObject([
      { kind: "applied", rule: "open-new-master" },
      { kind: "applied", rule: "open-new-master" },
      { kind: "refused", refusal: "stale" },
      { kind: "nothing", rule: "open-already" },
    ]);
    expect(store.value).toMatchObject({ generation: 3, master: db1 });
    expect(await spool.names()).toEqual([]);
    expect(readdirSync(join(spool.folder, "refused"))).toHaveLength(1);
  });

  it("stops at the first that Consul can't be told, and keeps all behind it", async () => {
    await keep(opened(db1, db2, 5));
    await keep(opened(db2, db1, 6));
    await keep(opened(db1, db2, 7), "other");
    consulAway();
    const report = await flush();
    expect(report.delivered).toMatchObject([{ kept: true, outcome: { kind: "unreachable" } }]);
    expect(report.waiting).toBe(3);
    expect(store.reads).toBe(2);
  });

  it("one cluster's trouble does not hold another's events", async () => {
    await keep(opened(db1, db2, 5));
    await keep(opened(db2, db1, 6));
    await keep(opened(db1, db2, 7), "other");
    consulAway(1, "CONSUL_DENIED");
    const report = await flush();
    expect(report.delivered).toMatchObject([
      { kept: true, outcome: { kind: "denied" } },
      { kept: false, entry: { cluster: "other" } },
    ]);
    expect(report.waiting).toBe(2);
  });

  it("keeps the event of a cluster that has no record now: it may be being restored", async () => {
    await keep(opened(db1, db2, 5));
    store.record = null;
    expect((await flush()).delivered).toMatchObject([{ kept: true }]);
    expect(await spool.names()).toHaveLength(1);
  });

  it("of one cluster leaves the others'", async () => {
    await keep(opened(db1, db2, 5), "main-2");
    await keep(opened(db1, db2, 5));
    await flush("main");
    expect(await spool.names()).toEqual([expect.stringContaining("-main-2-open-")]);
  });

  it("reports what is no event and delivers the rest", async () => {
    writeFileSync(join(spool.folder, "20261121T091900000Z-main-open-0000beef.json"), "garbage");
    await keep(opened(db1, db2, 5));
    const report = await flush();
    expect(report.unreadable).toMatchObject([{ moved: true }]);
    expect(report.delivered).toHaveLength(1);
  });
});
