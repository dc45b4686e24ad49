import { type MariaDb, Takeovers, serverForTests, waitUntil } from "@primacy/testkit";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { keepSessions } from "./sessions.support.js";
import { onlineIn } from "./world.js";

const TESTS = "the phases of a takeover on real database servers";
const isReady =
  serverForTests("mariadb", TESTS) !== undefined && serverForTests("consul", TESTS) !== undefined;

const WRITER = 10;

describe.runIf(isReady)("a takeover with drain and fence", () => {
  let on: Takeovers;

  beforeAll(async () => {
    on = await Takeovers.start();
  });
  afterAll(async () => {
    await on?.close();
  });

  test("planned: drained, silenced, fenced, opened; the proof stands in the history", async () => {
    const [old] = on.databases as [MariaDb, MariaDb, MariaDb];
    // Who bypasses the proxies: no drain at a proxy reaches it.
    const direct = await old.connect();
    await direct.query("BEGIN");
    await direct.query("UPDATE notes SET note='never committed' WHERE id=1");

    await on.takeOver();

    const hooks = await on.hooks();
    expect(hooks.map(({ hook, code, outcome }) => [hook, code, outcome])).toEqual([
      ["PreGracefulTakeover", 0, "ok"],
      ["PreFailover", 0, "ok"],
      ["PostMasterFailover", 0, "ok"],
      ["PostGracefulTakeover", 0, "ok"],
    ]);
    expect(hooks[0]).toMatchObject({
      proxies: 3,
      acknowledged: 3,
      barrier: "acknowledgements",
      oldMaster: "silent",
    });
    expect(hooks[0]!.msg).toMatch(/; 3 of 3 proxies at generation 2 in \d+ ms$/);
    expect(hooks[0]!.msg).toMatch(
      /is read-only, [1-9]\d* connections killed, 0 left, .* has executed everything/,
    );
    expect(hooks[1]!.msg).toMatch(/; 3 of 3 proxies at generation 3 in \d+ ms$/);

    const history = await on.history();
    expect(history.map(({ phase }) => phase)).toEqual(["open", "draining", "fenced", "open"]);
    expect(history[3]).toMatchObject({ oldMaster: { readOnly: true, left: 0, caughtUp: true } });
    expect(history[3]!.oldMaster!.killed).toBeGreaterThanOrEqual(1);
    expect(history[2]!.oldMaster).toBeUndefined();
    await expect(direct.query("COMMIT")).rejects.toThrow();
    await on.everywhere(4);
    const master = await on.master();
    expect(await on.isReadOnly(master)).toBe(false);
    expect(await on.isReadOnly(old)).toBe(true);
    for (const proxy of on.fleet.proxies) expect(await onlineIn(proxy, WRITER)).toEqual([master.address]);
  });

  test("check: nothing takes away from the promise but the agent that is not there", async () => {
    const { code, stdout } = await on.writerWith({}, "check", "main", "--json");
    const said = JSON.parse(stdout) as { guarantees: string[]; findings: { check: string; level: string }[] };
    expect(said.guarantees.join()).toMatch(/The old master is made read-only/);
    expect(said.findings.map(({ check, level }) => [check, level])).toEqual([["no-agent", "gap"]]);
    expect(code).toBe(30);
    const text = (await on.writerWith({ PRIMACY_DATABASE_USER: "nobody" }, "check", "main")).stdout;
    expect(text).toMatch(/^main generation 4: .* is open\. When the master changes:$/m);
    expect(text.match(/^gap {2}.*\[server-not-reached\]$/gm)).toHaveLength(3);
    expect(text).not.toContain("change-me");
  });

  test("dead master: fenced at every proxy before the new one opens, and nobody waits for the dead", async () => {
    const before = (await on.hooks()).length;
    const old = await on.master();
    await old.kill9();
    const fence = await on.lastHook("PreFailover", before);
    expect(fence).toMatchObject({ code: 0, outcome: "ok", acknowledged: 3, oldMaster: "unreachable" });
    const { generation } = await on.reaches("open", 6);
    const opened = await on.lastHook("PostMasterFailover", before);
    expect(opened).toMatchObject({ code: 0, generation });
    await on.everywhere(generation);
    const master = await on.master();
    for (const proxy of on.fleet.proxies) expect(await onlineIn(proxy, WRITER)).toEqual([master.address]);
    expect((await on.record()).oldMaster).toBeUndefined();
    await old.start(true);
    await old.replicateFrom(master);
  });

  test("a hook that comes again changes nothing, and waits for nobody", async () => {
    const record = await on.record();
    const environment = { ORC_FAILURE_TYPE: "DeadMaster", ORC_FAILURE_CLUSTER_ALIAS: "main" };
    const { recoveryUid } = record.cause;
    const run = await on.hook("PostFailover", {
      ...environment,
      ORC_FAILED_HOST: record.previous!.host,
      ORC_FAILED_PORT: String(record.previous!.port),
      ORC_SUCCESSOR_HOST: record.master.host,
      ORC_SUCCESSOR_PORT: String(record.master.port),
      ORC_RECOVERY_UID: recoveryUid,
    });
    expect(run).toMatchObject({ code: 0 });
    const late = await on.hook("PreFailover", {
      ...environment,
      ORC_FAILED_HOST: record.master.host,
      ORC_FAILED_PORT: String(record.master.port),
      ORC_RECOVERY_UID: recoveryUid,
    });
    expect(late.stdout).toMatch(/refused/);
    expect(await on.record()).toEqual(record);
    expect(await on.isReadOnly(await on.master())).toBe(false);
  });

  test("a watcher that is dead is waited for until the deadline, then only until its session is gone", async () => {
    const [, , third] = on.fleet.watchers;
    const letGo = await keepSessions(on.store, "proxy3");
    await third!.kill9();
    const before = (await on.hooks()).length;
    await on.takeOver();
    const fence = await on.lastHook("PreFailover", before);
    expect(fence).toMatchObject({
      code: 0,
      outcome: "incomplete",
      acknowledged: 2,
      proxies: 3,
      missing: "proxy3",
    });
    expect(fence.msg).toMatch(
      /missing: proxy3 \(at generation \d+\); the failover goes on without it \(incomplete\)$/,
    );
    letGo();
    await waitUntil(
      async () => {
        const { acknowledgements } = await on.store.readAcknowledgements("main");
        return acknowledgements.every(({ sessionId, proxy }) => sessionId === null || proxy !== "proxy3");
      },
      { timeoutMs: 90_000, what: "Consul to drop proxy3's session" },
    );
    const later = (await on.hooks()).length;
    await on.takeOver();
    const second = await on.lastHook("PreFailover", later);
    expect(second, second.msg).toMatchObject({
      outcome: "ok",
      acknowledged: 2,
      proxies: 2,
    });
    await third!.start();
    await on.everywhere((await on.record()).generation);
  });
});
