import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import {
  type HookLog,
  type Story,
  type StoryOutcome,
  TwoSites,
  allOf,
  aloneWithTheMaster,
  cutOffFromConsul,
  figuresOfStory,
  figuresText,
  frozen,
  killed,
  leaderKilled,
  namespacesForTests,
  primacyFolder,
  serverForTests,
  tell,
  waitUntil,
} from "@primacy/testkit";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { STANDSTILL_MS, measureStandstill, noteSpoilt } from "./standstill.support.js";

const TESTS = "takeovers while a site is cut off, on real servers and in a network of its own";
const isReady =
  serverForTests("mariadb", TESTS) !== undefined &&
  serverForTests("consul", TESTS) !== undefined &&
  namespacesForTests(TESTS);

/** Times are kept for people; no test is judged by them. */
const FIGURES = primacyFolder("partitions.log");

/** Of a test, in which a story may be told three times. */
const LIMIT_MS = 900_000;

describe.runIf(isReady)("takeovers under load while something is broken", { timeout: LIMIT_MS }, () => {
  let sites: TwoSites;
  const figures: string[] = [];

  beforeAll(async () => {
    sites = await TwoSites.start();
  }, LIMIT_MS);
  afterAll(async () => {
    mkdirSync(dirname(FIGURES), { recursive: true });
    writeFileSync(FIGURES, figures.map((line) => `${line}\n`).join(""));
    await sites?.close();
  });

  /** Tells a story after which nobody must have written where he ought not to, and nothing must be lost. */
  async function goesWell(name: string, story: Story): Promise<StoryOutcome> {
    const outcome = await tellInTime(name, story);
    figures.push(`${name}: ${figuresText(figuresOfStory(outcome))}`);
    const lines = outcome.hooks.map(({ hook, msg }) => `${hook}: ${msg}`).join("\n");
    expect(outcome.verdict, lines).toMatchObject({ onTheWrongMaster: [], lost: [], duplicates: [] });
    return outcome;
  }

  /** Where a story did not go well and the machine stood still meanwhile, it is told anew: the end of the run says so. */
  async function tellInTime(name: string, story: Story): Promise<StoryOutcome> {
    const master = await sites.takeovers.master();
    for (let attempt = 1; ; attempt += 1) {
      const standstillMs = measureStandstill();
      const outcome = await tell(sites, story);
      const { onTheWrongMaster, lost } = outcome.verdict;
      const isWell = onTheWrongMaster.length === 0 && lost.length === 0;
      if (isWell || standstillMs() <= STANDSTILL_MS || attempt === 3) return outcome;
      const found = `${onTheWrongMaster.length} on the wrong master, ${lost.length} lost`;
      noteSpoilt(`"${name}" is told anew after ${standstillMs().toFixed()} ms (${found})`);
      await sites.moveTo(master);
    }
  }

  /** The fence stood by the lease of those who could not be heard, and its line says who they are. */
  function standsByLease({ hooks }: StoryOutcome, ...names: readonly string[]): HookLog {
    const fence = hooks.find(({ hook }) => hook === "PreFailover");
    if (fence === undefined) throw new Error("no fence was asked for");
    expect(fence, fence.msg).toMatchObject({ code: 0, outcome: "ok" });
    // On a machine that is very slow, Consul has dropped their sessions by then, and they are not waited for.
    if (fence.proxies === 3) {
      expect(fence, fence.msg).toMatchObject({ barrier: "lease", missing: names.join(",") });
      expect(fence.msg).toContain(`their lease is over: ${names[0] ?? ""} (`);
    } else {
      expect(fence.proxies, fence.msg).toBeGreaterThanOrEqual(3 - names.length);
    }
    return fence;
  }

  test("a site is alone with a master that lives: its proxy has stopped before the new master opens", async () => {
    const outcome = await goesWell("forced, a site alone with the master", {
      takeover: "forced",
      fault: aloneWithTheMaster({ hearsConsul: false }),
    });
    const fence = standsByLease(outcome, "proxy3");
    expect(fence.oldMaster).toBe("unreachable");
    // Until then it did write there, and nobody else knows of it: so the oracle had something to see.
    expect(outcome.verdict.lostByReplication.length).toBeGreaterThan(0);
  });

  test("planned, and Consul's leader is killed while the proxies drain", async () => {
    const to = (await sites.takeovers.master()) === sites.nearDatabases[0] ? 1 : 0;
    const { verdict, record } = await goesWell("planned, Consul's leader killed", {
      takeover: "planned",
      to: sites.nearDatabases[to],
      faultDuring: leaderKilled(),
    });
    expect(verdict.lostByReplication).toEqual([]);
    expect(record.master.port).toBe(sites.nearDatabases[to].port);
  });

  test("planned, and a proxy hears nothing of Consul, which still hears its watcher, while it reaches every database", async () => {
    const outcome = await goesWell("planned, a proxy cut off", {
      takeover: "planned",
      to: sites.farDatabase,
      fault: cutOffFromConsul("inwards"),
    });
    standsByLease(outcome, "proxy3");
    const drain = outcome.hooks.find(({ hook }) => hook === "PreGracefulTakeover");
    expect(drain, drain?.msg).toMatchObject({ code: 0, outcome: "incomplete", missing: "proxy3" });
    expect(outcome.verdict.lostByReplication).toEqual([]);
  });

  test("a site is alone with a master that lives, and its watcher is frozen; another one is killed: the guards stop their proxies", async () => {
    const outcome = await goesWell("forced, a watcher frozen beside the master, one killed", {
      takeover: "forced",
      fault: allOf(aloneWithTheMaster({ hearsConsul: true }), frozen(2), killed(0)),
    });
    standsByLease(outcome, "proxy1", "proxy3");
    expect(outcome.verdict.lostByReplication.length).toBeGreaterThan(0);
  });

  test("dead master, and everything at once: no proxy can be heard, and Consul's leader dies", async () => {
    const outcome = await goesWell("dead master, everything at once", {
      takeover: "dead master",
      fault: allOf(cutOffFromConsul(), frozen(0), killed(1)),
      faultDuring: leaderKilled(),
    });
    standsByLease(outcome, "proxy1", "proxy2", "proxy3");
    expect(outcome.verdict.lostByReplication).toEqual([]);
  });

  test("without a lease the same site goes on writing to the old master: the oracle sees it", async () => {
    await sites.moveTo(sites.farDatabase);
    await sites.keepWithoutConsul();
    const outcome = await tell(sites, {
      takeover: "forced",
      // Nothing silences it.
      fault: { ...aloneWithTheMaster({ hearsConsul: false }), silences: [] },
      beforeMending: async ({ load }) => {
        const before = load.snapshot().acknowledgedBy["proxy3"] ?? 0;
        await waitUntil(() => (load.snapshot().acknowledgedBy["proxy3"] ?? 0) >= before + 20, {
          timeoutMs: 60_000,
          what: "20 more writes through the far proxy",
        });
      },
    });
    const fence = outcome.hooks.find(({ hook }) => hook === "PreFailover");
    expect(fence, fence?.msg).toMatchObject({ code: 0, outcome: "incomplete", missing: "proxy3" });
    expect(outcome.verdict.onTheWrongMaster.length).toBeGreaterThanOrEqual(20);
    expect(outcome.verdict.lost.length).toBeGreaterThanOrEqual(20);
    const elsewhere = outcome.verdict.onTheWrongMaster.filter(
      ({ executedBy }) => executedBy !== sites.farDatabase.serverId,
    );
    expect(elsewhere).toEqual([]);
  });
});
