import { ConsulStore, consulOptionsFromEnvironment } from "@primacy/consul-store";
import type { MasterRecord } from "@primacy/contract";
import { Fleet } from "../fleet/fleet.js";
import { type AgentProcess, startAgent } from "../primacy/agent.js";
import { startConsul } from "../servers/consul.js";
import { findServer } from "../servers/found.js";
import type { MariaDb } from "../servers/mariadb.js";
import { waitUntil } from "../wait-until.js";

const CLUSTER = "main";
const kindOf = (name: "proxysql" | "orchestrator"): "stand-in" | "real" =>
  typeof findServer(name) === "string" ? "stand-in" : "real";

/** A recovery in Orchestrator's audit. `RecoveryEndTimestamp` is empty before its end. */
interface AuditedRecovery {
  readonly UID: string;
  readonly RecoveryEndTimestamp: string;
}

/** Three MariaDBs, ProxySQLs with their watchers, an Orchestrator without a single hook, and an agent. */
export class AgentFleet {
  private constructor(
    readonly fleet: Fleet,
    readonly store: ConsulStore,
    readonly agent: AgentProcess,
  ) {}

  static async start(proxies: number, say: (what: string) => void): Promise<AgentFleet> {
    const consul = await startConsul();
    const fleet = await Fleet.start({
      routing: "primacy",
      clusters: { [CLUSTER]: 3 },
      proxies,
      hooks: [],
      proxySqlKind: kindOf("proxysql"),
      orchestratorKind: kindOf("orchestrator"),
      consul: { address: consul.httpAddr, close: async () => consul.close() },
      // A former master reads again soon, so that every round begins alike.
      layout: { quarantineSeconds: 1 },
      onProgress: say,
    }).catch(async (error: unknown) => {
      await consul.close();
      throw error;
    });
    try {
      const settings = consulOptionsFromEnvironment({ CONSUL_HTTP_ADDR: consul.httpAddr });
      if (!settings.ok) throw new Error(settings.problem);
      const { url } = fleet.orchestrator;
      const agent = await startAgent({ name: "agent1", consul: consul.httpAddr, orchestrator: [url] });
      return new AgentFleet(fleet, new ConsulStore(settings.value), agent);
    } catch (error) {
      await fleet.close();
      await consul.close();
      throw error;
    }
  }

  get databases(): readonly MariaDb[] {
    return this.fleet.cluster(CLUSTER).databases;
  }

  async record(): Promise<MasterRecord> {
    const { record } = await this.store.readCluster(CLUSTER, { deadlineMs: 10_000 });
    if (record.kind !== "valid") throw new Error(`the record is ${record.kind}`);
    return record.value;
  }

  /** Master and replicas as the record has them. */
  async roles(): Promise<{ master: MariaDb; replicas: MariaDb[] }> {
    const { port } = (await this.record()).master;
    const master = this.databases.find((one) => one.port === port);
    if (master === undefined) throw new Error(`the record names port ${String(port)}`);
    return { master, replicas: this.databases.filter((one) => one !== master) };
  }

  async recoveries(): Promise<AuditedRecovery[]> {
    const { status, body } = await this.fleet.orchestrator.api(`audit-recovery/alias/${CLUSTER}`);
    if (status !== 200 || !Array.isArray(body)) throw new Error(`${String(status)} ${JSON.stringify(body)}`);
    return body as AuditedRecovery[];
  }

  /** Asks Orchestrator for something that must not fail. */
  async order(path: string): Promise<void> {
    const { status, body } = await this.fleet.orchestrator.api(path);
    if (status !== 200) throw new Error(`${path}: ${String(status)} ${JSON.stringify(body)}`);
  }

  /** Waits until the runtime of every proxy has these servers in the hostgroup in this status; the moment of the last. */
  async allProxies(
    role: "writer" | "reader",
    wanted: readonly MariaDb[],
    status = "ONLINE",
  ): Promise<number> {
    const hostgroup = this.fleet.cluster(CLUSTER)[role];
    const sql = `SELECT port FROM runtime_mysql_servers WHERE hostgroup_id=${String(hostgroup)} AND status='${status}'`;
    const ports = wanted.map(({ port }) => String(port));
    const what = `${ports.join() || "nobody"} ${status} in the ${role} hostgroup of every proxy`;
    const times = this.fleet.proxies.map(async (proxy) => {
      const seen = async (): Promise<true> => {
        const found = (await proxy.admin(sql)).map((row) => String(row["port"]));
        if (found.sort().join() === ports.sort().join()) return true;
        throw new Error(`${proxy.host}:${String(proxy.adminPort)} has ${found.join() || "nobody"}`);
      };
      await waitUntil(seen, { timeoutMs: 120_000, intervalMs: 20, what });
      return performance.now();
    });
    return Math.max(...(await Promise.all(times)));
  }

  /** Waits until Orchestrator, the record and every proxy agree on one master and two replicas. */
  async settled(): Promise<void> {
    await this.fleet.orchestrator.waitForReplication(CLUSTER);
    const { master, replicas } = await this.roles();
    await this.allProxies("writer", [master]);
    await this.allProxies("reader", replicas);
  }

  /** A dead server comes back as a replica of the master, as an operator would bring it back. */
  async repair(dead: MariaDb): Promise<void> {
    const { master } = await this.roles();
    await dead.start(true);
    await dead.replicateFrom(master);
    await this.order(`end-downtime/${dead.host}/${String(dead.port)}`);
    await this.order(`ack-recovery/cluster/alias/${CLUSTER}?comment=seen`);
    await this.settled();
  }

  async close(): Promise<void> {
    await this.agent.close();
    this.store.close();
    await this.fleet.close();
    await this.fleet.options.consul.close();
  }
}
