import { ConsulStore, realEnvironment } from "@primacy/consul-store";
import cron, { type ScheduledTask } from "node-cron";
import type { Logger } from "pino";
import { Announcer } from "./announcer.js";
import { ClusterLoop, type ClusterLoopParts } from "./cluster-loop.js";
import { GuardKeeper } from "./guard-keeper.js";
import type { LeaseEntry } from "./lease-entries.js";
import { LeaseFile } from "./lease-file.js";
import type { Metrics } from "./metrics.js";
import type { WatcherOptions } from "./options.js";
import { Admin } from "./proxysql/admin.js";
import { diskHasWriter, fenceNow } from "./proxysql/fence.js";
import { Proxy } from "./proxysql/proxy.js";
import { type ClusterReadiness, readiness } from "./readiness.js";
import { StateFile } from "./state-file.js";
import { Alarm, type Clock, backoffMs, jitteredMs } from "./timing.js";

/** How often the drift probe is read. Milliseconds. */
const PROBE_INTERVAL_MS = 1000;

/** How often everything is compared on a ProxySQL that keeps no checksum to probe. Milliseconds. */
const UNPROBED_INTERVAL_MS = 10_000;

/** What `/readyz` tells. */
export interface Readiness {
  readonly ready: boolean;
  readonly proxy: string;
  readonly proxysql: "up" | "down";
  /** Why a dead watcher would not be noticed, where a cluster asks for a lease; null: nothing is wrong. */
  readonly guard: string | null;
  readonly clusters: readonly ClusterReadiness[];
}

interface Parts {
  readonly store: ConsulStore;
  readonly proxy: Proxy;
  /** A second connection to the admin port, for what must not wait for a pass: the fence of a lost lease, the guard. */
  readonly fenceAdmin: Admin;
  readonly announcer: Announcer;
  readonly leaseFile: LeaseFile;
  /** What the process before this one left in the lease file. */
  readonly left: readonly LeaseEntry[];
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly log: Logger;
}

/** The sidecar of one ProxySQL: a loop for each cluster, the drift probe, the schedule and the acknowledgements. */
export class Watcher {
  readonly #stop = new AbortController();
  readonly #loops: readonly ClusterLoop[];
  readonly #guard: GuardKeeper;
  #proxySqlUp = false;
  #probeIntervalMs = PROBE_INTERVAL_MS;
  #lastTickMs: number;
  #running: Promise<unknown> = Promise.resolve();
  #schedule: ScheduledTask | null = null;

  private constructor(
    private readonly options: WatcherOptions,
    private readonly parts: Parts,
    state: StateFile,
  ) {
    this.#lastTickMs = parts.clock.monotonicNow();
    const { proxy: proxyName, whenOwned, verifyIntervalMs } = options;
    const fence: ClusterLoopParts["fence"] = async (hostgroups, stillLost) =>
      fenceNow(parts.fenceAdmin, hostgroups, stillLost);
    const onLayout = (): void => {
      this.#guard.ring();
    };
    this.#loops = options.clusters.map(
      (cluster) =>
        new ClusterLoop(
          { cluster, proxyName, whenOwned, verifyIntervalMs },
          { ...parts, state, fence, onLayout },
        ),
    );
    const { fenceAdmin: admin, clock, log } = parts;
    const underLease = (): readonly number[] => this.#underLease;
    this.#guard = new GuardKeeper(
      { proxy: proxyName, command: options.guard, leaseFile: options.leaseFile },
      { admin, underLease, clock, log },
    );
  }

  /** Opens what a watcher needs. Throws where the state directory or the Consul options can't be used at all. */
  static async open(options: WatcherOptions, metrics: Metrics, clock: Clock, log: Logger): Promise<Watcher> {
    const state = await StateFile.open(options.stateDirectory, options.proxy);
    if (state.problem !== null) log.error(state.problem);
    // When a read was sent, and how old that is, must be told by one clock.
    const store = new ConsulStore(options.consul, { ...realEnvironment, monotonicNow: clock.monotonicNow });
    const announcer = new Announcer(store, options.proxy, clock, log);
    const proxy = new Proxy(new Admin(options.admin), state.hostgroupsOf(options.clusters));
    const fenceAdmin = new Admin(options.admin);
    const leaseFile = new LeaseFile(options.leaseFile);
    const left = await leaseFile.read();
    const parts = { store, proxy, fenceAdmin, announcer, leaseFile, left, metrics, clock, log };
    return new Watcher(options, parts, state);
  }

  start(): void {
    const signal = this.#stop.signal;
    this.#running = Promise.all([
      ...this.#loops.map(async (loop) => loop.run(signal, this.#leftOf(loop))),
      this.parts.announcer.run(signal),
      this.#guard.run(signal),
      this.#probe(signal),
    ]);
    this.#schedule = cron.schedule(
      this.options.fullComparison,
      () => {
        this.#compareAll();
      },
      { name: "full comparison", noOverlap: true, timezone: "UTC", maxRandomDelay: 20_000 },
    );
  }

  /** Rejects when a loop ends by an error of ours: that is a bug, and the process must end with it. */
  async ended(): Promise<void> {
    await this.#running;
  }

  /** Leaves the layout as it is, gives the Consul session up, and closes. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#schedule?.destroy();
    await this.#running.catch(() => undefined);
    this.parts.proxy.admin.close();
    this.parts.fenceAdmin.close();
    this.parts.store.close();
  }

  /** Alive: the probe loop has come round within the last minute. */
  get alive(): boolean {
    return this.parts.clock.monotonicNow() - this.#lastTickMs < 60_000;
  }

  readiness(): Readiness {
    const now = this.parts.clock.monotonicNow();
    const guard =
      this.#loops.find((loop) => loop.leaseFileProblem !== null)?.leaseFileProblem ?? this.#guard.problem;
    const statuses = this.#loops.map((loop) => loop.status);
    const { announcer, metrics } = this.parts;
    const clusters = statuses.map((status) => readiness(status, announcer.refusal(status.cluster), now));
    for (const { cluster, lease } of statuses) {
      metrics.noteLease(cluster, lease, now);
      metrics.noteRefusal(cluster, announcer.refusal(cluster) !== null);
    }
    for (const one of clusters) {
      metrics.noteVerifiedAge(one.cluster, one.verifiedSecondsAgo ?? Number.POSITIVE_INFINITY);
    }
    return {
      ready: this.#proxySqlUp && guard === null && clusters.every((one) => one.ready),
      proxy: this.options.proxy,
      proxysql: this.#proxySqlUp ? "up" : "down",
      guard,
      clusters,
    };
  }

  /** Writer hostgroups of the clusters that ask for a lease. */
  get #underLease(): readonly number[] {
    return this.#loops.flatMap((loop) => loop.leasedHostgroup ?? []);
  }

  #leftOf(loop: ClusterLoop): LeaseEntry | undefined {
    return this.parts.left.find((entry) => entry.cluster === loop.cluster);
  }

  #compareAll(): void {
    for (const loop of this.#loops) loop.requestFullComparison();
  }

  async #probe(signal: AbortSignal): Promise<void> {
    const alarm = new Alarm();
    const { clock } = this.parts;
    let failures = 0;
    while (!signal.aborted) {
      this.#lastTickMs = clock.monotonicNow();
      failures = (await this.#probeOnce()) ? 0 : failures + 1;
      await alarm.sleep(
        jitteredMs(this.#probeIntervalMs, clock.random()) +
          (failures > 1 ? backoffMs(failures, clock.random()) : 0),
        signal,
      );
    }
  }

  async #probeOnce(): Promise<boolean> {
    const { proxy, log } = this.parts;
    try {
      const seen = await proxy.admin.exclusively(async () => proxy.hasChanged());
      if (seen === "restarted") log.warn("ProxySQL was restarted, or its connection lost");
      this.#probeIntervalMs = seen === "unknown" ? UNPROBED_INTERVAL_MS : PROBE_INTERVAL_MS;
      const saved = await diskHasWriter(proxy.admin, this.#underLease);
      if (saved) log.warn("somebody saved a writer to ProxySQL's disk, where a lease allows none");
      if (saved || seen !== "same") this.#compareAll();
      this.#noteProxySql(true, null);
      return true;
    } catch (error) {
      this.#noteProxySql(false, error);
      return false;
    }
  }

  #noteProxySql(up: boolean, error: unknown): void {
    this.parts.metrics.noteProxySql(up);
    if (up === this.#proxySqlUp) return;
    this.#proxySqlUp = up;
    if (up) this.parts.log.info("ProxySQL's admin port answers");
    else this.parts.log.warn({ err: error }, "ProxySQL's admin port does not answer");
  }
}
