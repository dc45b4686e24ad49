import { type MariaDb, Takeovers, accounts, serverForTests, waitUntil } from "@primacy/testkit";
import { afterEach, describe, expect, test } from "vitest";
import { startQuickAgent } from "./agent.support.js";
import { keepSessions } from "./sessions.support.js";
import { onlineIn } from "./world.js";

const TESTS = "how a drain or a fence ends, on real database servers";
const isReady =
  serverForTests("mariadb", TESTS) !== undefined && serverForTests("consul", TESTS) !== undefined;

const WRITER = 10;

let on: Takeovers;

afterEach(async () => {
  await on?.close();
});

/** Holds up a replica's applier without stopping it: it does not catch up. */
async function holdApplier(replica: MariaDb): Promise<() => void> {
  const session = await replica.connect(accounts.root);
  await session.query("BEGIN");
  await session.query("SELECT * FROM notes WHERE id=1 FOR UPDATE");
  return () => session.destroy();
}

describe.runIf(isReady)("a graceful takeover that fails half-way, of which no hook tells", () => {
  test("stays as it is while nobody can say who writes; resolve ends it once the master is writable", async () => {
    on = await Takeovers.start({
      proxies: 1,
      layout: { drainSeconds: 2 },
      writerVariables: { PRIMACY_DATABASE_DEADLINE: "5" },
      orchestratorConfiguration: { ReasonableMaintenanceReplicationLagSeconds: 2 },
    });
    const resolve = async () =>
      on.fleet.writer("resolve", "main", "--json", "--orchestrator", on.fleet.orchestrator.url);
    expect((await resolve()).stdout).toContain("nothing to end");
    const [old, designated] = on.databases as [MariaDb, MariaDb, MariaDb];
    // Before the replica lags: from then on it lags more and more.
    await on.fleet.orchestrator.waitForReplication("main");
    const letGo = await holdApplier(designated);
    await old.query("UPDATE app.notes SET note='not on a replica yet' WHERE id=1");
    const answer = await on.fleet.orchestrator.gracefulTakeover("main", designated);
    expect(answer.status).toBe(500);
    const drain = await on.lastHook("PreGracefulTakeover");
    expect(drain).toMatchObject({ code: 0, outcome: "incomplete", oldMaster: "loud" });
    expect(drain.msg).toContain("has NOT executed everything");
    expect((await on.hooks()).map(({ hook }) => hook)).toEqual(["PreGracefulTakeover"]);
    const { deadline } = await on.reaches("draining", 2);
    letGo();
    await waitUntil(() => Date.now() > Date.parse(deadline!), { timeoutMs: 60_000, what: "the deadline" });

    const stays = await resolve();
    expect(stays.code, stays.stderr).toBe(24);
    expect(JSON.parse(stays.stdout)).toMatchObject({
      phase: "draining",
      outcome: "stays-fenced",
      event: null,
    });
    expect(stays.stderr).toContain("read-only");
    expect(await onlineIn(on.fleet.proxies[0]!, WRITER)).toEqual([]);

    await old.query("SET GLOBAL read_only=0");
    const ended = await waitUntil(
      async () => {
        const run = await resolve();
        if (run.code === 0) return run;
        throw new Error(run.stdout);
      },
      { timeoutMs: 60_000, intervalMs: 500, what: "Orchestrator to see that it is writable" },
    );
    expect(JSON.parse(ended.stdout)).toMatchObject({ generation: 3, phase: "open", event: "abort" });
    const record = await on.record();
    expect(record).toMatchObject({ phase: "open", generation: 3, cause: { kind: "deadline" } });
    expect(record.master.port).toBe(old.port);
    await on.everywhere(3);
    expect(await onlineIn(on.fleet.proxies[0]!, WRITER)).toEqual([old.address]);
  });

  test("onFenceFailure: stop ends it at once: the master opens again and takes writes", async () => {
    on = await Takeovers.start({
      proxies: 2,
      layout: { drainSeconds: 1, onFenceFailure: "stop" },
    });
    const [old] = on.databases as [MariaDb, MariaDb, MariaDb];
    await on.fleet.orchestrator.waitForReplication("main");
    await keepSessions(on.store, "proxy2");
    on.fleet.watchers[1]!.suspend();
    const answer = await on.fleet.orchestrator.gracefulTakeover("main");
    expect(answer.status).toBe(500);
    const drain = await on.lastHook("PreGracefulTakeover");
    expect(drain).toMatchObject({ code: 22, outcome: "incomplete", missing: "proxy2" });
    expect(drain.msg).toMatch(
      /stopped, so taken back: main generation 3: .* stays the master and takes writes again/,
    );
    const history = await on.history();
    expect(history.map(({ phase, generation }) => [generation, phase])).toEqual([
      [1, "open"],
      [2, "draining"],
      [3, "open"],
    ]);
    expect((await on.record()).master.port).toBe(old.port);
    expect(await on.isReadOnly(old)).toBe(false);
    on.fleet.watchers[1]!.resume();
    await on.everywhere(3);
    for (const proxy of on.fleet.proxies) expect(await onlineIn(proxy, WRITER)).toEqual([old.address]);
  });
});

/** Less than the period of 6 s in which Orchestrator begins no second recovery; enough for a process to start. */
const HASTY = { PRIMACY_DEADLINE: "4" };

describe.runIf(isReady)("without Consul", () => {
  test("the failover goes on, the change waits on disk, and is there when Consul is back", async () => {
    on = await Takeovers.start({ proxies: 1, writerVariables: HASTY });
    const old = await on.master();
    await on.consul.stop();
    await old.kill9();
    expect(await on.lastHook("PreFailover")).toMatchObject({ code: 0, outcome: "undelivered" });
    expect(await on.lastHook("PostMasterFailover")).toMatchObject({ code: 15, outcome: "spooled" });
    expect(await onlineIn(on.fleet.proxies[0]!, WRITER)).toEqual([old.address]);
    await on.consul.start();
    await waitUntil(async () => (await on.record()).generation === 1, { timeoutMs: 60_000, what: "Consul" });
    const flushed = await on.writerWith({ PRIMACY_DEADLINE: "30" }, "flush");
    expect(flushed.code, flushed.stderr).toBe(0);
    const master = await on.master();
    expect(master.address).not.toBe(old.address);
    await on.everywhere(2);
    expect(await onlineIn(on.fleet.proxies[0]!, WRITER)).toEqual([master.address]);
  });
});

describe.runIf(isReady)("without Consul, where the cluster says stop", () => {
  test("there is no failover without its fence, and there is one once Consul is back", async () => {
    on = await Takeovers.start({
      proxies: 1,
      layout: { onFenceFailure: "stop" },
      writerVariables: HASTY,
    });
    // A hook that could read the layout, on this machine.
    await on.takeOver();
    const old = await on.master();
    const before = (await on.hooks()).length;
    await on.consul.stop();
    await old.kill9();
    expect(await on.lastHook("PreFailover", before)).toMatchObject({ code: 16, outcome: "undelivered" });
    expect((await on.hooks()).slice(before).map(({ hook }) => hook)).not.toContain("PostMasterFailover");
    await on.consul.start();
    const { generation } = await on.reaches("open", 6);
    expect((await on.master()).address).not.toBe(old.address);
    await on.everywhere(generation);
  });
});

/** What Orchestrator has promoted, by its audit: that a recovery has ended. */
async function promotedServer(): Promise<MariaDb> {
  return await waitUntil(
    async () => {
      const { body } = await on.fleet.orchestrator.api("audit-recovery/alias/main");
      const [last] = body as { RecoveryEndTimestamp: string; SuccessorKey: { Port: number } }[];
      if (last === undefined || last.RecoveryEndTimestamp === "") throw new Error(JSON.stringify(last));
      return on.databases.find(({ port }) => port === last.SuccessorKey.Port);
    },
    { timeoutMs: 60_000, what: "a recovery that has ended" },
  );
}

describe.runIf(isReady)("openedBy: primacy", () => {
  test("the new master takes writes only when every proxy has left the old one, and is nobody's replica", async () => {
    on = await Takeovers.start({
      layout: { openedBy: "primacy" },
      orchestratorConfiguration: { ApplyMySQLPromotionAfterMasterFailover: false },
    });
    const old = await on.master();
    await old.kill9();
    const record = await on.reaches("open", 3);
    const master = await on.master();
    expect(master.address).not.toBe(old.address);
    expect(await on.isReadOnly(master)).toBe(false);
    expect(await master.replicaStatus()).toBeUndefined();
    const opened = await on.lastHook("PostMasterFailover");
    expect(opened).toMatchObject({ code: 0, generation: record.generation });
    const notes = opened.notes?.join("\n") ?? "";
    expect(notes.indexOf("3 of 3 proxies at generation 2")).toBeGreaterThanOrEqual(0);
    expect(notes.indexOf(`${master.address} is writable`)).toBeGreaterThan(notes.indexOf("3 of 3 proxies"));
    await on.everywhere(record.generation);
    for (const proxy of on.fleet.proxies) expect(await onlineIn(proxy, WRITER)).toEqual([master.address]);
  });

  test("whose hook is lost stays fenced and read-only until the agent opens it, by the recovery's own UID", async () => {
    on = await Takeovers.start({
      proxies: 2,
      layout: { openedBy: "primacy" },
      hooks: ["PreFailover"],
      orchestratorConfiguration: { ApplyMySQLPromotionAfterMasterFailover: false },
    });
    const old = await on.master();
    await old.kill9();
    const fenced = await on.reaches("fenced", 2);
    const successor = await promotedServer();
    expect(await on.isReadOnly(successor)).toBe(true);
    const agent = await startQuickAgent({
      name: "orc1",
      consul: on.consul.httpAddr,
      orchestrator: [on.fleet.orchestrator.url],
      settings: { replayAfterSeconds: 1 },
      env: on.databaseAccount,
    });
    try {
      const record = await on.reaches("open", 3);
      expect(record).toMatchObject({
        generation: 3,
        master: { port: successor.port },
        writtenBy: "agent orc1",
      });
      expect(record.cause.recoveryUid).toBe(fenced.cause.recoveryUid);
      expect(await on.isReadOnly(successor)).toBe(false);
      expect(await successor.replicaStatus()).toBeUndefined();
      await on.everywhere(3);
      for (const proxy of on.fleet.proxies) {
        expect(await onlineIn(proxy, WRITER)).toEqual([successor.address]);
      }
    } finally {
      await agent.close();
    }
  });

  test("that can't be opened is not on record as open: the event waits, and flush opens it", async () => {
    on = await Takeovers.start({
      proxies: 1,
      layout: { openedBy: "primacy" },
      // Only fences without the hook that needs the servers: the account is wrong.
      writerVariables: { PRIMACY_DATABASE_USER: "nobody" },
      orchestratorConfiguration: { ApplyMySQLPromotionAfterMasterFailover: false },
    });
    const old = await on.master();
    await old.kill9();
    const failed = await on.lastHook("PostMasterFailover");
    expect(failed).toMatchObject({ code: 23, outcome: "not-opened" });
    expect((await on.record()).phase).toBe("fenced");
    expect(await onlineIn(on.fleet.proxies[0]!, WRITER)).toEqual([]);
    const flushed = await on.writerWith({ PRIMACY_DATABASE_USER: "primacy" }, "flush");
    expect(flushed.code, flushed.stderr).toBe(0);
    const { generation } = await on.record();
    expect(await on.isReadOnly(await on.master())).toBe(false);
    await on.everywhere(generation);
  });
});
