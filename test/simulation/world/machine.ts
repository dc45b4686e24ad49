import type { Layout } from "@primacy/contract";
import type { Rules } from "../rules.js";
import type { Scenario } from "../scenario.js";
import type { KnownRecord, Watched } from "../invariants/watched.js";
import type { StateFile } from "../watcher/passes.js";
import { WatcherRun } from "../watcher/watcher.js";
import type { ConsulModel } from "./consul.js";
import { Guard } from "./guard.js";
import { Host, Process } from "./host.js";
import { Link } from "./network.js";
import { ProxySqlModel, rowsWith } from "./proxysql.js";

/** ProxySQL is asked once a second whether somebody else has loaded. Milliseconds. */
const PROBE_MS = 1100;

export interface MachineParts {
  readonly scenario: Scenario;
  readonly consul: ConsulModel;
  readonly rules: Rules;
  readonly onApply: (machine: ProxyMachine, generation: number, known: KnownRecord | null) => void;
  readonly onRevival: (machine: ProxyMachine, server: string) => void;
}

/** A proxy's machine: ProxySQL, its guard, the watcher that comes and goes, and what lies on its disk. */
export class ProxyMachine implements Watched {
  readonly host: Host;
  readonly link: Link;
  readonly process: Process;
  readonly proxysql: ProxySqlModel;
  readonly guard: Guard;
  readonly state: StateFile = { mark: null, stallsUntilMs: 0, atNextOpening: null };
  goodSinceMs = 0;
  answersSinceMs = 0;
  highestApplied = 0;
  /** How many things are wrong around it. */
  #troubles = 0;
  #running: WatcherRun | null = null;
  #probed = 0;
  #stampLost = false;

  constructor(
    readonly name: string,
    private readonly parts: MachineParts,
  ) {
    const { consul, rules, scenario } = parts;
    const { engine } = consul;
    this.host = new Host(name, engine);
    this.host.countsSleep = rules.steps.countsSleep;
    this.link = new Link(name, engine);
    this.process = new Process(`watcher ${name}`, this.host);
    this.process.running = false;
    this.proxysql = new ProxySqlModel(name, this.host);
    const lease = this.#layout.onConsulLoss === "lease";
    this.proxysql.disk = scenario.fresh ? [] : rowsWith(lease ? "" : "db1");
    this.proxysql.start();
    this.guard = new Guard(this.host, this.proxysql, rules);
    this.guard.installed = scenario.guard && lease;
    this.proxysql.onChange = () => {
      this.#probeLater();
    };
    this.proxysql.onRevival = (server) => {
      parts.onRevival(this, server);
    };
  }

  /** Starts the watcher's process anew. */
  startWatcher(): void {
    if (this.host.frozenUntilMs !== null) {
      this.host.whenAwake(() => {
        if (!this.process.running) this.startWatcher();
      });
      return;
    }
    const { process, link, proxysql, guard, state, parts } = this;
    const { consul, rules, onApply } = parts;
    process.begin();
    this.#running = new WatcherRun({
      proxy: this.name,
      process,
      link,
      consul,
      proxysql,
      guard,
      state,
      rules,
      layout: this.#layout,
      onApply: (generation, known) => {
        onApply(this, generation, known);
      },
    });
    this.#running.start();
  }

  get frozen(): boolean {
    return this.host.frozenUntilMs !== null;
  }

  get awakeSinceMs(): number {
    return this.host.awakeSinceMs;
  }

  /** SIGTERM. */
  stopWatcher(): void {
    this.#running?.leave();
    this.process.crash();
  }

  /**
   * Without the watcher's file and without the stamp nothing here can know what this ProxySQL has had: the two are kept
   * apart so that one outlives the other. A lease and the truth path still hold. A stamp that nobody makes is no excuse.
   */
  noteMemory(): void {
    const { rules } = this.parts;
    const noStamp = rules.steps.stamps ? this.proxysql.stamp === null : this.#stampLost;
    if (this.state.mark === null && noStamp) this.highestApplied = 0;
  }

  /** ProxySQL begins with an empty disk. */
  loseStamp(): void {
    this.proxysql.stamp = null;
    this.#stampLost = true;
    this.noteMemory();
  }

  /** Something begins that may keep it from following. */
  trouble(): void {
    this.#troubles += 1;
    this.goodSinceMs = Number.POSITIVE_INFINITY;
  }

  relief(): void {
    this.#troubles -= 1;
    if (this.#troubles === 0) this.goodSinceMs = this.host.engine.now;
  }

  get #layout(): Layout {
    return this.parts.scenario.layout.value;
  }

  #probeLater(): void {
    const { engine } = this.host;
    if (this.proxysql.version === this.#probed) return;
    this.#probed = this.proxysql.version;
    engine.after(
      engine.random.between(0, PROBE_MS),
      this.process.receiver(() => this.#running?.kick()),
    );
  }
}
