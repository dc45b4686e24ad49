import type { MasterRecord, Phase } from "@primacy/contract";
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from "prom-client";
import { MEMBER_STATES, type MemberState } from "./judge.js";
import { type Finding, weightOf } from "./rules.js";
import type { ProxyStatus } from "./proxies.js";

const PHASES: readonly Phase[] = ["open", "draining", "fenced"];

/** Every series of the agent. docs/agent.md lists them; a test compares the two. */
export class AgentMetrics {
  readonly registry = new Registry();
  readonly #leader = this.#gauge("leader", "1 while this agent leads", []);
  readonly #success = this.#gauge(
    "last_success_timestamp_seconds",
    "When a pass last ended with Consul and Orchestrator both heard, unix time",
    ["cluster"],
  );
  readonly #generation = this.#gauge("record_generation", "Generation of the record", ["cluster"]);
  readonly #written = this.#gauge(
    "record_written_timestamp_seconds",
    "When the record was written, unix time",
    ["cluster"],
  );
  readonly #phase = this.#gauge("record_phase", "1 for the phase of the record: open, draining or fenced", [
    "cluster",
    "phase",
  ]);
  readonly #disagreement = this.#gauge(
    "disagreement",
    "1 for each rule that found something for people to look at; docs/agent.md lists them",
    ["cluster", "rule"],
  );
  readonly #held = this.#gauge(
    "held",
    "1 while the members are kept because Orchestrator can't be believed",
    ["cluster"],
  );
  readonly #members = this.#gauge("members", "Servers by what they are believed to be", ["cluster", "state"]);
  readonly #proxy = this.#gauge("proxy_generation", "Generation that a live proxy has acknowledged", [
    "cluster",
    "proxy",
  ]);
  readonly #behind = this.#gauge("proxies_behind", "Live proxies that are not where the record is", [
    "cluster",
  ]);
  readonly #spooled = this.#gauge("spooled_events", "Events on this machine's disk that wait for Consul", []);
  readonly #mirror = this.#gauge("mirror_generation", "Generation of the record in another datacenter", [
    "datacenter",
    "cluster",
  ]);
  readonly #mirrorProblem = this.#gauge(
    "mirror_problem",
    "1 while a datacenter's copy can't be brought up to date; the log says why",
    ["datacenter", "cluster"],
  );
  readonly #events = this.#counter(
    "events_total",
    "Events that the agent brought about, by rule and outcome",
    ["cluster", "rule", "outcome"],
  );
  readonly #memberWrites = this.#counter(
    "members_writes_total",
    "Times that the members document was written",
    ["cluster"],
  );
  readonly #errors = this.#counter(
    "errors_total",
    "Passes that Orchestrator or Consul kept from their end, by code",
    ["code"],
  );
  readonly #pass = new Histogram({
    name: "primacy_agent_pass_seconds",
    help: "What one look at one cluster takes",
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [this.registry],
  });
  readonly #round = this.#gauge("round_seconds", "What the last look at all clusters took", []);
  readonly #findings = new Map<string, ReadonlySet<string>>();
  readonly #proxies = new Map<string, ReadonlySet<string>>();

  constructor() {
    collectDefaultMetrics({ register: this.registry });
    this.#leader.set(0);
    this.#spooled.set(0);
  }

  noteLeader(leads: boolean): void {
    this.#leader.set(leads ? 1 : 0);
    if (!leads) this.#forgetClusters();
  }

  noteRecord(cluster: string, record: MasterRecord): void {
    this.#generation.set({ cluster }, record.generation);
    this.#written.set({ cluster }, Date.parse(record.writtenAt) / 1000);
    for (const phase of PHASES) this.#phase.set({ cluster, phase }, phase === record.phase ? 1 : 0);
  }

  noteFindings(cluster: string, findings: readonly Finding[]): void {
    const rules = new Set(
      findings.filter((one) => weightOf(one) !== "quiet").map((one) => one.rule as string),
    );
    for (const rule of this.#findings.get(cluster) ?? []) {
      if (!rules.has(rule)) this.#disagreement.remove({ cluster, rule });
    }
    for (const rule of rules) this.#disagreement.set({ cluster, rule }, 1);
    this.#findings.set(cluster, rules);
  }

  noteHeld(cluster: string, held: boolean): void {
    this.#held.set({ cluster }, held ? 1 : 0);
  }

  noteMembers(cluster: string, states: readonly (MemberState | "unknown")[]): void {
    for (const state of MEMBER_STATES) {
      this.#members.set({ cluster, state }, states.filter((one) => one === state).length);
    }
  }

  noteProxies(cluster: string, proxies: readonly ProxyStatus[]): void {
    const names = new Set(proxies.map((one) => one.proxy));
    for (const proxy of this.#proxies.get(cluster) ?? []) {
      if (!names.has(proxy)) this.#proxy.remove({ cluster, proxy });
    }
    for (const { proxy, generation } of proxies) this.#proxy.set({ cluster, proxy }, generation);
    this.#proxies.set(cluster, names);
    this.#behind.set({ cluster }, proxies.filter((one) => one.behind !== null).length);
  }

  notePass(cluster: string, seconds: number, succeededAtMs: number | null): void {
    this.#pass.observe(seconds);
    if (succeededAtMs !== null) this.#success.set({ cluster }, succeededAtMs / 1000);
  }

  noteRound(seconds: number): void {
    this.#round.set(seconds);
  }

  noteEvent(cluster: string, rule: string, outcome: string): void {
    this.#events.inc({ cluster, rule, outcome });
  }

  noteMembersWritten(cluster: string): void {
    this.#memberWrites.inc({ cluster });
  }

  noteError(code: string): void {
    this.#errors.inc({ code });
  }

  noteSpooled(count: number): void {
    this.#spooled.set(count);
  }

  noteMirror(datacenter: string, cluster: string, generation: number | null, problem: boolean): void {
    if (generation !== null) this.#mirror.set({ datacenter, cluster }, generation);
    this.#mirrorProblem.set({ datacenter, cluster }, problem ? 1 : 0);
  }

  /** A cluster that is gone: series that stand still would look like news, and an alarm would never end. */
  async forget(cluster: string): Promise<void> {
    for (const gauge of this.#ofClusters) {
      const { values } = await gauge.get();
      for (const { labels } of values) if (labels["cluster"] === cluster) gauge.remove(labels);
    }
    this.#findings.delete(cluster);
    this.#proxies.delete(cluster);
  }

  /** A standby knows nothing of clusters. */
  #forgetClusters(): void {
    for (const gauge of this.#ofClusters) gauge.reset();
    this.#findings.clear();
    this.#proxies.clear();
  }

  get #ofClusters(): readonly Gauge[] {
    return [
      this.#success,
      this.#generation,
      this.#written,
      this.#phase,
      this.#disagreement,
      this.#held,
      this.#members,
      this.#proxy,
      this.#behind,
      this.#mirror,
      this.#mirrorProblem,
    ];
  }

  #gauge(name: string, help: string, labelNames: string[]): Gauge {
    return new Gauge({ name: `primacy_agent_${name}`, help, labelNames, registers: [this.registry] });
  }

  #counter(name: string, help: string, labelNames: string[]): Counter {
    return new Counter({ name: `primacy_agent_${name}`, help, labelNames, registers: [this.registry] });
  }
}
