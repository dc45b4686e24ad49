import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ConsulStore } from "@primacy/consul-store";
import type { Layout, MasterRecord, Members, Server } from "@primacy/contract";
import { RunningProcess, freePort, startOnFreePorts, waitUntil } from "@primacy/testkit";
import { layoutOf as sampleLayout, recordOf } from "../../packages/contract/test/samples.js";

const WITHIN = { deadlineMs: 10_000 } as const;

/** How an agent is started. */
export interface AgentStart {
  readonly program: string;
  readonly name: string;
  readonly consul: string;
  readonly orchestrator: readonly string[];
  /** The table `agent` of its file. */
  readonly settings?: Record<string, unknown>;
  readonly env?: Record<string, string>;
}

/** What takes its time so that nobody is woken for nothing. */
const QUICK = {
  pollSeconds: 0.2,
  worseAfterSeconds: 0.5,
  betterAfterSeconds: 0.5,
  heldAfterSeconds: 1,
  reportAfterSeconds: 0.5,
};

interface Readiness {
  readonly ready: boolean;
  readonly leads: boolean;
  readonly leader: string | null;
  readonly says: string;
  readonly clusters: readonly { cluster: string; held: boolean; says: string }[];
}

/** An agent as it is shipped: the process may come and go, its folder (with the spool) stays until close(). */
export class AgentProcess {
  readonly folder = mkdtempSync(join(tmpdir(), "primacy-agent-"));
  #process: RunningProcess | undefined;
  #port = 0;

  constructor(readonly options: AgentStart) {}

  static start(options: AgentStart): Promise<AgentProcess> {
    return startOnFreePorts(async () => new AgentProcess(options));
  }

  get spool(): string {
    return join(this.folder, "spool");
  }

  get output(): string {
    return this.#process?.lastOutput() ?? "";
  }

  /** The lines of its log, as objects. */
  get log(): Record<string, unknown>[] {
    const lines = (this.#process?.stdout ?? "").split("\n").filter((line) => line.startsWith("{"));
    return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  async start(): Promise<void> {
    const { program, name, consul, orchestrator, settings = {}, env = {} } = this.options;
    this.#port = await freePort();
    const config = join(this.folder, "writer.json");
    writeFileSync(config, JSON.stringify({ agent: { name, ...QUICK, ...settings } }));
    this.#process = new RunningProcess({
      name: `agent ${name}`,
      command: process.execPath,
      args: [program, "agent", "--config", config, "--http", `127.0.0.1:${String(this.#port)}`],
      env: {
        PATH: process.env["PATH"],
        CONSUL_HTTP_ADDR: consul,
        PRIMACY_SPOOL: this.spool,
        PRIMACY_ORCHESTRATOR: orchestrator.join(","),
        ...env,
      },
      cwd: this.folder,
    });
    await waitUntil(
      async () => {
        if (this.#process?.exit !== undefined) throw new Error(this.output);
        return (await this.get("/livez")).ok;
      },
      { timeoutMs: 20_000, what: `agent ${name} to live` },
    );
  }

  get(path: string): Promise<Response> {
    return fetch(`http://127.0.0.1:${String(this.#port)}${path}`, { signal: AbortSignal.timeout(5000) });
  }

  async readiness(): Promise<Readiness> {
    return (await (await this.get("/readyz")).json()) as Readiness;
  }

  /** A series' value; undefined where it is not there. `name` with its labels in braces. */
  async metric(name: string): Promise<number | undefined> {
    const text = await (await this.get("/metrics")).text();
    const line = text.split("\n").find((one) => one.startsWith(`${name} `));
    return line === undefined ? undefined : Number(line.slice(name.length + 1));
  }

  async waitToLead(timeoutMs = 30_000): Promise<void> {
    await waitUntil(
      async () => {
        const readiness = await this.readiness();
        if (!readiness.leads) throw new Error(JSON.stringify(readiness));
        return true;
      },
      { timeoutMs, intervalMs: 50, what: `${this.options.name} to lead` },
    );
  }

  async waitForReadyz(status: number): Promise<void> {
    await waitUntil(
      async () => {
        const answer = await this.get("/readyz");
        if (answer.status !== status) throw new Error(`${String(answer.status)} ${await answer.text()}`);
        return true;
      },
      { timeoutMs: 20_000, what: `/readyz of ${this.options.name} to be ${String(status)}` },
    );
  }

  signal(name: NodeJS.Signals): void {
    this.#process?.signal(name);
  }

  async kill9(): Promise<void> {
    this.#process?.signal("SIGKILL");
    await this.#process?.exited;
  }

  /** Told to end. @returns its exit code */
  async stop(): Promise<number | null> {
    this.#process?.signal("SIGTERM");
    return (await this.#process?.exited)?.code ?? null;
  }

  async close(): Promise<void> {
    await this.kill9();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export function layoutOf(servers: readonly Server[], changes: Record<string, unknown> = {}): Layout {
  return sampleLayout({ servers: servers.map(({ host, port }) => ({ host, port })), ...changes });
}

/** Decided long ago, so that no recovery is older. */
export function firstRecord({ host, port }: Server, changes: Partial<MasterRecord> = {}): MasterRecord {
  const longAgo = "2020-01-01T00:00:00.000Z";
  return recordOf({
    generation: 1,
    master: { host, port },
    decidedAt: longAgo,
    writtenAt: longAgo,
    writtenBy: "test",
    ...changes,
  });
}

/** What lies in one Consul about the cluster "main". */
export class ClusterInConsul {
  readonly store: ConsulStore;

  constructor(address: string) {
    this.store = new ConsulStore({ addresses: [address], prefix: "primacy/", requestTimeoutMs: 5000 });
  }

  async begin(record: MasterRecord, layout: Layout): Promise<void> {
    const wrote = [
      await this.store.writeLayout("main", layout, 0, WITHIN),
      await this.store.commitRecord("main", { expectedIndex: 0, record }, WITHIN),
    ];
    if (wrote.some((one) => one.outcome !== "committed")) throw new Error(JSON.stringify(wrote));
  }

  /** As the watcher of a proxy does that has applied the record. */
  async acknowledge(proxy: string): Promise<void> {
    const { cluster, generation, incarnation, phase, master } = await this.record();
    const session = { name: proxy, ttlSeconds: 15, behavior: "delete", lockDelaySeconds: 0 } as const;
    const sessionId = await this.store.createSession(session);
    const said = {
      state: "applied",
      reason: null,
      connectionsInUse: 0,
      tookMs: 1,
      watcher: "0.1.0",
    } as const;
    const seen = { writers: [master], appliedGeneration: generation, at: new Date().toISOString() };
    await this.store.acknowledge(
      cluster,
      proxy,
      { format: 1, proxy, cluster, generation, incarnation, phase, ...said, ...seen },
      { sessionId },
    );
  }

  async record(): Promise<MasterRecord> {
    const { record } = await this.store.readCluster("main", WITHIN);
    if (record.kind !== "valid") throw new Error(JSON.stringify(record));
    return record.value;
  }

  async members(): Promise<Members> {
    const { members } = await this.store.readCluster("main", WITHIN);
    if (members.kind !== "valid") throw new Error(JSON.stringify(members));
    return members.value;
  }

  async membersIndex(): Promise<number> {
    return (await this.store.readCluster("main", WITHIN)).membersIndex;
  }

  waitForGeneration(generation: number, timeoutMs = 30_000): Promise<MasterRecord> {
    return waitUntil(
      async () => {
        const record = await this.record();
        if (record.generation < generation) throw new Error(JSON.stringify(record));
        return record;
      },
      { timeoutMs, intervalMs: 50, what: `generation ${String(generation)}` },
    );
  }

  /** Waits until the members document is as `wanted` says. */
  waitForMembers(wanted: (members: Members) => boolean, what: string, timeoutMs = 30_000): Promise<Members> {
    return waitUntil(
      async () => {
        const members = await this.members();
        if (!wanted(members)) throw new Error(JSON.stringify(members));
        return members;
      },
      { timeoutMs, intervalMs: 50, what },
    );
  }

  close(): void {
    this.store.close();
  }
}

/** The members as text: `3311 master, 3312 replicating …`, by port. */
export function told(members: Members): string {
  return members.servers
    .map((one) => {
      if (one.downtime !== null) return `${String(one.port)} downtimed`;
      if (!one.reachable) return `${String(one.port)} away`;
      if (one.replicating)
        return `${String(one.port)} ${one.followsMaster === false ? "astray" : "replicating"}`;
      return `${String(one.port)} ${one.replicatesFrom === null ? "alone" : "broken"}`;
    })
    .join(", ");
}
