import type { MasterRecord } from "@primacy/contract";
import type { HookLog } from "../fleet/takeovers.js";
import { type Load, startLoad } from "../load/load.js";
import { judge } from "../load/oracle.js";
import type { OracleVerdict } from "../load/verdict.js";
import { accounts } from "../servers/mariadb-accounts.js";
import type { MariaDb } from "../servers/mariadb.js";
import { waitUntil } from "../wait-until.js";
import type { Fault } from "./faults.js";
import { judgeTakeover, type TakeoverVerdict } from "./judge-takeover.js";
import { ACKNOWLEDGE, type TwoSites } from "./two-sites.js";

/** Generous: a busy machine is slow, and nothing here is judged by its time. Milliseconds. */
const LIMIT_MS = 90_000;

/** A takeover while something is broken. */
export interface Story {
  /** By an operator, with a living master; by itself, of one that was killed; or of one that is taken for dead and lives. */
  readonly takeover: "planned" | "dead master" | "forced";
  /** Onto this one (default: Orchestrator's choice). Planned takeovers only. */
  readonly to?: MariaDb;
  /** Before the takeover. */
  readonly fault?: Fault;
  /** As soon as the old master has been given up. */
  readonly faultDuring?: Fault;
  /** What is to be seen before anything is mended. */
  readonly beforeMending?: (aftermath: Aftermath) => Promise<unknown>;
}

/** The state in which a story is when the new master has been opened and nothing has been mended. */
export interface Aftermath {
  readonly load: Load;
  readonly record: MasterRecord;
}

/** What it came to. Times are milliseconds. */
export interface StoryOutcome {
  readonly record: MasterRecord;
  readonly verdict: TakeoverVerdict & Pick<OracleVerdict, "acknowledged" | "longestGapMsByProxy">;
  /** Every hook's line, in their order. */
  readonly hooks: readonly HookLog[];
  /** From the fault until that proxy let nobody take writes any more, by its name. */
  readonly silentAfterMs: Readonly<Record<string, number>>;
  /** From the takeover's beginning until the new master was open in Consul. */
  readonly openAfterMs: number;
  /** From the mending until every proxy had the record. */
  readonly convergedAfterMs: number;
}

/** Clients write through every proxy all along; answers when every proxy carries writes to the new master again. */
export async function tell(sites: TwoSites, story: Story): Promise<StoryOutcome> {
  const telling = new Telling(sites, story);
  try {
    return await telling.run();
  } finally {
    await telling.load.stop();
  }
}

class Telling {
  readonly load: Load;
  readonly #sites: TwoSites;
  readonly #story: Story;

  constructor(sites: TwoSites, story: Story) {
    this.#sites = sites;
    this.#story = story;
    this.load = startLoad({
      targets: sites.proxies.map(({ host, port }, index) => ({
        host,
        port,
        ...accounts.app,
        name: sites.watcherOf(index).proxy,
      })),
      writers: 9,
      transactions: 3,
      pinned: 3,
      readers: 3,
      intervalMs: 80,
      maxDurationMs: 600_000,
    });
  }

  async run(): Promise<StoryOutcome> {
    const { takeovers } = this.#sites;
    await takeovers.fleet.orchestrator.waitForReplication("main");
    await this.#everyProxyWrites();
    const hooksBefore = (await takeovers.hooks()).length;
    const old = await takeovers.master();

    await this.#story.fault?.begin(this.#sites);
    const silent = this.#silence();
    // Should the takeover fail first, that is the one to be told.
    silent.catch(() => undefined);
    const { record, openAfterMs } = await this.#takeOver(old);
    const silentAfterMs = await silent;
    await this.#story.beforeMending?.({ load: this.load, record });

    const mendingAt = performance.now();
    await this.#story.fault?.end(this.#sites);
    await this.#story.faultDuring?.end(this.#sites);
    await takeovers.everywhere(record.generation);
    const convergedAfterMs = performance.now() - mendingAt;
    await this.#everyProxyWrites();

    const hooks = (await takeovers.hooks()).slice(hooksBefore);
    const verdict = await this.#judge(old, hooks, record);
    await this.#tidyUp(old);
    return { record, verdict, hooks, silentAfterMs, openAfterMs, convergedAfterMs };
  }

  async #takeOver(old: MariaDb): Promise<{ record: MasterRecord; openAfterMs: number }> {
    const { takeovers } = this.#sites;
    const { orchestrator } = takeovers.fleet;
    const { generation } = await takeovers.record();
    const beganAt = performance.now();
    const during = this.#faultDuring(generation);
    if (this.#story.takeover === "dead master") await old.kill9();
    else if (this.#story.takeover === "forced") await orchestrator.forceMasterFailover("main");
    else {
      const { status, body } = await orchestrator.gracefulTakeover("main", this.#story.to);
      if (status !== 200) throw new Error(JSON.stringify(body));
    }
    await during;
    const record = await waitUntil(
      async () => {
        const now = await takeovers.record();
        if (now.phase === "open" && now.generation > generation) return now;
        // A hook that found Consul without a leader for too long has left its event on disk.
        const spooled = (await takeovers.hooks()).some(({ outcome }) => outcome === "spooled");
        if (spooled) await takeovers.fleet.writer("flush");
        throw new Error(`generation ${String(now.generation)}, ${now.phase}`);
      },
      { timeoutMs: LIMIT_MS, what: "the new master to be open in Consul" },
    );
    return { record, openAfterMs: performance.now() - beganAt };
  }

  async #faultDuring(generation: number): Promise<void> {
    const { faultDuring } = this.#story;
    if (faultDuring === undefined) return;
    await waitUntil(async () => (await this.#sites.takeovers.record()).generation > generation, {
      timeoutMs: LIMIT_MS,
      what: "the old master to be given up",
    });
    await faultDuring.begin(this.#sites);
  }

  /** Since the fault: when each proxy that hears nothing has stopped to let anybody take writes. */
  async #silence(): Promise<Record<string, number>> {
    const since = performance.now();
    const entries = (this.#story.fault?.silences ?? []).map(async (index) => {
      const proxysql = this.#sites.proxies[index];
      if (proxysql === undefined) throw new RangeError(`there is no proxy ${String(index)}`);
      const { proxy } = this.#sites.watcherOf(index);
      await waitUntil(async () => !(await this.#sites.mayWrite(proxysql)), {
        timeoutMs: LIMIT_MS,
        what: `${proxy} to let nobody take writes`,
      });
      return [proxy, performance.now() - since] as const;
    });
    return Object.fromEntries(await Promise.all(entries));
  }

  async #everyProxyWrites(): Promise<void> {
    const before = this.load.snapshot().acknowledgedBy;
    await waitUntil(
      () => {
        const now = this.load.snapshot().acknowledgedBy;
        const all = this.#sites.takeovers.fleet.watchers.every(
          ({ proxy }) => (now[proxy] ?? 0) >= (before[proxy] ?? 0) + 20,
        );
        if (!all) throw new Error(JSON.stringify({ before, now }));
        return true;
      },
      { timeoutMs: LIMIT_MS, what: "every proxy to carry 20 more writes" },
    );
  }

  async #judge(
    old: MariaDb,
    hooks: readonly HookLog[],
    record: MasterRecord,
  ): Promise<StoryOutcome["verdict"]> {
    const { takeovers } = this.#sites;
    const load = await this.load.stop();
    if (this.#story.takeover === "dead master") await old.start(true);
    const finalMaster = await takeovers.master();
    for (const one of takeovers.databases) {
      if (one !== finalMaster && one !== old) await one.catchUpWith(finalMaster, 60_000);
    }
    const fence = hooks.findLast(({ hook, barrier }) => hook === "PreFailover" && barrier !== undefined);
    const fencedAtMs = Date.parse(fence?.time ?? record.writtenAt);
    const servers = takeovers.databases;
    const verdict = await judge({ load, servers, finalMaster, switchedAtMs: fencedAtMs });
    const { acknowledged, longestGapMsByProxy } = verdict;
    return { ...judgeTakeover(verdict, fencedAtMs), acknowledged, longestGapMsByProxy };
  }

  /** For the next story: three servers that replicate, and an Orchestrator that holds nothing back. */
  async #tidyUp(old: MariaDb): Promise<void> {
    const { takeovers } = this.#sites;
    const { orchestrator } = takeovers.fleet;
    await orchestrator.api(ACKNOWLEDGE);
    if (this.#story.takeover === "planned") return;
    const master = await takeovers.master();
    // It may have what nobody else has.
    await old.rebuildFrom(master);
    await old.catchUpWith(master, 60_000);
    await orchestrator.api(`end-downtime/${old.host}/${String(old.port)}`);
  }
}
