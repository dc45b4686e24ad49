import { writeFileSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { type ProcessExit, type RunningProcess, startProcess } from "../process.js";
import { type ConsulServerSettings, consulConfig } from "./consul-config.js";
import { dieWithParent } from "./die-with-parent.js";
import { KeptRunning } from "./kept-running.js";

/** One Consul server: the process may come and go, its ports and data stay. */
export class ConsulServer {
  readonly nodeName: string;
  /** "http://127.0.0.1:port" */
  readonly httpAddr: string;
  /** The same at the address beside 127.0.0.1, where it has one. */
  readonly httpAddrElsewhere: string | undefined;
  readonly #program: string;
  readonly #settings: ConsulServerSettings;
  readonly #process = new KeptRunning(() => this.#launch());

  constructor(program: string, settings: ConsulServerSettings) {
    this.nodeName = settings.nodeName;
    this.httpAddr = `http://127.0.0.1:${settings.ports.http}`;
    const { alsoAt, ports } = settings;
    this.httpAddrElsewhere = alsoAt === undefined ? undefined : `http://${alsoAt}:${ports.http}`;
    this.#program = program;
    this.#settings = settings;
  }

  /** Starts the process on its data (again); it answers HTTP then, but may have no leader yet. */
  async start(): Promise<void> {
    await this.#process.start();
  }

  /** One call with a limit of 20 s; answers status, headers and the body as text. Never throws for a status. */
  async request(
    method: string,
    path: string,
    body?: string,
  ): Promise<{ status: number; headers: Headers; body: string }> {
    const { token } = this.#settings;
    const response = await fetch(`${this.httpAddr}${path}`, {
      method,
      signal: AbortSignal.timeout(20_000),
      ...(token === undefined ? {} : { headers: { "X-Consul-Token": token } }),
      ...(body === undefined ? {} : { body }),
    });
    return { status: response.status, headers: response.headers, body: await response.text() };
  }

  /** True when this server answers from a leader and its node is in the catalogue with its health check. */
  async isReady(): Promise<boolean> {
    const keys = await this.request("GET", "/v1/kv/?keys&consistent");
    if (keys.status !== 200 && keys.status !== 404) throw new Error(`${keys.status} ${keys.body}`);
    // Before that, a session with Consul's default checks can't be made.
    const health = await this.request("GET", `/v1/health/node/${this.nodeName}`);
    if (!health.body.includes('"passing"')) throw new Error(`health of ${this.nodeName}: ${health.body}`);
    return true;
  }

  async stop(): Promise<ProcessExit | undefined> {
    return this.#process.stop();
  }

  async kill9(): Promise<ProcessExit | undefined> {
    return this.#process.kill9();
  }

  /** Removes its data. Only while it is stopped. */
  async wipe(): Promise<void> {
    await rm(this.#settings.dataDir, { recursive: true, force: true });
  }

  /** The server hangs with its sockets open. */
  suspend(): void {
    this.#process.suspend();
  }

  resume(): void {
    this.#process.resume();
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  async #launch(): Promise<RunningProcess> {
    const { dataDir, nodeName } = this.#settings;
    await mkdir(dataDir, { recursive: true });
    const config = `${dataDir}.json`;
    writeFileSync(config, JSON.stringify(consulConfig(this.#settings), null, 2), { mode: 0o600 });
    const line = dieWithParent(this.#program, ["agent", `-config-file=${config}`]);
    return startProcess({
      name: `consul ${nodeName}`,
      ...line,
      // Without this Consul takes settings from the environment of whoever runs the tests.
      env: { PATH: process.env["PATH"] },
      logFile: `${dataDir}.log`,
      ready: () => this.request("GET", "/v1/status/leader"),
    });
  }
}
