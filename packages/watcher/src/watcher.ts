import { ConsulStore } from "@primacy/consul-store";
import cron, { type ScheduledTask } from "node-cron";
import type { Logger } from "pino";
import { Announcer } from "./announcer.js";
import { ClusterLoop } from "./cluster-loop.js";
import type { Metrics } from "./metrics.js";
import type { WatcherOptions } from "./options.js";
import { Admin } from "./proxysql/admin.js";
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
  readonly clusters: readonly ClusterReadiness[];
}

/** The sidecar of one ProxySQL: a loop for each cluster, the drift probe, the schedule and the acknowledgements. */
export class Watcher {
  readonly #stop = new AbortController();
  readonly #loops: readonly ClusterLoop[];
  #proxySqlUp = false;
  #probeIntervalMs = PROBE_INTERVAL_MS;
  #lastTickMs: number;
  #running: Promise<unknown> = Promise.resolve();
  #schedule: ScheduledTask | null = null;

  private constructor(
    private readonly options: WatcherOptions,
    private readonly parts: {
      readonly store: ConsulStore;
      readonly proxy: Proxy;
      readonly announcer: Announcer;
      readonly metrics: Metrics;
      readonly clock: Clock;
      readonly log: Logger;
    },
    state: StateFile,
  ) {
    this.#lastTickMs = parts.clock.monotonicNow();
    const { proxy: proxyName, whenOwned, verifyIntervalMs } = options;
    this.#loops = options.clusters.map(
      (cluster) => new ClusterLoop({ cluster, proxyName, whenOwned, verifyIntervalMs }, { ...parts, state }),
    );
  }

  /** Opens what a watcher needs. Throws where the state directory or the Consul options can't be used at all. */
  static async open(options: WatcherOptions, metrics: Metrics, clock: Clock, log: Logger): Promise<Watcher> {
    const state = await StateFile.open(options.stateDirectory, options.proxy);
    if (state.problem !== null) log.error(state.problem);
    const store = new ConsulStore(options.consul);
    const announcer = new Announcer(store, options.proxy, clock, log);
    const proxy = new Proxy(new Admin(options.admin));
    return new Watcher(options, { store, proxy, announcer, metrics, clock, log }, state);
  }

  start(): void {
    const signal = this.#stop.signal;
    this.#running = Promise.all([
      ...this.#loops.map(async (loop) => loop.run(signal)),
      this.parts.announcer.run(signal),
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
    this.parts.store.close();
  }

  /** Alive: the probe loop has come round within the last minute. */
  get alive(): boolean {
    return this.parts.clock.monotonicNow() - this.#lastTickMs < 60_000;
  }

  readiness(): Readiness {
    const now = this.parts.clock.monotonicNow();
    const clusters = this.#loops.map((loop) => readiness(loop.status, now));
    for (const one of clusters) {
      this.parts.metrics.noteVerifiedAge(one.cluster, one.verifiedSecondsAgo ?? Number.POSITIVE_INFINITY);
    }
    return {
      ready: this.#proxySqlUp && clusters.every((one) => one.ready),
      proxy: this.options.proxy,
      proxysql: this.#proxySqlUp ? "up" : "down",
      clusters,
    };
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
      if (seen !== "same") this.#compareAll();
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
