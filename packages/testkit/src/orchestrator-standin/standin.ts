import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { ApiServer } from "./api-server.js";
import { actionFor } from "./analysis.js";
import { Backend } from "./backend.js";
import type { StandInConfiguration } from "./configuration.js";
import { failOver } from "./failover.js";
import type { FailoverTools } from "./failover-run.js";
import { type InstanceKey, keyText, parseKey } from "./instance.js";
import { KeyValueStores } from "./key-value.js";
import { RecoveryLog } from "./recovery-log.js";
import type { RecoveryStep } from "./steps.js";
import { Topology } from "./topology.js";

/** What surrounds a stand-in. */
export interface StandInSurroundings {
  /** Each line of its log. */
  log: (line: string) => void;
  /** Ends the process at once, for StandInDieAfterStep. */
  die: () => void;
}

/**
 * An Orchestrator on real servers without its database, web pages and raft: one node, which leads. It looks at the servers,
 * finds dead masters, fails over by itself or when asked, runs hooks and answers the HTTP API as Orchestrator 3.2.6 does.
 */
export class OrchestratorStandIn {
  readonly #configuration: StandInConfiguration;
  readonly #surroundings: StandInSurroundings;
  readonly #tools: FailoverTools;
  readonly #api: ApiServer;
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #looking = new Set<string>();
  #startedAtMs = 0;
  #dead = false;

  constructor(configuration: StandInConfiguration, surroundings: StandInSurroundings) {
    this.#configuration = configuration;
    this.#surroundings = surroundings;
    const identity = { host: hostname(), token: randomBytes(32).toString("hex") };
    const backend = new Backend(configuration, identity, Date.now);
    this.#tools = {
      configuration,
      backend,
      recoveries: new RecoveryLog(configuration, Date.now),
      topology: new Topology(backend, configuration),
      stores: new KeyValueStores(backend, configuration),
      now: Date.now,
      log: (message) => this.#log(message),
      afterStep: (step) => this.#afterStep(step),
    };
    this.#api = new ApiServer(this.#tools, Date.now());
  }

  /** Begins to listen, to look at the servers and to recover them. */
  async start(): Promise<void> {
    this.#startedAtMs = Date.now();
    await this.#api.listen(this.#configuration.ListenAddress);
    const pollMs = this.#configuration.InstancePollSeconds * 1000;
    this.#every(pollMs, () => this.#afterPoll());
    // More often than a server is due, so that each is looked at when it is.
    this.#every(Math.min(1000, pollMs), () => this.#lookAtDueServers());
    this.#every(this.#configuration.StandInRecoveryPollMilliseconds, () => this.#checkAndRecover());
    this.#every(60_000, () => this.#writeMasters());
  }

  /** Ends everything that it does by itself. A hook that runs goes on, as it does after the real one was killed. */
  async stop(): Promise<void> {
    this.#dead = true;
    for (const timer of this.#timers) clearInterval(timer);
    await this.#api.close();
  }

  async #afterStep(step: RecoveryStep): Promise<void> {
    if (this.#configuration.StandInDieAfterStep === step) {
      this.#log(`dies after ${step}`);
      this.#surroundings.die();
      await this.stop();
    }
    // The dead do nothing more: whoever waits here waits for ever.
    if (this.#dead) await new Promise<never>(() => undefined);
  }

  #lookAtDueServers(): void {
    const pollMs = this.#configuration.InstancePollSeconds * 1000;
    const { backend } = this.#tools;
    const seeds = this.#configuration.DiscoverySeeds.flatMap((seed) => parseKey(seed) ?? []);
    const heardOf = backend.servers.flatMap(({ instance }) => [...instance.Replicas, instance.MasterKey]);
    for (const key of [...seeds, ...heardOf]) {
      if (key.Port !== 0 && key.Hostname !== "_" && backend.server(key) === undefined) this.#look(key);
    }
    for (const { instance, checkedAtMs } of backend.servers) {
      if (Date.now() - checkedAtMs >= pollMs) this.#look(instance.Key);
    }
  }

  /** One look at a time at each server: a hung one must not gather sessions. */
  #look(key: InstanceKey): void {
    const name = keyText(key);
    if (this.#looking.has(name)) return;
    this.#looking.add(name);
    this.#tools.topology
      .read(key)
      .catch((error: unknown) => this.#log(`ReadTopologyInstance(${name}): ${String(error)}`))
      .finally(() => this.#looking.delete(name))
      .catch(() => undefined);
  }

  #afterPoll(): void {
    this.#tools.backend.updateAliases();
    this.#tools.backend.expireDowntimes();
  }

  /** The recovery's tick: each server with a problem gets a failover of its own, and none waits for another. */
  #checkAndRecover(): void {
    const { backend, recoveries } = this.#tools;
    recoveries.expire();
    if (!this.#isSettled()) return;
    for (const server of backend.servers) {
      const analysis = backend.analyse(server);
      if (actionFor(analysis.Analysis) === "nothing" || analysis.SkippableDueToDowntime) continue;
      this.#lookAgain(analysis.AnalyzedInstanceKey);
      failOver(this.#tools, { analysis, forced: false, designated: null }).catch((error: unknown) =>
        this.#log(String(error)),
      );
    }
  }

  /** For three polls after its start Orchestrator recovers nothing: it may not have seen all servers yet. */
  #isSettled(): boolean {
    return Date.now() - this.#startedAtMs >= 3 * this.#configuration.InstancePollSeconds * 1000;
  }

  /** A master with a problem and its replicas are looked at out of turn (runEmergentOperations). */
  #lookAgain(master: InstanceKey): void {
    this.#look(master);
    for (const { instance } of this.#tools.backend.replicasOf(master)) this.#look(instance.Key);
  }

  #writeMasters(): void {
    if (!this.#isSettled()) return;
    this.#tools.stores.putChangedMasters().catch((error: unknown) => this.#log(String(error)));
  }

  #every(ms: number, act: () => void): void {
    this.#timers.push(setInterval(act, ms));
  }

  #log(message: string): void {
    this.#surroundings.log(`${new Date().toISOString()} ${message}`);
  }
}
