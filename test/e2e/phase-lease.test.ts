import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type ProxySql,
  Takeovers,
  guardVariables,
  removeFolder,
  serverForTests,
  startConsul,
} from "@primacy/testkit";
import { afterEach, describe, expect, test } from "vitest";
import { Link, writersBecome } from "./lease.support.js";
import { keepSessions } from "./sessions.support.js";
import { STANDSTILL_MS, measureStandstill, noteSpoilt } from "./standstill.support.js";
import { onlineIn } from "./world.js";

const TESTS = "a fence under a lease on real database servers";
const isReady =
  serverForTests("mariadb", TESTS) !== undefined && serverForTests("consul", TESTS) !== undefined;

const WRITER = 10;
const closing: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

describe.runIf(isReady)("under a lease", () => {
  test("a proxy whose watcher hangs, and one that is cut off, are waited for as long as their lease, and route nothing by then", async () => {
    const folder = await mkdtemp(join(tmpdir(), "primacy-lease-"));
    closing.push(async () => removeFolder(folder));
    const consul = await startConsul();
    const link = await Link.to(consul.httpAddr);
    closing.push(async () => link.close());
    const on = await Takeovers.start(
      {
        layout: { onConsulLoss: "lease", leaseSeconds: 4, onFenceFailure: "stop" },
        watcherConsul: (index) => (index === 2 ? `http://127.0.0.1:${String(link.port)}` : consul.httpAddr),
        watcherVariables: async (_index, proxysql) => guardVariables(folder, proxysql, "node"),
        // The fence's hook waits for a lease, which is longer than the kit's usual period: a second recovery would begin.
        orchestratorConfiguration: { RecoveryPeriodBlockSeconds: 60 },
      },
      consul,
    );
    closing.push(async () => on.close());
    const [first, second, third] = on.fleet.proxies as [ProxySql, ProxySql, ProxySql];
    const old = await on.master();
    for (const proxy of on.fleet.proxies) await writersBecome(proxy, WRITER, [old.address]);

    await keepSessions(on.store, "proxy2", "proxy3");
    on.fleet.watchers[1]!.suspend();
    link.cut();
    const standstillMs = measureStandstill();
    await old.kill9();

    const fence = await on.lastHook("PreFailover");
    // Nobody is asked to trust the two: with onFenceFailure: stop this would end the failover.
    expect(fence).toMatchObject({ code: 0, outcome: "ok", barrier: "lease", acknowledged: 1, proxies: 3 });
    expect(fence.msg).toMatch(
      /1 of 3 proxies at generation 2 in \d+ ms; their lease is over: proxy2 .*, proxy3 /,
    );
    const { generation } = await on.reaches("open", 3);
    const master = await on.master();
    expect(master.address).not.toBe(old.address);
    await writersBecome(first, WRITER, [master.address]);
    for (const proxy of [second, third]) {
      if (standstillMs() > STANDSTILL_MS) {
        noteSpoilt(`"route nothing by then" is waited for after ${standstillMs().toFixed()} ms`);
        await writersBecome(proxy, WRITER, []);
      }
      expect(await onlineIn(proxy, WRITER)).toEqual([]);
    }

    on.fleet.watchers[1]!.resume();
    link.mend();
    await on.everywhere(generation);
    for (const proxy of on.fleet.proxies) await writersBecome(proxy, WRITER, [master.address]);
  });
});
