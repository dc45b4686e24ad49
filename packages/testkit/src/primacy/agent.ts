import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort, startOnFreePorts } from "../ports.js";
import { type RunningProcess, startProcess } from "../process.js";
import { dieWithParent } from "../servers/die-with-parent.js";
import { waitUntil } from "../wait-until.js";
import { programs } from "./programs.js";

/** How to start an agent. Every setting that is not named here is as shipped. */
export interface AgentOptions {
  /** Its name in the lock. */
  readonly name: string;
  /** `http://host:port` */
  readonly consul: string;
  /** Orchestrator's nodes, `http://host:port`. */
  readonly orchestrator: readonly string[];
}

/** The agent's `/readyz`, as far as it is looked at. */
export interface AgentReadiness {
  readonly ready: boolean;
  readonly leads: boolean;
  /** Who leads, as this agent sees it; null where nobody is seen to. */
  readonly leader: string | null;
  readonly says: string;
  readonly clusters: readonly { readonly cluster: string; readonly held: boolean }[];
}

/** Starts the agent as it is shipped, and waits until it serves `/livez`. */
export async function startAgent(options: AgentOptions): Promise<AgentProcess> {
  return startOnFreePorts(async () => {
    const folder = await mkdtemp(join(tmpdir(), "primacy-agent-"));
    return new AgentProcess(options, folder, await freePort());
  });
}

/** An agent: the process may come and go, its folder (with the spool) stays until close(). */
export class AgentProcess {
  readonly #options: AgentOptions;
  readonly #folder: string;
  readonly #httpPort: number;
  #process: RunningProcess | undefined;

  constructor(options: AgentOptions, folder: string, httpPort: number) {
    this.#options = options;
    this.#folder = folder;
    this.#httpPort = httpPort;
  }

  get name(): string {
    return this.#options.name;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  get output(): string {
    return this.#process?.lastOutput() ?? "";
  }

  async start(): Promise<void> {
    const { name, consul, orchestrator } = this.#options;
    const config = join(this.#folder, "writer.json");
    await writeFile(config, JSON.stringify({ agent: { name } }));
    const http = `127.0.0.1:${String(this.#httpPort)}`;
    this.#process = await startProcess({
      name: `agent ${name}`,
      ...dieWithParent(process.execPath, [programs.writer, "agent", "--config", config, "--http", http]),
      cwd: this.#folder,
      env: {
        PATH: process.env["PATH"],
        CONSUL_HTTP_ADDR: consul,
        PRIMACY_SPOOL: join(this.#folder, "spool"),
        PRIMACY_ORCHESTRATOR: orchestrator.join(","),
      },
      ready: async () => (await this.#get("/livez")).ok,
    });
  }

  async readiness(): Promise<AgentReadiness> {
    return (await (await this.#get("/readyz")).json()) as AgentReadiness;
  }

  /** Waits until what `/readyz` tells is as wanted. */
  async waitFor(wanted: (seen: AgentReadiness) => boolean, what: string, timeoutMs = 60_000): Promise<void> {
    await waitUntil(
      async () => {
        const seen = await this.readiness();
        if (wanted(seen)) return true;
        throw new Error(JSON.stringify({ ...seen, clusters: seen.clusters.length }));
      },
      { timeoutMs, intervalMs: 20, what: `${this.name} ${what}` },
    );
  }

  /** The text of `/metrics`. */
  async metrics(): Promise<string> {
    return await (await this.#get("/metrics")).text();
  }

  suspend(): void {
    this.#process?.suspend();
  }

  resume(): void {
    this.#process?.resume();
  }

  async stop(): Promise<void> {
    await this.#process?.stop();
  }

  async kill9(): Promise<void> {
    await this.#process?.kill9();
  }

  /** Kills it and removes its folder. */
  async close(): Promise<void> {
    await this.kill9();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #get(path: string): Promise<Response> {
    const url = `http://127.0.0.1:${String(this.#httpPort)}${path}`;
    return await fetch(url, { signal: AbortSignal.timeout(10_000) });
  }
}
