import { ConsulError, type ConsulStore } from "@primacy/consul-store";
import type { Logger } from "pino";
import type { World } from "../world.js";
import { ClusterFollower, type FollowerParts, type FollowerSettings } from "./cluster-follower.js";
import type { AgentReadiness } from "./health.js";
import { LeaderLock } from "./leader-lock.js";
import type { AgentMetrics } from "./metrics.js";
import type { Mirror } from "./mirrors.js";
import { pruneHistories } from "./prune.js";
import { jitteredMs, sleep } from "@primacy/service";
import { eachAtMost } from "./each-at-most.js";

export interface AgentParts extends Omit<FollowerParts, "leads" | "onChange" | "store"> {
  readonly store: ConsulStore;
  readonly mirrors: (follows: (cluster: string) => boolean) => readonly Mirror[];
  readonly world: World;
  readonly metrics: AgentMetrics;
  readonly log: Logger;
}

export interface AgentSettings {
  readonly agent: string;
  readonly version: string;
  /** Null: every cluster that Consul has. */
  readonly clusters: readonly string[] | null;
  /** Orchestrator's name of a cluster, where it is another one. */
  readonly aliasOf: (cluster: string) => string;
  /** Between the beginnings of two looks at a cluster. */
  readonly pollMs: number;
  /** Clusters looked at at the same time. */
  readonly parallel: number;
  readonly historyKeep: number;
  readonly follower: FollowerSettings;
}

/** Clusters may be added at any time. Milliseconds. */
const LIST_EVERY_MS = 3000;
/** A pass that takes longer than this hangs: every part of it has a limit. (A round has none.) Milliseconds. */
const STUCK_AFTER_MS = 120_000;

/** The agent: one loop for who leads, one for the clusters, one for each mirror. */
export class Agent {
  readonly #followers = new Map<string, ClusterFollower>();
  readonly #lock: LeaderLock;
  readonly #mirrors: readonly Mirror[];
  #leading = new AbortController();
  #listedAtMs = Number.NEGATIVE_INFINITY;
  #listProblem: string | null = null;
  /** When something was last begun or ended. */
  #movedAtMs: number;
  #roundEndedAtMs: number | null = null;

  constructor(
    private readonly settings: AgentSettings,
    private readonly parts: AgentParts,
  ) {
    const { store, world, log, metrics } = parts;
    this.#movedAtMs = world.elapsed();
    this.#lock = new LeaderLock({
      store,
      agent: settings.agent,
      version: settings.version,
      world,
      log,
      tells: () => ({ clusters: this.#followers.size, held: this.#heldCount }),
      onChange: (leads) => {
        metrics.noteLeader(leads);
        if (!leads) this.#stopLeading();
      },
    });
    this.#mirrors = parts.mirrors((cluster) => this.#lock.leads && this.#followers.has(cluster));
  }

  /** Runs until `signal` is aborted. Nothing is undone then: the record and the members stay as they are. */
  async run(signal: AbortSignal): Promise<void> {
    signal.addEventListener("abort", () => this.#leading.abort(), { once: true });
    await Promise.all([
      this.#lock.run(signal),
      this.#rounds(signal),
      ...this.#mirrors.map((mirror) => mirror.run(signal)),
    ]);
  }

  /** Keeps the newest records of each history, here and in the copies. For the schedule. */
  async prune(signal: AbortSignal): Promise<void> {
    const { store, log } = this.parts;
    if (!this.#lock.leads) return;
    const { historyKeep } = this.settings;
    await pruneHistories(store, this.#followers.keys(), historyKeep, { signal, log });
    for (const mirror of this.#mirrors) await mirror.prune(this.#followers.keys(), historyKeep, signal);
  }

  /** Compares every copy with the original. For the schedule. */
  compareMirrors(): void {
    for (const cluster of this.#followers.keys()) this.#noteChange(cluster);
  }

  get alive(): boolean {
    return this.parts.world.elapsed() - this.#movedAtMs < STUCK_AFTER_MS;
  }

  /** A standby is ready when it can see the lock; a leader when it has lately looked at its clusters. */
  get readiness(): AgentReadiness {
    const { leads, leader, silentMs } = this.#lock;
    const { world } = this.parts;
    const clusters = [...this.#followers.values()].map(({ status }) => status);
    const heard = silentMs !== null && silentMs < 15_000;
    const roundMs = this.#roundEndedAtMs === null ? null : world.elapsed() - this.#roundEndedAtMs;
    const looks = roundMs !== null && roundMs < this.settings.pollMs * 3 + 20_000;
    const held = clusters.filter((one) => one.held).length;
    return {
      ready: heard && (!leads || (looks && (clusters.length === 0 || held < clusters.length))),
      agent: this.settings.agent,
      leads,
      leader,
      says: this.#says(heard, looks, held),
      clusters: leads ? clusters.map(({ cluster, held: kept, says }) => ({ cluster, held: kept, says })) : [],
    };
  }

  #says(heard: boolean, looks: boolean, held: number): string {
    if (!heard)
      return `Consul does not answer about the leader's lock: ${this.#lock.problem ?? "it has not been asked yet"}`;
    if (!this.#lock.leads) return `standing by for ${this.#lock.leader ?? "nobody"}`;
    if (this.#listProblem !== null) return `the clusters can't be listed: ${this.#listProblem}`;
    if (!looks) return "leading, and no round has ended lately";
    const all = String(this.#followers.size);
    return held === 0 ? `leading, ${all} clusters` : `leading, ${String(held)} of ${all} clusters are held`;
  }

  get #heldCount(): number {
    return [...this.#followers.values()].filter((one) => one.status.held).length;
  }

  async #rounds(signal: AbortSignal): Promise<void> {
    const { world, metrics } = this.parts;
    while (!signal.aborted) {
      const beganAtMs = world.elapsed();
      this.#movedAtMs = beganAtMs;
      if (this.#lock.leads) {
        await this.#round(this.#leading.signal);
        this.#roundEndedAtMs = world.elapsed();
        metrics.noteRound((world.elapsed() - beganAtMs) / 1000);
      }
      const leftMs = jitteredMs(this.settings.pollMs, world.random()) - (world.elapsed() - beganAtMs);
      await sleep(this.#lock.leads ? Math.max(1, leftMs) : Math.min(200, this.settings.pollMs), signal);
    }
  }

  async #round(signal: AbortSignal): Promise<void> {
    await this.#list(signal);
    await eachAtMost([...this.#followers.values()], this.settings.parallel, async (follower) => {
      if (this.#lock.leads && !signal.aborted) await follower.pass(signal);
      this.#movedAtMs = this.parts.world.elapsed();
    });
  }

  /** Which clusters there are. Where that can't be read, those of before. */
  async #list(signal: AbortSignal): Promise<void> {
    const { store, world, log, metrics } = this.parts;
    if (world.elapsed() - this.#listedAtMs < LIST_EVERY_MS) return;
    try {
      const names = this.settings.clusters ?? (await store.listClusters({ deadlineMs: 10_000, signal }));
      this.#listedAtMs = world.elapsed();
      this.#listProblem = null;
      for (const name of names)
        if (!this.#followers.has(name)) this.#followers.set(name, this.#follower(name));
      for (const name of this.#followers.keys()) {
        if (names.includes(name)) continue;
        this.#followers.delete(name);
        await metrics.forget(name);
      }
    } catch (error) {
      if (!(error instanceof ConsulError)) throw error;
      if (this.#listProblem === null && !signal.aborted)
        log.warn({ err: error }, "the clusters can't be listed");
      this.#listProblem = error.message;
    }
  }

  #follower(cluster: string): ClusterFollower {
    return new ClusterFollower(cluster, this.settings.aliasOf(cluster), this.settings.follower, {
      ...this.parts,
      leads: () => this.#lock.leads,
      onChange: (name) => this.#noteChange(name),
    });
  }

  #noteChange(cluster: string): void {
    for (const mirror of this.#mirrors) mirror.note(cluster);
  }

  /** What this agent believes is old by the time it leads again. */
  #stopLeading(): void {
    this.#leading.abort();
    this.#leading = new AbortController();
    this.#followers.clear();
    this.#listedAtMs = Number.NEGATIVE_INFINITY;
    this.#roundEndedAtMs = null;
  }
}
