import { type HookEvent, sameServer } from "@primacy/contract";
import { faultActions } from "./faults.js";
import { Invariants, type Watched } from "./invariants.js";
import { REAL_RULES, type Rules } from "./rules.js";
import { type Scenario, scenarioOf } from "./scenario.js";
import { type WatcherParts, WatcherRun } from "./watcher/watcher.js";
import type { StateFile } from "./watcher/passes.js";
import { ConsulModel } from "./world/consul.js";
import { Engine, Violation } from "./world/engine.js";
import { Guard } from "./world/guard.js";
import { Host, Process } from "./world/host.js";
import { Link } from "./world/network.js";
import { ProxySqlModel, rowsWith } from "./world/proxysql.js";
import { CLUSTER, SERVERS, placeOf } from "./world/servers.js";
import { Agent } from "./writer/agent.js";
import { sha256 } from "./writer/commit.js";
import { type Database, Takeover, type TakeoverParts } from "./writer/takeover.js";

/** How a run ended. */
export interface RunResult {
  readonly seed: number;
  readonly violation: Violation | null;
  readonly steps: number;
  /** Simulated milliseconds. */
  readonly ms: number;
  readonly scenario: Scenario;
}

/** A proxy's machine: ProxySQL, its guard, the watcher that comes and goes, and what lies on its disk. */
export interface ProxyMachine extends Watched {
  readonly host: Host;
  readonly link: Link;
  readonly process: Process;
  readonly guard: Guard;
  readonly state: StateFile;
  /** How many things are wrong around it. */
  troubles: number;
  /** Starts the watcher's process anew. */
  startWatcher(): void;
  /** SIGTERM. */
  stopWatcher(): void;
}

/** After the last fault, everything must have come to rest by then. Milliseconds. */
const REST_MS = 60_000;
/** Nobody who is dead or cut off stays so for ever: then a person comes. Milliseconds after the last fault. */
const PERSON_MS = 5000;
const LOOK_MS = 500;

/** Runs one seed. Everything that happens in it follows from the seed and the rules. */
export function run(
  seed: number,
  rules: Rules = REAL_RULES,
  trace: ((line: string) => void) | null = null,
): RunResult {
  const scenario = scenarioOf(seed);
  const engine = new Engine(seed, trace);
  const world = new World(engine, scenario, rules);
  let violation: Violation | null = null;
  try {
    world.go();
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    violation = error;
  }
  return { seed, violation, steps: engine.steps, ms: engine.now, scenario };
}

export class World {
  readonly consul: ConsulModel;
  readonly proxies: readonly ProxyMachine[];
  readonly writerLink: Link;
  readonly orchestrator: Process;
  readonly invariants: Invariants;
  readonly #databases: readonly Database[];
  readonly #spool: HookEvent[] = [];
  readonly #takeovers: TakeoverParts;
  #truth = 0;
  readonly #promotions: Takeover[] = [];
  #running = 0;
  #restAt = Number.POSITIVE_INFINITY;

  constructor(
    readonly engine: Engine,
    readonly scenario: Scenario,
    readonly rules: Rules,
  ) {
    const { layout } = scenario;
    this.consul = new ConsulModel(engine, CLUSTER, layout);
    this.consul.comparesIndexes = rules.steps.comparesIndexes;
    this.writerLink = new Link("orch", engine);
    this.orchestrator = new Process("orch", new Host("orch", engine));
    this.#databases = SERVERS.map((server, place) => ({ server, alive: true, readOnly: place !== 0 }));
    this.proxies = Array.from({ length: scenario.proxies }, (_, place) => this.#newProxy(place));
    this.invariants = new Invariants(engine, scenario, this.consul, this.proxies);
    this.#takeovers = {
      engine,
      consul: this.consul,
      link: this.writerLink,
      layout: layout.value,
      rules,
      orchestrator: this.orchestrator,
      databases: this.#databases,
      spool: this.#spool,
      late: 0,
      onAccepted: (record) => {
        this.invariants.accepted(record);
      },
      onOpened: (plan, fence) => {
        this.#truth = placeOf(plan.successor);
        engine.tell("orch", () => `${plan.successor.host} takes writes${fence === null ? ", unfenced" : ""}`);
        this.invariants.opened(placeOf(plan.outgoing), fence);
      },
      onEnded: () => {
        this.#running -= 1;
      },
    };
  }

  go(): void {
    const { engine, scenario } = this;
    this.#bootstrap();
    this.consul.onCommit = (record) => {
      this.invariants.committed(record);
    };
    for (const proxy of this.proxies) engine.after(engine.random.between(0, 800), () => proxy.startWatcher());
    this.#startAgent();
    for (const planned of scenario.takeovers) engine.at(planned.atMs, () => this.#takeOver(planned));
    for (const fault of scenario.faults) faultActions(this, fault);
    engine.at(scenario.healAtMs + PERSON_MS, () => this.#personComes());
    engine.at(scenario.healAtMs + LOOK_MS, () => this.#look());
    engine.afterStep = () => {
      this.invariants.check();
    };
    engine.run(scenario.healAtMs + REST_MS, () => engine.now >= this.#restAt);
    this.invariants.finish(this.#unrest());
  }

  #bootstrap(): void {
    const { layout } = this.scenario;
    const now = this.orchestrator.host.isoNow();
    const cause = { kind: "bootstrap" as const, failureType: "", recoveryUid: "", command: "" };
    const decision = this.rules.transition(
      null,
      { kind: "bootstrap", master: SERVERS[0]!, cause, beganAt: now },
      {
        cluster: CLUSTER,
        now,
        writtenBy: "operator",
        writeId: "write-id-0",
        newIncarnation: "history-1",
        drainSeconds: layout.value.drainSeconds,
        fenceSeconds: layout.value.fenceSeconds,
        sha256,
      },
    );
    if (decision.kind !== "write") throw new Error("no bootstrap");
    this.consul.onCommit = (record) => {
      this.invariants.committed(record);
    };
    this.consul.commit(this.consul.index, decision.record);
  }

  #startAgent(): void {
    const { engine } = this;
    const process = new Process("agent", this.orchestrator.host);
    const agent = new Agent({
      ...this.#takeovers,
      process,
      promotions: this.#promotions,
      recovering: () => this.#running > 0,
    });
    engine.after(engine.random.between(0, 2000), () => agent.start());
  }

  #takeOver(planned: Scenario["takeovers"][number]): void {
    // Orchestrator does not begin a second recovery while one runs.
    if (this.#running > 0 || this.engine.now > this.scenario.healAtMs) return;
    const { random } = this.engine;
    const outgoing = SERVERS[this.#truth]!;
    const others = this.#databases.filter((one) => one.alive && !sameServer(one.server, outgoing));
    if (others.length === 0) return;
    const { server: successor } = random.pick(others);
    this.#running += 1;
    const takeover: Takeover = new Takeover(
      { ...planned, outgoing, successor },
      {
        ...this.#takeovers,
        get late() {
          return shared.late;
        },
        set late(value) {
          shared.late = value;
        },
        onOpened: (plan, fence) => {
          this.#promotions.push(takeover);
          this.invariants.promoted(takeover.recoveryUid);
          this.#takeovers.onOpened(plan, fence);
        },
      },
    );
    const shared = this.#takeovers;
    takeover.begin();
  }

  /** Somebody looks at the database servers: the dead ones come back, the master takes writes. */
  #personComes(): void {
    if (this.#running > 0) {
      this.engine.after(PERSON_MS, () => this.#personComes());
      return;
    }
    for (const database of this.#databases) database.alive = true;
    this.#databases[this.#truth]!.readOnly = false;
  }

  #look(): void {
    if (this.#unrest() === null) this.#restAt = Math.min(this.#restAt, this.engine.now);
    this.engine.after(LOOK_MS, () => this.#look());
  }

  #unrest(): string | null {
    if (this.#running > 0) return "a takeover has not ended";
    if (this.#takeovers.late > 0 || this.#spool.length > 0) return "hooks are still to come";
    return this.invariants.unrest({ place: this.#truth });
  }

  #newProxy(place: number): ProxyMachine {
    const { engine, scenario, rules } = this;
    const name = `p${String(place + 1)}`;
    const host = new Host(name, engine);
    const proxysql = new ProxySqlModel(name, host);
    const lease = scenario.layout.value.onConsulLoss === "lease";
    proxysql.disk = scenario.fresh ? [] : rowsWith(lease ? "" : "db1");
    proxysql.start();
    const guard = new Guard(host, proxysql, rules);
    guard.installed = scenario.guard && lease;
    const process = new Process(`watcher ${name}`, host);
    process.running = false;
    const link = new Link(name, engine);
    const state: StateFile = { mark: null, stallsUntilMs: 0 };
    let running: WatcherRun | null = null;
    const machine: ProxyMachine = {
      host,
      proxysql,
      guard,
      process,
      link,
      state,
      troubles: 0,
      goodSinceMs: 0,
      answersSinceMs: 0,
      highestApplied: 0,
      startWatcher: () => {
        process.begin();
        const parts = { proxy: name, process, link, consul: this.consul, proxysql, guard, state, rules };
        const onApply: WatcherParts["onApply"] = (generation, known) => {
          this.invariants.applied(machine, generation, known);
        };
        running = new WatcherRun({ ...parts, layout: scenario.layout.value, onApply });
        running.start();
      },
      stopWatcher: () => {
        running?.leave();
        process.crash();
      },
    };
    let version = 0;
    proxysql.onChange = () => {
      if (proxysql.version === version) return;
      version = proxysql.version;
      // The probe, once a second.
      engine.after(
        engine.random.between(0, 1100),
        process.receiver(() => running?.kick()),
      );
    };
    proxysql.onRevival = (server) => {
      this.invariants.revived(machine, server);
    };
    return machine;
  }
}
