import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Hooks } from "../orchestrator-standin/hook-lists.js";
import { freePort, startOnFreePorts } from "../ports.js";
import { removeFolder } from "../remove-folder.js";
import { waitUntil } from "../wait-until.js";
import {
  orchestratorConfiguration,
  type TopologyCluster,
  type TopologyServer,
} from "./orchestrator-configuration.js";
import {
  type OrchestratorRunner,
  runRealOrchestrator,
  runStandInHere,
  runStandInProcess,
} from "./orchestrator-process.js";

/** How to start an Orchestrator. */
export interface OrchestratorOptions {
  /** The stand-in (default), or the program that PRIMACY_ORCHESTRATOR_BIN names. */
  kind?: "stand-in" | "real";
  /** The clusters that it looks after. */
  clusters: readonly TopologyCluster[];
  hooks?: Hooks;
  /** `host:port` of a Consul agent for Orchestrator's own keys (default: it writes none). */
  consulAddress?: string;
  /** Any key of `orchestrator.conf.json`; for the stand-in also those of its own (StandIn…). */
  configuration?: Record<string, unknown>;
  /** Environment of a process of its own, and so of its hooks (default: this process's own). */
  env?: NodeJS.ProcessEnv;
  /** The stand-in as a process of its own: the bundled program (default: it runs inside this process). */
  bundle?: string;
}

/** An answer of the HTTP API. `body` is undefined where it was not JSON. */
export interface ApiAnswer {
  status: number;
  body: unknown;
}

/** Starts an Orchestrator and waits until it knows every server of every cluster. */
export async function startOrchestrator(options: OrchestratorOptions): Promise<Orchestrator> {
  const orchestrator = await startOnFreePorts(async () => {
    const folder = await mkdtemp(join(tmpdir(), "primacy-orchestrator-"));
    return new Orchestrator(options, folder, await freePort());
  });
  try {
    await orchestrator.waitForServers();
  } catch (error) {
    await orchestrator.close();
    throw error;
  }
  return orchestrator;
}

/** An Orchestrator: the process may come and go; its address and, for the real one, its backend stay. */
export class Orchestrator {
  readonly kind: "stand-in" | "real";
  readonly url: string;
  readonly #options: OrchestratorOptions;
  readonly #folder: string;
  readonly #port: number;
  readonly #changes: Record<string, unknown> = {};
  #runner: OrchestratorRunner | undefined;

  constructor(options: OrchestratorOptions, folder: string, port: number) {
    this.kind = options.kind ?? "stand-in";
    this.url = `http://127.0.0.1:${port}`;
    this.#options = options;
    this.#folder = folder;
    this.#port = port;
  }

  /** Everything that the process has printed is in this file. */
  get logFile(): string {
    return join(this.#folder, "orchestrator.log");
  }

  /** Starts it (again) and waits until it answers. `changes`: keys of the configuration, from now on. */
  async start(changes: Record<string, unknown> = {}): Promise<void> {
    Object.assign(this.#changes, changes);
    const configurationFile = await this.#writeConfiguration();
    const { env = process.env, bundle } = this.#options;
    const input = { configurationFile, logFile: this.logFile, env, ready: () => this.api("status") };
    if (this.kind === "real") this.#runner = await runRealOrchestrator(input);
    else if (bundle !== undefined) this.#runner = await runStandInProcess({ ...input, bundle });
    else this.#runner = await runStandInHere(input);
  }

  /** One call of the HTTP API: `api("master/main")`. Never throws for a status. */
  async api(path: string, timeoutMs = 60_000): Promise<ApiAnswer> {
    const response = await fetch(`${this.url}/api/${path}`, { signal: AbortSignal.timeout(timeoutMs) });
    const text = await response.text();
    return { status: response.status, body: parseJson(text) };
  }

  /** `graceful-master-takeover-auto`: onto `to`, or onto a replica of Orchestrator's choice. */
  gracefulTakeover(alias: string, to?: TopologyServer): Promise<ApiAnswer> {
    return this.api(`graceful-master-takeover-auto/${alias}${to ? `/${to.host}/${to.port}` : ""}`);
  }

  /** `force-master-failover`: the master is taken for dead, whatever it does. */
  forceMasterFailover(alias: string): Promise<ApiAnswer> {
    return this.api(`force-master-failover/${alias}`);
  }

  /** Waits until each cluster is complete. */
  async waitForServers(timeoutMs = 60_000): Promise<void> {
    for (const { alias, servers } of this.#options.clusters) {
      await waitUntil(() => this.#complete(alias, servers), {
        timeoutMs,
        intervalMs: 100,
        what: `the ${servers.length} servers of ${alias} in Orchestrator`,
      });
    }
  }

  /**
   * Waits until Orchestrator sees one master and every other server replicating from it. Before that it refuses a graceful
   * takeover, for the reason of its last look, seconds ago.
   */
  async waitForReplication(alias: string, timeoutMs = 60_000): Promise<void> {
    const known = this.#options.clusters.find((one) => one.alias === alias)?.servers.length ?? 0;
    await waitUntil(() => this.#replicates(alias, known), {
      timeoutMs,
      intervalMs: 100,
      what: `${alias} to replicate, as Orchestrator sees it`,
    });
  }

  async #replicates(alias: string, known: number): Promise<boolean> {
    const { body } = await this.api(`cluster/alias/${alias}`);
    if (!Array.isArray(body)) throw new Error(JSON.stringify(body));
    const servers = body as SeenServer[];
    const behind = servers.filter((one) => !replicates(one));
    if (servers.length >= known && behind.length === 1 && behind.every(({ ReadOnly }) => !ReadOnly))
      return true;
    throw new Error(
      `of ${servers.length} servers do not replicate: ${behind.map((one) => stateOf(one)).join("; ")}`,
    );
  }

  async #complete(alias: string, servers: readonly TopologyServer[]): Promise<boolean> {
    const { body } = await this.api(`cluster/alias/${alias}`);
    if (!Array.isArray(body)) throw new Error(JSON.stringify(body));
    if (body.length < servers.length) throw new Error(`${body.length} servers`);
    return true;
  }

  async stop(): Promise<void> {
    await this.#runner?.stop();
  }

  /** A crash: no hook that has not run yet will ever run. */
  async kill9(): Promise<void> {
    await this.#runner?.kill9();
  }

  async close(): Promise<void> {
    await this.kill9();
    await removeFolder(this.#folder);
  }

  async #writeConfiguration(): Promise<string> {
    const { clusters, hooks = {}, consulAddress, configuration = {} } = this.#options;
    const file = join(this.#folder, "orchestrator.conf.json");
    const json = orchestratorConfiguration({
      listenAddress: `127.0.0.1:${this.#port}`,
      clusters,
      hooks,
      consulAddress,
      dataFile: join(this.#folder, "orchestrator.sqlite3"),
      overrides: { ...configuration, ...this.#changes },
    });
    await writeFile(file, JSON.stringify(json, null, 2), { mode: 0o600 });
    return file;
  }
}

/** What is read of a server in the answer of `cluster/alias`, as 3.2.6 spells it. */
interface SeenServer {
  readonly Key: { readonly Hostname: string; readonly Port: number };
  readonly ReadOnly: boolean;
  readonly IsLastCheckValid: boolean;
  readonly ReplicationIOThreadRuning: boolean;
  readonly ReplicationSQLThreadRuning: boolean;
  readonly SecondsBehindMaster: { readonly Valid: boolean; readonly Int64: number };
  readonly LastIOError: string;
  readonly LastSQLError: string;
}

function replicates(server: SeenServer): boolean {
  const { SecondsBehindMaster: lag } = server;
  const runs = server.ReplicationIOThreadRuning && server.ReplicationSQLThreadRuning;
  return server.IsLastCheckValid && runs && lag.Valid && lag.Int64 <= 1;
}

function stateOf(server: SeenServer): string {
  const words = [
    server.ReadOnly ? "read_only" : "writable",
    `IO ${server.ReplicationIOThreadRuning ? "Yes" : "No"} ${server.LastIOError}`,
    `SQL ${server.ReplicationSQLThreadRuning ? "Yes" : "No"} ${server.LastSQLError}`,
  ];
  return `${server.Key.Port} (${words.join(", ")})`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
