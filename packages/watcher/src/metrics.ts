import type { WatchState } from "@primacy/consul-store";
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from "prom-client";
import type { Lease } from "./lease.js";
import type { Outcome, Verified } from "./outcome.js";

const STATES = ["applied", "withheld", "held", "refused", "conflict", "failed"] as const;

/** Every series of the watcher. docs/metrics.md lists them; a test compares the two. */
export class Metrics {
  readonly registry = new Registry();
  readonly #generation = this.#gauge(
    "applied_generation",
    "Generation that the runtime was last verified to show",
    ["cluster"],
  );
  readonly #record = this.#gauge("record_generation", "Generation of the record last read from Consul", [
    "cluster",
  ]);
  readonly #state = this.#gauge(
    "state",
    "1 for the state of the last pass: applied, withheld, held, refused, conflict or failed",
    ["cluster", "state"],
  );
  readonly #success = this.#gauge(
    "last_success_timestamp_seconds",
    "When a pass last ended with the runtime verified, unix time",
    ["cluster"],
  );
  readonly #verified = this.#gauge("consul_verified", "1 while consistent reads of Consul succeed", [
    "cluster",
  ]);
  readonly #verifiedAge = this.#gauge(
    "consul_verified_age_seconds",
    "Seconds since the newest successful consistent read was sent",
    ["cluster"],
  );
  readonly #writers = this.#gauge("writers_online", "ONLINE servers in the writer hostgroup of the runtime", [
    "cluster",
  ]);
  readonly #inUse = this.#gauge(
    "connections_in_use",
    "Connections in use on servers of the writer hostgroup that must have none",
    ["cluster"],
  );
  readonly #warnings = this.#gauge(
    "warnings",
    "Settings and rows that an operator should look at; the log names them",
    ["cluster"],
  );
  readonly #lease = this.#gauge(
    "lease_seconds",
    "Seconds that the lease still lasts; 0 = lost, nobody takes writes; absent = the cluster asks for none",
    ["cluster"],
  );
  readonly #acknowledgementRefused = this.#gauge(
    "acknowledgement_refused",
    "1 while Consul takes no acknowledgement from this proxy, so that no writer waits for it",
    ["cluster"],
  );
  readonly #up = this.#gauge("proxysql_up", "1 while the admin port of ProxySQL answers", []);
  readonly #convergence = new Histogram({
    name: "primacy_watcher_convergence_seconds",
    help: "From the moment a new record was seen to the verified runtime",
    labelNames: ["cluster"],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [this.registry],
  });
  readonly #refused = this.#counter("refused_total", "Passes that refused a record", ["cluster", "reason"]);
  readonly #failures = this.#counter("failures_total", "Passes that failed", ["cluster", "code"]);
  readonly #drift = this.#counter("drift_total", "Times that somebody else had changed a verified layout", [
    "cluster",
  ]);
  readonly #loads = this.#counter("loads_total", "LOAD MYSQL SERVERS TO RUNTIME that were verified", [
    "cluster",
  ]);

  constructor() {
    collectDefaultMetrics({ register: this.registry });
  }

  notePass(cluster: string, outcome: Outcome, wallMs: number): void {
    for (const state of STATES) this.#state.set({ cluster, state }, state === outcome.kind ? 1 : 0);
    if (outcome.kind !== "held") this.#record.set({ cluster }, outcome.record.generation);
    if (outcome.kind === "refused") this.#refused.inc({ cluster, reason: outcome.refusal });
    if (outcome.kind === "failed") this.#failures.inc({ cluster, code: outcome.code });
    if (outcome.kind === "refused" || outcome.kind === "conflict")
      this.#writers.set({ cluster }, outcome.writers.length);
    if (outcome.kind === "withheld") this.#noteVerified(cluster, outcome);
    if (outcome.kind !== "applied") return;
    this.#noteVerified(cluster, outcome);
    this.#generation.set({ cluster }, outcome.record.generation);
    this.#success.set({ cluster }, wallMs / 1000);
    if (outcome.tookMs !== null) this.#convergence.observe({ cluster }, outcome.tookMs / 1000);
  }

  #noteVerified(cluster: string, outcome: Verified): void {
    this.#writers.set({ cluster }, outcome.writers.length);
    this.#inUse.set({ cluster }, outcome.connectionsInUse);
    this.#warnings.set({ cluster }, outcome.warnings.length);
    if (outcome.loaded) this.#loads.inc({ cluster });
  }

  /** Seconds that the lease still lasts: 0 without one, nothing where none is asked for. */
  noteLease(cluster: string, lease: Lease, nowMs: number): void {
    if (lease.kind === "not-asked-for") this.#lease.remove({ cluster });
    else this.#lease.set({ cluster }, lease.kind === "held" ? (lease.untilMs - nowMs) / 1000 : 0);
  }

  noteRefusal(cluster: string, refused: boolean): void {
    this.#acknowledgementRefused.set({ cluster }, refused ? 1 : 0);
  }

  noteDrift(cluster: string): void {
    this.#drift.inc({ cluster });
  }

  notePaths(cluster: string, state: WatchState): void {
    this.#verified.set({ cluster }, state.truth.kind === "following" ? 1 : 0);
  }

  noteVerifiedAge(cluster: string, seconds: number): void {
    this.#verifiedAge.set({ cluster }, seconds);
  }

  /** Drops the series of all clusters but these: what is no longer watched must not look as if it were. */
  async keepOnly(clusters: readonly string[]): Promise<void> {
    for (const metric of this.registry.getMetricsAsArray()) {
      if (!(metric instanceof Gauge || metric instanceof Counter || metric instanceof Histogram)) continue;
      for (const { labels } of (await metric.get()).values) {
        const { le: _bucket, ...own } = labels as Record<string, string | number>;
        if (typeof own["cluster"] === "string" && !clusters.includes(own["cluster"])) metric.remove(own);
      }
    }
  }

  noteProxySql(up: boolean): void {
    this.#up.set(up ? 1 : 0);
  }

  #gauge(name: string, help: string, labelNames: string[]): Gauge {
    return new Gauge({ name: `primacy_watcher_${name}`, help, labelNames, registers: [this.registry] });
  }

  #counter(name: string, help: string, labelNames: string[]): Counter {
    return new Counter({ name: `primacy_watcher_${name}`, help, labelNames, registers: [this.registry] });
  }
}
