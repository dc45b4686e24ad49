import { pause, waitUntil } from "../wait-until.js";
import type { Backend } from "./backend.js";
import type { StandInConfiguration } from "./configuration.js";
import {
  compareCoordinates,
  type Coordinates,
  type Instance,
  type InstanceKey,
  isReplica,
  keyText,
  threadsExist,
  threadsStopped,
} from "./instance.js";
import { readInstance, withSession } from "./server-reader.js";

/** Orchestrator's pause between two looks while it waits for a server (retryInterval). Milliseconds. */
const RETRY_MS = 500;

/**
 * What Orchestrator does to database servers, statement by statement (3.2.6, go/inst/instance_topology_dao.go, on MariaDB
 * with GTID). Each verb looks at the server again afterwards and writes down what it finds.
 */
export class Topology {
  readonly #backend: Backend;
  readonly #configuration: StandInConfiguration;

  constructor(backend: Backend, configuration: StandInConfiguration) {
    this.#backend = backend;
    this.#configuration = configuration;
  }

  /** Looks at a server. @throws when it does not answer; that is written down too. */
  async read(key: InstanceKey): Promise<Instance> {
    const slow = setTimeout(() => this.#backend.writeCheckAttempted(key), 1000);
    let partial = false;
    try {
      const readTimeoutMs = this.#configuration.MySQLDiscoveryReadTimeoutSeconds * 1000;
      const found = await withSession(key, { ...this.#login(), readTimeoutMs }, async (query) => {
        const first = await query("SELECT 1");
        partial = first.length > 0;
        return readInstance(key, query, this.#configuration.DetectClusterAliasQuery);
      });
      return this.#backend.writeFound(found);
    } catch (error) {
      this.#backend.writeCheckFailed(key, partial);
      throw error;
    } finally {
      clearTimeout(slow);
    }
  }

  async stopReplication(key: InstanceKey): Promise<Instance> {
    if (!isReplica(await this.read(key))) throw new Error(`instance is not a replica: ${keyText(key)}`);
    await this.#execute(key, "STOP SLAVE");
    return this.read(key);
  }

  async startReplication(key: InstanceKey): Promise<Instance> {
    if (!isReplica(await this.read(key))) throw new Error(`instance is not a replica: ${keyText(key)}`);
    await this.#execute(key, "START SLAVE");
    // Whether both threads run by then or not: Orchestrator waits for a second at most.
    const running = async () => {
      const { ReplicationIOThreadState, ReplicationSQLThreadState } = await this.read(key);
      return ReplicationIOThreadState === 1 && ReplicationSQLThreadState === 1;
    };
    await waitUntil(running, { timeoutMs: 1000, what: `replication of ${keyText(key)}` }).catch(
      () => undefined,
    );
    return this.read(key);
  }

  /**
   * CHANGE MASTER TO. A replica by GTID stays one; a former master counts what it wrote itself as its position
   * (current_pos, openark/orchestrator#1146).
   */
  async changeMaster(key: InstanceKey, master: InstanceKey): Promise<Instance> {
    const instance = await this.read(key);
    if (threadsExist(instance) && !threadsStopped(instance)) {
      throw new Error(
        `ChangeMasterTo: Cannot change master on: ${keyText(key)} because replication threads are not stopped`,
      );
    }
    const address = `MASTER_HOST=${literal(master.Hostname)}, MASTER_PORT=${master.Port}`;
    const position = threadsExist(instance) ? "slave_pos" : "current_pos";
    const gtid = instance.UsingMariaDBGTID ? "" : `, MASTER_USE_GTID=${position}`;
    await this.#execute(key, `CHANGE MASTER TO ${address}${gtid}`);
    return this.read(key);
  }

  /** A former master has no replication login. MariaDB gives nobody else's away: ReplicationCredentialsQuery has to. */
  async copyCredentials(from: InstanceKey, to: InstanceKey): Promise<void> {
    const query = this.#configuration.ReplicationCredentialsQuery;
    const [row = {}] = query === "" ? [] : await this.#execute(from, query);
    const [user, password] = Object.values(row).map(String);
    if (user === undefined || user === "") throw new Error("Empty username found in mysql.slave_master_info");
    const login = `MASTER_USER=${literal(user)}${password === undefined ? "" : `, MASTER_PASSWORD=${literal(password)}`}`;
    await this.#execute(to, `CHANGE MASTER TO ${login}`);
    await this.read(to);
  }

  /** Moves a replica below another server by GTID, and starts it again whether that worked or not. */
  async moveBelow(key: InstanceKey, other: InstanceKey): Promise<void> {
    try {
      await this.stopReplication(key);
      await this.changeMaster(key, other);
    } finally {
      await this.startReplication(key).catch(() => undefined);
    }
  }

  /** STOP SLAVE, then RESET SLAVE ALL: the server is nobody's replica. */
  async resetReplication(key: InstanceKey): Promise<void> {
    if (isReplica(await this.read(key))) await this.stopReplication(key);
    await this.#execute(key, "CHANGE MASTER TO MASTER_HOST='_'");
    await this.#execute(key, "RESET SLAVE ALL");
    await this.read(key);
  }

  async setReadOnly(key: InstanceKey, readOnly: boolean): Promise<Instance> {
    await this.read(key);
    await this.#execute(key, `SET GLOBAL read_only = ${readOnly ? 1 : 0}`);
    return this.read(key);
  }

  /** Waits until the replica has applied its master's log up to `target`. @throws when the limit is over. */
  async waitForApplied(key: InstanceKey, target: Coordinates, limitMs: number): Promise<Instance> {
    const startedAt = performance.now();
    for (;;) {
      if (performance.now() - startedAt > limitMs) {
        throw new Error(
          `WaitForExecBinlogCoordinatesToReach: reached maxWait ${limitMs / 1000}s on ${keyText(key)}`,
        );
      }
      const instance = await this.read(key);
      if (compareCoordinates(instance.ExecBinlogCoordinates, target) >= 0) return instance;
      await pause(RETRY_MS);
    }
  }

  #execute(key: InstanceKey, sql: string): Promise<Record<string, unknown>[]> {
    const readTimeoutMs = this.#configuration.MySQLTopologyReadTimeoutSeconds * 1000;
    return withSession(key, { ...this.#login(), readTimeoutMs }, (query) => query(sql));
  }

  #login(): { user: string; password: string; connectTimeoutMs: number } {
    const { MySQLTopologyUser, MySQLTopologyPassword, MySQLConnectTimeoutSeconds } = this.#configuration;
    return {
      user: MySQLTopologyUser,
      password: MySQLTopologyPassword,
      connectTimeoutMs: MySQLConnectTimeoutSeconds * 1000,
    };
  }
}

function literal(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "''")}'`;
}
