import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort, startOnFreePorts } from "../ports.js";
import { type ProcessExit, type RunningProcess, startProcess } from "../process.js";
import { removeFolder } from "../remove-folder.js";
import { dieWithParent } from "../servers/die-with-parent.js";
import { waitUntil } from "../wait-until.js";
import { programs } from "./programs.js";

/** How to start an agent. Every setting that is not named is as shipped. */
export interface AgentOptions {
  /** The writer's bundle (default: the one that is shipped). */
  readonly program?: string;
  /** Its name in the lock. */
  readonly name: string;
  /** `http://host:port` */
  readonly consul: string;
  /** Orchestrator's nodes, `http://host:port`. */
  readonly orchestrator: readonly string[];
  /** The table `agent` of its file. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** More environment variables. */
  readonly env?: Readonly<Record<string, string>>;
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
  readonly folder: string;
  readonly #options: AgentOptions;
  readonly #httpPort: number;
  #process: RunningProcess | undefined;

  constructor(options: AgentOptions, folder: string, httpPort: number) {
    this.#options = options;
    this.folder = folder;
    this.#httpPort = httpPort;
  }

  get name(): string {
    return this.#options.name;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  get spool(): string {
    return join(this.folder, "spool");
  }

  get output(): string {
    return this.#process?.lastOutput() ?? "";
  }

  /** The lines of its log, as objects. */
  get log(): readonly Record<string, unknown>[] {
    const lines = (this.#process?.stdout ?? "").split("\n").filter((line) => line.startsWith("{"));
    return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  async start(): Promise<void> {
    const { program = programs.writer, name, consul, orchestrator, settings, env } = this.#options;
    const config = join(this.folder, "writer.json");
    await writeFile(config, JSON.stringify({ agent: { name, ...settings } }));
    const http = `127.0.0.1:${String(this.#httpPort)}`;
    this.#process = await startProcess({
      name: `agent ${name}`,
      ...dieWithParent(process.execPath, [program, "agent", "--config", config, "--http", http]),
      cwd: this.folder,
      env: {
        PATH: process.env["PATH"],
        CONSUL_HTTP_ADDR: consul,
        PRIMACY_SPOOL: this.spool,
        PRIMACY_ORCHESTRATOR: orchestrator.join(","),
        ...env,
      },
      ready: async () => (await this.get("/livez")).ok,
    });
  }

  async readiness(): Promise<AgentReadiness> {
    return (await (await this.get("/readyz")).json()) as AgentReadiness;
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

  async waitToLead(): Promise<void> {
    await this.waitFor((seen) => seen.leads, "to lead");
  }

  /** Waits until `/readyz` answers with this status. */
  async waitForReadyz(status: number): Promise<void> {
    await waitUntil(
      async () => {
        const answer = await this.get("/readyz");
        if (answer.status !== status) throw new Error(`${String(answer.status)} ${await answer.text()}`);
        return true;
      },
      { timeoutMs: 60_000, what: `/readyz of ${this.name} to be ${String(status)}` },
    );
  }

  /** The text of `/metrics`. */
  async metrics(): Promise<string> {
    return await (await this.get("/metrics")).text();
  }

  /** A series' value; undefined where it is not there. `name` with its labels in braces. */
  async metric(name: string): Promise<number | undefined> {
    const line = (await this.metrics()).split("\n").find((one) => one.startsWith(`${name} `));
    return line === undefined ? undefined : Number(line.slice(name.length + 1));
  }

  suspend(): void {
    this.#process?.suspend();
  }

  resume(): void {
    this.#process?.resume();
  }

  /** Told to end (SIGTERM). */
  async stop(): Promise<ProcessExit | undefined> {
    return await this.#process?.stop();
  }

  async kill9(): Promise<void> {
    await this.#process?.kill9();
  }

  /** Kills it and removes its folder. */
  async close(): Promise<void> {
    await this.kill9();
    await removeFolder(this.folder);
  }

  async get(path: string): Promise<Response> {
    const url = `http://127.0.0.1:${String(this.#httpPort)}${path}`;
    return await fetch(url, { signal: AbortSignal.timeout(20_000) });
  }
}
