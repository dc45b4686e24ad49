import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort, startOnFreePorts } from "../ports.js";
import { type Elsewhere, type ProcessExit, type RunningProcess, startProcess } from "../process.js";
import { waitUntil } from "../wait-until.js";
import { removeFolder } from "../remove-folder.js";
import { dieWithParent } from "../servers/die-with-parent.js";
import { programs } from "./programs.js";

/** How to start a watcher beside a ProxySQL. */
export interface WatcherOptions {
  /** Name of the ProxySQL in acknowledgements. */
  proxy: string;
  clusters: readonly string[];
  admin: { host: string; port: number; user: string; password: string };
  /** Consul's agents, `http://host:port`. */
  consul: readonly string[];
  stateDirectory?: string;
  /** Where it runs, if not here. */
  elsewhere?: Elsewhere | undefined;
  /** More environment variables: a token, for instance. */
  env?: Readonly<Record<string, string>>;
}

/** One cluster in `/readyz`. */
export interface ClusterReadiness {
  cluster: string;
  ready: boolean;
  generation: number;
  verifiedSecondsAgo: number | null;
  says: string;
}

export interface Readiness {
  ready: boolean;
  proxy: string;
  proxysql: "up" | "down";
  clusters: ClusterReadiness[];
}

/** Starts the watcher as it is shipped, and waits until it serves `/livez`. */
export async function startWatcher(options: WatcherOptions): Promise<WatcherProcess> {
  return startOnFreePorts(async () => {
    const temporary =
      options.stateDirectory === undefined ? await mkdtemp(join(tmpdir(), "primacy-watcher-")) : null;
    return new WatcherProcess(options, temporary, await freePort());
  });
}

/** A watcher: the process may come and go, its state directory stays until close(). */
export class WatcherProcess {
  readonly #options: WatcherOptions;
  readonly #temporary: string | null;
  readonly #httpPort: number;
  #process: RunningProcess | undefined;

  constructor(options: WatcherOptions, temporary: string | null, httpPort: number) {
    this.#options = options;
    this.#temporary = temporary;
    this.#httpPort = httpPort;
  }

  get proxy(): string {
    return this.#options.proxy;
  }

  get stateDirectory(): string {
    return this.#options.stateDirectory ?? this.#temporary ?? "";
  }

  /** Where it serves /livez, /readyz and /metrics. */
  get url(): string {
    return `http://${this.#address}`;
  }

  get #address(): string {
    return `${this.#options.elsewhere?.address ?? "127.0.0.1"}:${this.#httpPort}`;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** What it has logged, one JSON object a line. */
  get log(): string {
    return this.#process?.stdout ?? "";
  }

  get output(): string {
    return this.#process?.lastOutput() ?? "";
  }

  get exit(): ProcessExit | undefined {
    return this.#process?.exit;
  }

  async start(): Promise<void> {
    this.#process = await startProcess({
      name: `watcher ${this.proxy}`,
      ...dieWithParent(process.execPath, [programs.watcher, "run"]),
      namespace: this.#options.elsewhere?.namespace,
      env: this.environment,
      ready: async () => (await this.get("/livez")).ok,
    });
  }

  /** The environment in which the program finds its settings; for `plan`, `once` and `accept` too. */
  get environment(): NodeJS.ProcessEnv {
    const { proxy, clusters, admin, consul, env } = this.#options;
    return {
      PATH: process.env["PATH"],
      PRIMACY_PROXY: proxy,
      PRIMACY_CLUSTERS: clusters.join(","),
      PRIMACY_PROXYSQL_HOST: admin.host,
      PRIMACY_PROXYSQL_PORT: String(admin.port),
      PRIMACY_PROXYSQL_USER: admin.user,
      PRIMACY_PROXYSQL_PASSWORD: admin.password,
      PRIMACY_STATE_DIRECTORY: this.stateDirectory,
      PRIMACY_HTTP: this.#address,
      CONSUL_HTTP_ADDR: consul.join(","),
      ...env,
    };
  }

  async get(path: string): Promise<Response> {
    return await fetch(`${this.url}${path}`, { signal: AbortSignal.timeout(20_000) });
  }

  async readiness(): Promise<Readiness> {
    return (await (await this.get("/readyz")).json()) as Readiness;
  }

  /** Waits until the runtime is verified to show this generation of the cluster. */
  async waitForGeneration(cluster: string, generation: number, timeoutMs = 60_000): Promise<void> {
    await waitUntil(
      async () => {
        const seen = (await this.readiness()).clusters.find((one) => one.cluster === cluster);
        if (seen?.ready === true && seen.generation >= generation) return true;
        throw new Error(JSON.stringify(seen));
      },
      { timeoutMs, what: `${this.proxy} at generation ${generation} of ${cluster}` },
    );
  }

  signal(name: NodeJS.Signals): void {
    this.#process?.signal(name);
  }

  async stop(): Promise<ProcessExit | undefined> {
    return await this.#process?.stop();
  }

  async kill9(): Promise<ProcessExit | undefined> {
    return await this.#process?.kill9();
  }

  suspend(): void {
    this.#process?.suspend();
  }

  resume(): void {
    this.#process?.resume();
  }

  /** Stops it and removes its state where that was temporary. */
  async close(): Promise<void> {
    await this.kill9();
    if (this.#temporary !== null) await removeFolder(this.#temporary);
  }
}
