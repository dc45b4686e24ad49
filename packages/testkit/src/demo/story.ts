import { Fleet } from "../fleet/fleet.js";
import type { Routing } from "../fleet/plan.js";
import { type Load, startLoad } from "../load/load.js";
import { judge } from "../load/oracle.js";
import { createLoadTable } from "../load/table.js";
import type { OracleVerdict } from "../load/verdict.js";
import type { MariaDb } from "../servers/mariadb.js";
import { pause, waitUntil } from "../wait-until.js";
import { observe } from "./observe.js";
import { type Parts, startPartConsul } from "./parts.js";
import type { Screen } from "./screen.js";

const LOOK_EVERY_MS = 250;
/** How long each act runs under load. Milliseconds. */
const ACT_MS = 4000;
const AFTERMATH_MS = 8000;

/** What a run came to. */
export interface StoryResult {
  routing: Routing;
  verdict: OracleVerdict;
  /** From the kill of the master to the new one being writable: Orchestrator's part. Milliseconds. */
  promotedMs: number;
  /** Longest time in which a ProxySQL had two servers that take writes, as often as we looked. Milliseconds. */
  twoWritersMs: number;
}

/** A fleet under load: its master dies, another is promoted, and the old one comes back, writable. */
export class Story {
  readonly #started = performance.now();
  #act = "starting";
  #twoWritersMs = 0;
  #acknowledgedBefore = 0;
  #rate = 0;
  #load: Load | undefined;

  private constructor(
    readonly fleet: Fleet,
    private readonly screen: Screen,
  ) {}

  static async begin(routing: Routing, parts: Parts, screen: Screen): Promise<Story> {
    const consul = await startPartConsul(parts);
    const fleet = await Fleet.start({
      routing,
      clusters: { main: 3 },
      proxies: 2,
      databaseKind: parts.mariadb,
      proxySqlKind: parts.proxysql,
      orchestratorKind: parts.orchestrator,
      consul,
      onProgress: (what) => {
        screen.say(screen.brush.dim(`  starting ${what}`));
      },
    }).catch(async (error: unknown) => {
      // Who holds no fleet can't close its Consul, and a demo that has failed must end.
      await consul.close();
      throw error;
    });
    return new Story(fleet, screen);
  }

  async close(): Promise<void> {
    await this.#load?.stop();
    await this.fleet.close();
    await this.fleet.options.consul.close();
  }

  async play(): Promise<StoryResult> {
    const { databases } = this.fleet.cluster("main");
    const [old, ...others] = databases as [MariaDb, ...MariaDb[]];
    await this.#prepare(old, others);
    await this.#during(`clients write; the master is ${old.address}`, pause(ACT_MS));
    const killed = Date.now();
    await old.kill9();
    const successor = await this.#during(`the master ${old.address} was killed`, this.#promoted(others));
    const switchedAtMs = Date.now();
    await this.#during(`${successor.address} was promoted`, pause(ACT_MS));
    await old.start(false);
    await this.#during(`the old master ${old.address} is back by itself, writable`, pause(AFTERMATH_MS));
    const load = await this.#stopLoad();
    for (const replica of others.filter((one) => one !== successor)) await replica.catchUpWith(successor);
    const verdict = await judge({ load, servers: databases, finalMaster: successor, switchedAtMs });
    return {
      routing: this.fleet.options.routing,
      verdict,
      promotedMs: switchedAtMs - killed,
      twoWritersMs: this.#twoWritersMs,
    };
  }

  async #prepare(master: MariaDb, replicas: readonly MariaDb[]): Promise<void> {
    await createLoadTable(master);
    for (const replica of replicas) await replica.catchUpWith(master);
    const { account, writer } = this.fleet.cluster("main");
    for (const proxy of this.fleet.proxies) {
      await waitUntil(
        async () =>
          (
            await proxy.admin(
              `SELECT 1 FROM runtime_mysql_servers WHERE hostgroup_id=${String(writer)} AND status='ONLINE'`,
            )
          ).length === 1,
        { timeoutMs: 20_000, what: "one server that takes writes" },
      );
    }
    const targets = this.fleet.proxies.map(({ port }, index) => ({
      host: "127.0.0.1",
      port,
      ...account,
      name: `proxy${String(index + 1)}`,
    }));
    this.#load = startLoad({ targets });
  }

  async #stopLoad(): ReturnType<Load["stop"]> {
    const load = this.#load;
    this.#load = undefined;
    this.screen.keep();
    if (load === undefined) throw new Error("no load runs");
    return await load.stop();
  }

  /** Looks and draws until `work` is done. */
  async #during<T>(act: string, work: Promise<T>): Promise<T> {
    this.#act = act;
    const state = { done: false };
    const finished = work.finally(() => {
      state.done = true;
    });
    finished.catch(() => undefined);
    while (!state.done) {
      await this.#look();
      await Promise.race([pause(LOOK_EVERY_MS), finished.catch(() => undefined)]);
    }
    return await finished;
  }

  async #look(): Promise<void> {
    const seen = await observe(this.fleet);
    if (seen.proxies.some((one) => (one.writers?.length ?? 0) > 1)) this.#twoWritersMs += LOOK_EVERY_MS;
    const now = this.#load?.snapshot();
    const acknowledged = now?.acknowledged ?? 0;
    this.#rate =
      this.#rate * 0.7 + 0.3 * ((acknowledged - this.#acknowledgedBefore) / (LOOK_EVERY_MS / 1000));
    this.#acknowledgedBefore = acknowledged;
    this.screen.show({
      routing: this.fleet.options.routing,
      act: this.#act,
      seconds: (performance.now() - this.#started) / 1000,
      ...seen,
      writeRate: this.#rate,
      gapMs: now?.sinceAcknowledgedMs ?? 0,
    });
  }

  async #promoted(candidates: readonly MariaDb[]): Promise<MariaDb> {
    return await waitUntil(
      async () => {
        for (const one of candidates) {
          const [row] = await one.query("SELECT @@read_only AS ro");
          if (Number(row?.["ro"]) === 0) return one;
        }
        return undefined;
      },
      { timeoutMs: 60_000, intervalMs: 50, what: "Orchestrator to promote a replica" },
    );
  }
}
