import { ConsulError, type Roster } from "@primacy/consul-store";
import { type ClusterEvent, type MasterRecord, layoutText, recordText } from "@primacy/contract";
import { describe, expect, it } from "vitest";
import { commitEvent } from "../src/commit.js";
import { type OpeningMeans, beforeOpening } from "../src/phases/before-opening.js";
import { type Takeover, holdDrain, holdFence } from "../src/phases/hold.js";
import { FakeDatabase, databases } from "./fake-database.js";
import {
  BOOTSTRAP,
  FakeStore,
  FakeWorld,
  commitContext,
  db1,
  db2,
  opened,
  removeFoldersAfterEach,
  temporaryFolder,
  testLayout,
} from "./fakes.js";

removeFoldersAfterEach();

const cause = { kind: "graceful-takeover", failureType: "DeadMaster", recoveryUid: "", command: "" } as const;
const drain: ClusterEvent = { kind: "drain", outgoing: db1, successor: db2, cause, beganAt: null };
const fence: ClusterEvent = { kind: "fence", outgoing: db1, cause, beganAt: null };
const CALLED_OFF = "the takeover was called off meanwhile: db1:3306 is open at generation 3";
const abort: ClusterEvent = { kind: "abort", outgoing: db1, cause, beganAt: null };

/** A cluster with two servers, of which the first is the master, and one proxy, which has followed or not. */
async function cluster(policies: Record<string, unknown> = {}) {
  const [store, world] = [new FakeStore(), new FakeWorld()];
  store.layout = layoutText(testLayout(policies));
  const [old, next] = [new FakeDatabase(db1), new FakeDatabase(db2)];
  next.readOnly = true;
  const order: string[] = [];
  old.before = (sql) => {
    if (/^(?:SET GLOBAL|KILL)/.test(sql)) order.push(`db1: ${sql}`);
  };
  next.before = (sql) => {
    if (sql.startsWith("SET GLOBAL")) order.push(`db2: ${sql}`);
  };
  const proxy = { follows: true, whenAsked: async (): Promise<void> => Promise.resolve() };
  const commit = commitContext(store, world);
  const means: OpeningMeans = {
    ...databases(world, old, next),
    settings: {
      user: "primacy",
      password: "x",
      passwordFile: undefined,
      tls: "off",
      caFile: undefined,
      keepUsers: [],
      deadlineMs: 5000,
    },
    world,
    spoolFolder: temporaryFolder(),
    signal: new AbortController().signal,
    waitMs: 2000,
    commit,
    deadlineMs: 5000,
    stopOnFailure: undefined,
    store: {
      environment: {
        monotonicNow: world.elapsed,
        random: world.random,
        sleep: (ms: number) => world.pause(ms),
      },
      readCluster: store.readCluster,
      readAcknowledgements: async () => {
        order.push("proxies");
        await proxy.whenAsked();
        return roster(store.value, proxy.follows, world.elapsed());
      },
      watchAcknowledgements: async (_cluster, _index, { waitMs }) => {
        await world.pause(waitMs);
        return roster(store.value, proxy.follows, world.elapsed());
      },
    },
  };
  await commitEvent("main", BOOTSTRAP, 5000, commit);
  const takeover = async (event: ClusterEvent, more: Partial<Takeover> = {}): Promise<Takeover> => {
    const outcome = await commitEvent("main", event, world.elapsed() + 5000, commit);
    if (outcome.kind !== "applied") throw new Error(outcome.kind);
    const { record, layout } = outcome;
    return { cluster: "main", record, layout, outgoing: db1, successor: null, planned: true, ...more };
  };
  return { store, world, old, next, order, proxy, means, takeover };
}

function roster(record: MasterRecord, follows: boolean, sentAtMs: number): Roster {
  const { generation, incarnation, phase } = record;
  const state = phase === "draining" ? "drained" : "applied";
  const said = { generation: follows ? generation : generation - 1, incarnation, state, writers: [] };
  const document = { kind: "valid", value: said, text: "" };
  const entry = { proxy: "proxy1", sessionId: "s", index: 5, document };
  return { acknowledgements: [entry], index: 5, sentAtMs } as unknown as Roster;
}

describe("a drain is held", () => {
  it("by the proxies first, then on the old master", async () => {
    const { order, means, takeover, old } = await cluster();
    old.readOnly = false;
    const report = await holdDrain(await takeover(drain, { successor: db2 }), means);
    expect(report).toMatchObject({ complete: true });
    expect(report.lines[0]).toMatch(
      /^the old master db1:3306 is read-only, .* db2:3306 has executed everything/,
    );
    expect(report.lines[1]).toMatch(/^1 of 1 proxies at generation 2 in /);
    expect(order[0]).toBe("proxies");
    expect(order[1]).toContain("db1: SET GLOBAL read_only=1");
  });

  it("and the old master is left alone where the drain was called off meanwhile", async () => {
    const { order, means, takeover, proxy } = await cluster();
    const held = await takeover(drain);
    proxy.whenAsked = async () => {
      proxy.whenAsked = () => Promise.resolve();
      await commitEvent("main", abort, means.world.elapsed() + 5000, means.commit);
    };
    const report = await holdDrain(held, means);
    expect(order.filter((step) => step.startsWith("db1"))).toEqual([]);
    expect(report).toMatchObject({ complete: false, lines: [expect.anything(), CALLED_OFF] });
  });

  it("incomplete, and the old master is left alone, where nobody can tell whether the drain still stands", async () => {
    const { store, order, means, takeover } = await cluster();
    const held = await takeover(drain);
    const away = () => {
      throw new ConsulError("CONSUL_UNREACHABLE", "connect ECONNREFUSED");
    };
    store.nextReads.push(away);
    const report = await holdDrain(held, means);
    expect(order.filter((step) => step.startsWith("db1"))).toEqual([]);
    expect(report.complete).toBe(false);
    expect(report.lines[1]).toMatch(/^the old master db1:3306 is left as it is: /);
    // Without an account for the database servers nothing was to be done there.
    store.nextReads.push(away);
    expect(await holdDrain(held, { ...means, settings: undefined })).toMatchObject({ complete: true });
  });
});

describe("a fence is held", () => {
  it("incomplete while a proxy is missing, and while an old master that should be there can't be asked", async () => {
    const missing = await cluster();
    missing.proxy.follows = false;
    expect(await holdFence(await missing.takeover(fence), missing.means)).toMatchObject({ complete: false });
    for (const [planned, complete] of [
      [true, false],
      [false, true],
    ] as const) {
      const gone = await cluster();
      const nowhere = { host: "gone", port: 1 };
      const held = await gone.takeover(fence, { outgoing: nowhere, planned });
      expect((await holdFence(held, gone.means)).complete).toBe(complete);
    }
  });

  it("incomplete where the successor lacks something, or somebody is left", async () => {
    const lacks = await cluster();
    lacks.next.waited = 1;
    const behind = await holdFence(await lacks.takeover(fence, { successor: db2 }), lacks.means);
    expect(behind).toMatchObject({
      complete: false,
      lines: [expect.stringContaining("NOT"), expect.anything()],
    });
    const left = await cluster();
    left.old.version = "10.11.14-MariaDB";
    left.old.sessions = [{ id: 1, user: "root" }];
    left.old.unkillable.set(1, 1095);
    expect((await holdFence(await left.takeover(fence), left.means)).complete).toBe(false);
  });

  it("incomplete where it was called off while the proxies were waited for: they have followed, and are open again", async () => {
    const { means, takeover, proxy } = await cluster();
    const held = await takeover(fence);
    proxy.whenAsked = async () => {
      proxy.whenAsked = () => Promise.resolve();
      await commitEvent("main", abort, means.world.elapsed() + 5000, means.commit);
    };
    const report = await holdFence(held, { ...means, settings: undefined });
    expect(report).toMatchObject({ complete: false, lines: [expect.stringMatching(/^1 of 1/), CALLED_OFF] });
  });

  it("complete where its takeover has ended already, by the same hook once more", async () => {
    const { means, takeover, proxy } = await cluster();
    const held = await takeover(fence);
    proxy.whenAsked = async () => {
      proxy.whenAsked = () => Promise.resolve();
      await commitEvent("main", opened(db1, db2, null), means.world.elapsed() + 5000, means.commit);
    };
    const report = await holdFence(held, { ...means, settings: undefined });
    expect(report).toMatchObject({ complete: true, lines: [expect.stringMatching(/^1 of 1/)] });
  });

  it("and what was done too late is taken back: the master that is open again takes writes", async () => {
    const { means, takeover, old } = await cluster();
    const held = await takeover(fence);
    old.before = (sql) => {
      if (sql.startsWith("SET GLOBAL read_only=1")) {
        void commitEvent("main", abort, means.world.elapsed() + 5000, means.commit);
      }
    };
    const report = await holdFence(held, means);
    expect(old.readOnly).toBe(false);
    expect(report.notes.join()).toContain("the takeover is off: db1:3306 is writable again");
  });
});

describe("before the record says open", () => {
  const commitWith = (world: FakeWorld, means: OpeningMeans, event: ClusterEvent) =>
    commitEvent("main", event, world.elapsed() + 5000, {
      ...means.commit,
      beforeOpening: beforeOpening(means),
    });

  it("called off, what the writer made read-only is made writable, and nothing else", async () => {
    const ours = await cluster();
    await holdFence(await ours.takeover(fence), ours.means);
    expect(ours.old.readOnly).toBe(true);
    expect(await commitWith(ours.world, ours.means, abort)).toMatchObject({
      kind: "applied",
      notes: ["db1:3306 is writable again"],
    });
    expect(ours.old.readOnly).toBe(false);

    const theirs = await cluster();
    theirs.old.readOnly = true;
    await holdFence(await theirs.takeover(fence), theirs.means);
    await commitWith(theirs.world, theirs.means, abort);
    expect(theirs.old.readOnly).toBe(true);
  });

  it("Orchestrator opens: the proof of the fence goes into the record, and no server is touched", async () => {
    const { means, takeover, world, store, order } = await cluster();
    await holdFence(await takeover(fence), means);
    const before = order.length;
    await commitWith(world, means, opened(db1, db2, null));
    expect(store.value).toMatchObject({ phase: "open", oldMaster: { readOnly: true, left: 0 } });
    expect(order.length).toBe(before);
  });

  it("Primacy opens: fence, then proxies and old master, then the new master, then the record", async () => {
    const { means, world, store, next, order } = await cluster({ openedBy: "primacy" });
    next.source = db1;
    const outcome = await commitWith(world, means, opened(db1, db2, null));
    expect(outcome).toMatchObject({ kind: "applied", record: { generation: 3, phase: "open" } });
    expect(store.commits.map(({ record }) => record.phase)).toEqual(["open", "fenced", "open"]);
    expect(order.at(-1)).toContain("db2: SET GLOBAL super_read_only=0");
    expect(order.indexOf("proxies")).toBeGreaterThanOrEqual(0);
    expect([next.readOnly, next.source]).toEqual([false, null]);
    expect(store.value.oldMaster).toMatchObject({ readOnly: true, caughtUp: true });
  });

  it("Primacy opens: not without the fence, where the cluster says stop; with a word, where it says continue", async () => {
    for (const [onFenceFailure, kind] of [
      ["stop", "not-opened"],
      ["continue", "applied"],
    ] as const) {
      const { means, world, proxy, next, store } = await cluster({ openedBy: "primacy", onFenceFailure });
      proxy.follows = false;
      const outcome = await commitWith(world, means, opened(db1, db2, null));
      expect(outcome.kind).toBe(kind);
      expect(next.readOnly).toBe(kind === "not-opened");
      expect(store.value.phase).toBe(kind === "not-opened" ? "fenced" : "open");
    }
  });

  it("Primacy opens: a new master that does not open is not on record, and stays so until it does", async () => {
    const { means, world, store, next } = await cluster({ openedBy: "primacy" });
    next.before = (sql) => {
      if (sql.startsWith("SHOW GLOBAL")) next.readOnly = true;
    };
    expect(await commitWith(world, means, opened(db1, db2, null))).toMatchObject({ kind: "not-opened" });
    expect(store.value.phase).toBe("fenced");
    next.before = () => undefined;
    expect(await commitWith(world, means, opened(db1, db2, null))).toMatchObject({ kind: "applied" });
  });

  it("Primacy opens nothing once the takeover has been called off while the proxies were waited for", async () => {
    const { means, world, store, proxy, next } = await cluster({ openedBy: "primacy" });
    proxy.whenAsked = async () => {
      if (store.value.phase !== "fenced") return;
      world.pass(60_000);
      const { generation } = store.value;
      const stays: ClusterEvent = {
        kind: "set",
        master: db1,
        seenGeneration: generation,
        cause,
        beganAt: null,
      };
      await commitEvent("main", stays, world.elapsed() + 5000, means.commit);
    };
    world.pass(120_000);
    const outcome = await commitWith(world, means, opened(db1, db2, 21));
    expect(outcome).toMatchObject({ kind: "refused", refusal: "stale" });
    expect(store.value).toMatchObject({ phase: "open", master: db1 });
    expect(next.readOnly).toBe(true);
  });

  it("nor once it has been called off while the new master was being made nobody's replica", async () => {
    const { means, world, store, next } = await cluster({ openedBy: "primacy" });
    next.source = db1;
    let done: Promise<unknown> = Promise.resolve();
    next.before = (sql) => {
      if (sql !== "STOP REPLICA") return;
      world.pass(60_000);
      const { generation: seenGeneration } = store.value;
      const stays: ClusterEvent = { kind: "set", master: db1, seenGeneration, cause, beganAt: null };
      done = commitEvent("main", stays, world.elapsed() + 5000, means.commit);
    };
    const slow: OpeningMeans = {
      ...means,
      store: {
        ...means.store,
        readCluster: async (name, options) => {
          await done;
          return await means.store.readCluster(name, options);
        },
      },
    };
    world.pass(120_000);
    const outcome = await commitWith(world, slow, opened(db1, db2, 21));
    expect(outcome).toMatchObject({ kind: "refused", refusal: "stale" });
    expect(next.said).toContain("STOP REPLICA");
    expect(next.readOnly).toBe(true);
  });

  it("Primacy opens nothing by an event that is refused", async () => {
    const { means, world, store, next } = await cluster({ openedBy: "primacy" });
    store.put(recordText({ ...store.value, master: { host: "db3", port: 3306 } }));
    expect(await commitWith(world, means, opened(db1, db2, null))).toMatchObject({ kind: "refused" });
    expect(next.said).toEqual([]);
  });
});
