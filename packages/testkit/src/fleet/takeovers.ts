import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ConsulStore, type HistoryEntry, consulOptionsFromEnvironment } from "@primacy/consul-store";
import type { MasterRecord } from "@primacy/contract";
import { type WriterRun, runWriter } from "../primacy/writer.js";
import { removeFolder } from "../remove-folder.js";
import { type Consul, startConsul } from "../servers/consul.js";
import { documentedSql } from "../servers/documented-sql.js";
import { findServer } from "../servers/found.js";
import type { MariaDb } from "../servers/mariadb.js";
import { waitUntil } from "../wait-until.js";
import { Fleet, type FleetOptions } from "./fleet.js";

/** One line of the writer's log, as far as the tests look at it. */
export interface HookLog {
  /** When it ended. ISO 8601. */
  readonly time: string;
  readonly durationMs: number;
  readonly hook: string;
  readonly code: number;
  readonly outcome: string;
  readonly msg: string;
  readonly generation?: number;
  readonly proxies?: number;
  readonly acknowledged?: number;
  readonly barrier?: string;
  readonly barrierMs?: number;
  readonly missing?: string;
  readonly oldMaster?: string;
  readonly oldMasterKilled?: number;
  readonly notes?: readonly string[];
}

const HOOKS = [
  "PreGracefulTakeover",
  "PreFailover",
  "PostMasterFailover",
  "PostUnsuccessfulFailover",
  "PostGracefulTakeover",
] as const;

const kindOf = (name: "proxysql" | "orchestrator"): "stand-in" | "real" =>
  typeof findServer(name) === "string" ? "stand-in" : "real";

/** The usual 5 are too few for a machine that stands still for as long. */
const DATABASE_PATIENCE_SECONDS = "20";

function databaseAccount(folder: string) {
  return {
    PRIMACY_DATABASE_USER: "primacy",
    PRIMACY_DATABASE_PASSWORD_FILE: join(folder, "database.password"),
  };
}

/** A cluster of three MariaDBs behind ProxySQLs, whose Orchestrator calls the writer in every hook. */
export class Takeovers {
  /** What makes a writer or an agent know the account on the databases. */
  get databaseAccount(): Record<string, string> {
    return databaseAccount(this.folder);
  }

  private constructor(
    readonly fleet: Fleet,
    readonly consul: Consul,
    readonly store: ConsulStore,
    private readonly folder: string,
  ) {}

  static async start(options: Partial<FleetOptions> = {}, given?: Consul): Promise<Takeovers> {
    const folder = await mkdtemp(join(tmpdir(), "primacy-phases-"));
    const consul = given ?? (await startConsul());
    const account = databaseAccount(folder);
    await writeFile(account.PRIMACY_DATABASE_PASSWORD_FILE, "change-me\n", { mode: 0o600 });
    const fleet = await Fleet.start({
      routing: "primacy",
      clusters: { main: 3 },
      proxies: 3,
      proxySqlKind: kindOf("proxysql"),
      orchestratorKind: kindOf("orchestrator"),
      consul: { address: consul.httpAddr, close: async () => consul.close() },
      hooks: HOOKS,
      ...options,
      writerVariables: {
        PRIMACY_LOG: join(folder, "writer.log"),
        PRIMACY_DATABASE_DEADLINE: DATABASE_PATIENCE_SECONDS,
        ...account,
        ...options.writerVariables,
      },
    });
    const settings = consulOptionsFromEnvironment({ CONSUL_HTTP_ADDR: fleet.options.consul.address });
    if (!settings.ok) throw new Error(settings.problem);
    const takeovers = new Takeovers(fleet, consul, new ConsulStore(settings.value), folder);
    await takeovers.#makeAccount();
    return takeovers;
  }

  /** The account that docs/old-master.md tells an administrator to make. */
  async #makeAccount(): Promise<void> {
    const [master, ...replicas] = this.databases;
    if (master === undefined) throw new RangeError("a cluster has at least one server");
    for (const block of [0, 1]) {
      for (const statement of documentedSql("MariaDB 10.5 and later", block)) await master.query(statement);
    }
    await master.query("CREATE TABLE app.notes (id INT PRIMARY KEY AUTO_INCREMENT, note VARCHAR(40))");
    await master.query("INSERT INTO app.notes (note) VALUES ('one')");
    for (const replica of replicas) await replica.catchUpWith(master);
  }

  get databases(): readonly MariaDb[] {
    return this.fleet.cluster("main").databases;
  }

  async record(): Promise<MasterRecord> {
    const { record } = await this.store.readCluster("main", { deadlineMs: 10_000 });
    if (record.kind !== "valid") throw new Error(`the record is ${record.kind}`);
    return record.value;
  }

  /** The database server that the record names. */
  async master(): Promise<MariaDb> {
    const { master } = await this.record();
    const found = this.databases.find(({ port }) => port === master.port);
    if (found === undefined) throw new Error(`the record names port ${master.port}`);
    return found;
  }

  async history(): Promise<MasterRecord[]> {
    const entries: HistoryEntry[] = await this.store.readHistory("main", { deadlineMs: 10_000 });
    return entries.map(({ document }) => {
      if (document.kind !== "valid") throw new Error("a kept record is not valid");
      return document.value;
    });
  }

  /** Runs a hook by hand, as Orchestrator would. */
  async hook(name: string, environment: Record<string, string>): Promise<WriterRun> {
    return await runWriter(["hook", name], { ...this.fleet.writerEnvironment, ...environment });
  }

  async writerWith(environment: Record<string, string>, ...args: string[]): Promise<WriterRun> {
    return await runWriter(args, { ...this.fleet.writerEnvironment, ...environment });
  }

  /** What the hooks have logged so far, in their order. */
  async hooks(): Promise<HookLog[]> {
    const text = await readFile(join(this.folder, "writer.log"), "utf8").catch(() => "");
    return text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as HookLog)
      .filter(({ hook }) => hook !== undefined);
  }

  /** The last call of a hook; waits until it has come. */
  async lastHook(hook: string, after = 0): Promise<HookLog> {
    return await waitUntil(
      async () => (await this.hooks()).slice(after).findLast((one) => one.hook === hook),
      {
        timeoutMs: 60_000,
        what: `${hook} in the log`,
      },
    );
  }

  /** A planned takeover that must succeed, of a cluster that Orchestrator sees in order. */
  async takeOver(): Promise<void> {
    await this.fleet.orchestrator.waitForReplication("main");
    const answer = await this.fleet.orchestrator.gracefulTakeover("main");
    if (answer.status !== 200) throw new Error(JSON.stringify(answer.body));
  }

  /** Waits until a record of this phase stands. */
  async reaches(phase: MasterRecord["phase"], generation: number): Promise<MasterRecord> {
    return await waitUntil(
      async () => {
        const record = await this.record();
        if (record.phase === phase && record.generation >= generation) return record;
        throw new Error(`generation ${record.generation}, ${record.phase}`);
      },
      { timeoutMs: 60_000, what: `generation ${generation}, ${phase}` },
    );
  }

  async everywhere(generation: number): Promise<void> {
    for (const watcher of this.fleet.watchers) await watcher.waitForGeneration("main", generation, 60_000);
  }

  async isReadOnly(server: MariaDb): Promise<boolean> {
    const [row] = await server.query("SELECT @@global.read_only AS readOnly");
    return Number(row?.["readOnly"]) === 1;
  }

  async close(): Promise<void> {
    this.store.close();
    await this.fleet.close();
    await this.consul.close();
    await removeFolder(this.folder);
  }
}
