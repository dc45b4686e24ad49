import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type ClusterReadiness, type GuardForm, guardForm, waitUntil } from "@primacy/testkit";
import { afterEach, describe, expect, test } from "vitest";
import {
  LEASE_SECONDS,
  type LeasedProxy,
  applyLayout,
  startLeasedWatcher,
  writersBecome,
  writersOnDisk,
} from "./lease.support.js";
import { noteSpoilt } from "./standstill.support.js";
import { type World, serversOf, startLoneProxySql, startWorld } from "./world.js";

const servers = serversOf("127.0.0.1", 3311, 3312, 3313);
const MAIN = { name: "main", writer: 10, reader: 20, servers };
const [db1, db2] = ["127.0.0.1:3311", "127.0.0.1:3312"] as const;
const lease = { onConsulLoss: "lease", leaseSeconds: LEASE_SECONDS };
/** On a machine that is out of breath, a new process takes seconds to begin. */
const LONGEST_LEASE_SECONDS = 12;
/** Behind the lease: the guard's second, what it takes to apply, and a machine that is out of breath. */
const SLACK_MS = 40_000;

let world: World;
const closing: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** A cluster under a lease, with one ProxySQL whose watcher holds one. */
async function underLease(form: GuardForm = guardForm, leaseSeconds = LEASE_SECONDS): Promise<LeasedProxy> {
  world = await startWorld([MAIN]);
  closing.push(async () => world.close());
  await world.bootstrap(MAIN, servers[0]!);
  await applyLayout(world, MAIN, { ...lease, leaseSeconds });
  const proxysql = await startLoneProxySql();
  closing.push(async () => proxysql.close());
  const leased = await startLeasedWatcher(world, proxysql, "main", form);
  closing.push(async () => leased.link.close());
  closing.push(async () => leased.watcher.close());
  await writersBecome(proxysql, MAIN.writer, [db1]);
  return leased;
}

async function saysOf({ watcher }: LeasedProxy): Promise<string> {
  const { clusters, guard } = (await watcher.readiness()) as unknown as {
    clusters: { lease: string; says: string }[];
    guard: string | null;
  };
  return `${clusters[0]?.lease}: ${clusters[0]?.says} (guard: ${guard ?? "in place"})`;
}

async function eventuallySays(leased: LeasedProxy, pattern: RegExp): Promise<void> {
  await waitUntil(
    async () => {
      const says = await saysOf(leased);
      if (!pattern.test(says)) throw new Error(says);
      return true;
    },
    { timeoutMs: 60_000, what: `readiness to say ${String(pattern)}` },
  );
}

async function takeover(): Promise<void> {
  const hook = await world.hook("PostMasterFailover", {
    cluster: "main",
    failed: servers[0]!,
    successor: servers[1]!,
  });
  expect(hook.code, hook.stderr).toBe(0);
}

describe("under a lease", () => {
  test("the disk has no writer, the guard is in ProxySQL's scheduler, and readiness says that the lease is held", async () => {
    const leased = await underLease();
    await waitUntil(async () => (await writersOnDisk(leased.proxysql, MAIN.writer)).length === 0, {
      timeoutMs: 60_000,
      what: "a disk without a writer",
    });
    await eventuallySays(
      leased,
      /^held: generation 1 open: 127\.0\.0\.1:3311 takes writes \(guard: in place\)$/,
    );
    const rows = await leased.proxysql.admin(
      "SELECT active, interval_ms, arg1, comment FROM runtime_scheduler",
    );
    expect(rows).toMatchObject([{ active: "1", interval_ms: "1000", comment: "primacy guard of proxy1" }]);
    const text = JSON.stringify(rows) + leased.watcher.log;
    expect(text).not.toContain("admin-password");
  });

  test("a watcher that is cut off takes its own ProxySQL out when the lease ends, and back in when Consul answers", async () => {
    const leased = await underLease("none");
    leased.link.cut();
    const tookMs = await writersBecome(leased.proxysql, MAIN.writer, []);
    expect(tookMs).toBeLessThan(LEASE_SECONDS * 1000 + SLACK_MS);
    await eventuallySays(
      leased,
      /^lost: .*nobody takes writes here, the lease is lost: no .* succeeded for 4 s/,
    );
    await takeover();
    expect(await writersBecome(leased.proxysql, MAIN.writer, [])).toBeLessThan(SLACK_MS);
    leased.link.mend();
    await writersBecome(leased.proxysql, MAIN.writer, [db2]);
    await eventuallySays(leased, /^held: generation 2 open/);
  });

  test("ProxySQL that is started anew lets nobody write before its watcher has read the record", async () => {
    const leased = await underLease("none");
    await waitUntil(async () => (await writersOnDisk(leased.proxysql, MAIN.writer)).length === 0, {
      timeoutMs: 60_000,
      what: "a disk without a writer",
    });
    leased.watcher.suspend();
    await leased.proxysql.kill9();
    await leased.proxysql.start();
    expect(await writersBecome(leased.proxysql, MAIN.writer, [])).toBeLessThan(SLACK_MS);
    leased.watcher.resume();
    await writersBecome(leased.proxysql, MAIN.writer, [db1]);
  });

  test("somebody's SAVE puts a writer on the disk: it is taken out again", async () => {
    const leased = await underLease("none");
    await leased.proxysql.admin("SAVE MYSQL SERVERS TO DISK");
    await waitUntil(async () => (await writersOnDisk(leased.proxysql, MAIN.writer)).length === 0, {
      timeoutMs: 60_000,
      what: "a disk without a writer",
    });
    expect(await writersBecome(leased.proxysql, MAIN.writer, [db1])).toBeLessThan(SLACK_MS);
  });

  test("without a guard the watcher says that nobody stands in for it", async () => {
    const leased = await underLease("none");
    await eventuallySays(leased, /guard: no guard is set up/);
    expect((await leased.watcher.readiness()).ready).toBe(false);
  });

  test("a layout that goes back to `keep` takes the guard away and saves the layout with its writer", async () => {
    const leased = await underLease();
    await eventuallySays(leased, /guard: in place/);
    await applyLayout(world, MAIN, { onConsulLoss: "keep" });
    await waitUntil(async () => (await writersOnDisk(leased.proxysql, MAIN.writer)).join() === db1, {
      timeoutMs: 60_000,
      what: "the writer on the disk",
    });
    await waitUntil(
      async () => (await leased.proxysql.admin("SELECT id FROM runtime_scheduler")).length === 0,
      { timeoutMs: 60_000, what: "a scheduler without the guard" },
    );
    leased.link.cut();
    await eventuallySays(leased, /^not-asked-for: .*holding, unverified/);
    expect(await writersBecome(leased.proxysql, MAIN.writer, [db1])).toBeLessThan(SLACK_MS);
  });
});

describe.each([...new Set<GuardForm>([guardForm, "node"])])("the guard (%s)", (form) => {
  test("takes ProxySQL out when its watcher is stopped, and the watcher puts it back when it goes on", async () => {
    const leased = await underLease(form);
    await eventuallySays(leased, /guard: in place/);
    leased.watcher.suspend();
    const tookMs = await writersBecome(leased.proxysql, MAIN.writer, []);
    expect(tookMs).toBeLessThan(LEASE_SECONDS * 1000 + SLACK_MS);
    await takeover();
    leased.watcher.resume();
    await writersBecome(leased.proxysql, MAIN.writer, [db2]);
  });

  test("takes ProxySQL out when its watcher has died, and a new watcher puts it back", async () => {
    const leased = await underLease(form);
    await eventuallySays(leased, /guard: in place/);
    await leased.watcher.kill9();
    await writersBecome(leased.proxysql, MAIN.writer, []);
    await leased.watcher.start();
    await writersBecome(leased.proxysql, MAIN.writer, [db1]);
  });

  test("shows its watcher that it gets through, and the watcher says so when it does not", async () => {
    const leased = await underLease(form);
    await eventuallySays(leased, /guard: in place/);
    await leased.proxysql.admin("UPDATE primacy_guard SET seen=0");
    await waitUntil(
      async () => (await leased.proxysql.admin("SELECT seen FROM primacy_guard WHERE seen>0")).length === 1,
      { timeoutMs: 60_000, what: "the guard to show itself" },
    );
    // Not noticed by who looks at the scheduler: the row stays as it is.
    await writeFile(join(world.folder, `guard-${leased.proxysql.adminPort}.cnf`), "[client]\n");
    await leased.proxysql.admin("UPDATE primacy_guard SET seen=0");
    await eventuallySays(leased, /guard: the guard is in ProxySQL's scheduler and has not got through/);
    expect((await leased.watcher.readiness()).ready).toBe(false);
  });
});

test("a watcher that is replaced within its lease leaves no gap", async () => {
  const leased = await underLease(guardForm, LONGEST_LEASE_SECONDS);
  await eventuallySays(leased, /guard: in place/);
  for (const how of ["stop", "kill9"] as const) await replaceWithoutGap(leased, how);
});

/** How often anybody has loaded servers into the runtime: to take the writer out and to put it back are two LOADs. */
async function loadsOf({ proxysql }: LeasedProxy): Promise<unknown> {
  return await proxysql.admin(
    "SELECT Variable_Value AS loads FROM stats_mysql_global WHERE Variable_Name='Servers_table_version'",
  );
}

/** Where the machine stood still until the lease was over, nothing is shown either way: then it is done once more. */
async function replaceWithoutGap(leased: LeasedProxy, how: "stop" | "kill9"): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    await waitUntil(async () => isFresh((await leased.watcher.readiness()).clusters[0]), {
      timeoutMs: 60_000,
      what: "most of a lease to be left",
    });
    const before = await loadsOf(leased);
    const started = performance.now();
    await leased.watcher[how]();
    await leased.watcher.start();
    await eventuallySays(leased, /^held: generation 1 open/);
    const after = await loadsOf(leased);
    const inTime = performance.now() - started < (LONGEST_LEASE_SECONDS * 1000) / 2;
    if (inTime || attempt === 3) expect(after).toEqual(before);
    if (JSON.stringify(after) === JSON.stringify(before)) return;
    noteSpoilt(`"a watcher that is replaced within its lease" (${how}) is done once more`);
  }
}

/** A lease is renewed four times in its length. */
function isFresh(cluster: ClusterReadiness | undefined): boolean {
  const secondsAgo = cluster?.verifiedSecondsAgo ?? Number.POSITIVE_INFINITY;
  return secondsAgo <= LONGEST_LEASE_SECONDS / 3;
}
