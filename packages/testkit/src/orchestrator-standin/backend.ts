import { ClusterAliases } from "./aliases.js";
import { analyse } from "./analysis.js";
import type { AnalysisEntry, ClusterInfo } from "./analysis-entry.js";
import type { StandInConfiguration } from "./configuration.js";
import { filtersMatchCluster } from "./filters.js";
import { compareKeys, type Instance, type InstanceKey, keyText, replicates, sameKey } from "./instance.js";
import { type Downtime, instanceView, type KnownServer, lastCheckValid } from "./instance-view.js";
import type { FoundInstance } from "./server-reader.js";

/** The reason of the downtime that a recovery gives to the failed master (3.2.6, go/inst/downtime.go). */
const LOST_IN_RECOVERY = "lost-in-recovery";
/** A constant of Orchestrator's (LostInRecoveryDowntimeSeconds), whatever the configuration says. */
const LOST_IN_RECOVERY_MS = 365 * 24 * 3600 * 1000;

/** Who answers, as hooks and the API name it. */
export interface OrchestratorIdentity {
  host: string;
  token: string;
}

/** What Orchestrator's own database holds of servers, clusters and downtimes; here in memory. */
export class Backend {
  readonly aliases = new ClusterAliases();
  /** Orchestrator's own copy of the keys that it has written (its internal KV store). */
  readonly keyValues = new Map<string, string>();
  readonly identity: OrchestratorIdentity;
  readonly #servers = new Map<string, KnownServer>();
  readonly #downtimes = new Map<string, Downtime>();
  readonly #configuration: StandInConfiguration;
  readonly #now: () => number;

  constructor(configuration: StandInConfiguration, identity: OrchestratorIdentity, now: () => number) {
    this.#configuration = configuration;
    this.identity = identity;
    this.#now = now;
  }

  /** All servers, by host and port. */
  get servers(): KnownServer[] {
    return [...this.#servers.values()].sort((a, b) => compareKeys(a.instance.Key, b.instance.Key));
  }

  server(key: InstanceKey): KnownServer | undefined {
    return this.#servers.get(keyText(key));
  }

  /** Writes down what a look has found. The cluster is that of the master as it is known now (go/inst, 3.2.6). */
  writeFound(found: FoundInstance): Instance {
    const nowMs = this.#now();
    const master = this.server(found.MasterKey)?.instance;
    const instance: Instance = {
      ...found,
      ClusterName: master?.ClusterName || keyText(found.Key),
      ReplicationDepth: master === undefined ? 0 : master.ReplicationDepth + 1,
      SuggestedClusterAlias: master?.SuggestedClusterAlias || found.SuggestedClusterAlias,
    };
    this.#servers.set(keyText(found.Key), {
      instance,
      seenAtMs: nowMs,
      checkedAtMs: nowMs,
      attemptedAtMs: nowMs,
      partialSuccess: true,
    });
    return instance;
  }

  /** False where it was not known. */
  forget(key: InstanceKey): boolean {
    return this.#servers.delete(keyText(key));
  }

  /** A look has failed. What was known of the server stays, as stale as it is. */
  writeCheckFailed(key: InstanceKey, partialSuccess: boolean): void {
    const server = this.server(key);
    if (server === undefined) return;
    // Later than the last success even within one millisecond: equal times would read as a valid check.
    server.checkedAtMs = Math.max(this.#now(), server.seenAtMs + 1);
    server.partialSuccess = partialSuccess;
  }

  /** A look has been under way for a second. */
  writeCheckAttempted(key: InstanceKey): void {
    const server = this.server(key);
    if (server !== undefined) server.attemptedAtMs = this.#now();
  }

  replicasOf(key: InstanceKey): KnownServer[] {
    return this.servers.filter(({ instance }) => sameKey(instance.MasterKey, key));
  }

  /** The cluster that a name, an alias or a `host:port` means. */
  clusterName(hint: string): string | undefined {
    if (this.servers.some(({ instance }) => instance.ClusterName === hint)) return hint;
    const byAlias = this.clusters().find(({ ClusterAlias }) => ClusterAlias === hint);
    return byAlias?.ClusterName ?? this.#servers.get(hint)?.instance.ClusterName;
  }

  /** The servers of a cluster, by host and port. */
  clusterServers(clusterName: string): KnownServer[] {
    return this.servers.filter(({ instance }) => instance.ClusterName === clusterName);
  }

  /** Roots of a cluster: a writeable one first; read-only and dead ones count as well. */
  clusterMasters(clusterName: string): KnownServer[] {
    return this.clusterServers(clusterName)
      .filter(({ instance }) => instance.ReplicationDepth === 0)
      .sort((a, b) => Number(a.instance.ReadOnly) - Number(b.instance.ReadOnly));
  }

  /** One root per cluster that was writeable when last seen, alive or not. */
  writeableMasters(): KnownServer[] {
    const roots = this.servers.filter(
      ({ instance }) => instance.ReplicationDepth === 0 && !instance.ReadOnly,
    );
    const names = [...new Set(roots.map(({ instance }) => instance.ClusterName))].sort();
    return names.flatMap((name) => roots.find(({ instance }) => instance.ClusterName === name) ?? []);
  }

  clusters(): ClusterInfo[] {
    const names = [...new Set(this.servers.map(({ instance }) => instance.ClusterName))].sort();
    return names.map((name) => this.clusterInfo(name));
  }

  clusterInfo(name: string): ClusterInfo {
    const alias = this.aliases.alias(name);
    const { RecoverMasterClusterFilters, RecoverIntermediateMasterClusterFilters } = this.#configuration;
    return {
      ClusterName: name,
      ClusterAlias: alias,
      ClusterDomain: "",
      CountInstances: this.clusterServers(name).length,
      HeuristicLag: 0,
      HasAutomatedMasterRecovery: filtersMatchCluster(RecoverMasterClusterFilters, name, alias),
      HasAutomatedIntermediateMasterRecovery: filtersMatchCluster(
        RecoverIntermediateMasterClusterFilters,
        name,
        alias,
      ),
    };
  }

  /** Analysis of one server as the recovery's tick makes it: the cluster's domain falls back to its name there. */
  analyse(server: KnownServer): AnalysisEntry {
    const configuration = this.#configuration;
    const name = server.instance.ClusterName;
    return analyse({
      server,
      servers: this.servers,
      downtimeOf: ({ Key }) => this.#downtimes.get(keyText(Key)),
      cluster: { ...this.clusterInfo(name), ClusterDomain: name, CountInstances: 0 },
      nowMs: this.#now(),
      checkLimitMs: (configuration.InstancePollSeconds + configuration.ReasonableInstanceCheckSeconds) * 1000,
      reasonableLagSeconds: configuration.ReasonableReplicationLagSeconds,
      orchestrator: this.identity,
    });
  }

  view(server: KnownServer): Record<string, unknown> {
    return instanceView(server, {
      nowMs: this.#now(),
      instancePollSeconds: this.#configuration.InstancePollSeconds,
      reasonableLagSeconds: this.#configuration.ReasonableReplicationLagSeconds,
      downtime: this.#downtimes.get(keyText(server.instance.Key)),
    });
  }

  isDowntimed(key: InstanceKey): boolean {
    return (this.#downtimes.get(keyText(key))?.endsAtMs ?? 0) > this.#now();
  }

  beginDowntime(key: InstanceKey, owner: string, reason: string, durationMs: number): void {
    const beginsAtMs = this.#now();
    this.#downtimes.set(keyText(key), { owner, reason, beginsAtMs, endsAtMs: beginsAtMs + durationMs });
  }

  endDowntime(key: InstanceKey): void {
    this.#downtimes.delete(keyText(key));
  }

  markLost(key: InstanceKey): void {
    this.beginDowntime(key, this.identity.host, LOST_IN_RECOVERY, LOST_IN_RECOVERY_MS);
  }

  updateAliases(): void {
    this.aliases.update(this.servers, ({ instance }) => this.#isLost(instance.Key));
  }

  /** Ends downtimes: those that are over, and those of lost servers that are part of a topology again. */
  expireDowntimes(): void {
    const nowMs = this.#now();
    for (const [name, downtime] of this.#downtimes) {
      const server = this.#servers.get(name);
      if (downtime.reason === LOST_IN_RECOVERY) downtime.endsAtMs = nowMs + LOST_IN_RECOVERY_MS;
      const over = downtime.endsAtMs <= nowMs;
      if (over || (server !== undefined && this.#isBack(server, downtime))) this.#downtimes.delete(name);
    }
  }

  #isLost(key: InstanceKey): boolean {
    return this.isDowntimed(key) && this.#downtimes.get(keyText(key))?.reason === LOST_IN_RECOVERY;
  }

  /** 3.2.6, go/inst/downtime_dao.go expireLostInRecoveryDowntime. */
  #isBack(server: KnownServer, downtime: Downtime): boolean {
    const graceMs = this.#configuration.StandInLostInRecoverySeconds * 1000;
    if (downtime.reason !== LOST_IN_RECOVERY || this.#now() - downtime.beginsAtMs < graceMs) return false;
    if (!lastCheckValid(server)) return false;
    if (replicates(server.instance)) return true;
    const alias = server.instance.SuggestedClusterAlias;
    const claims = this.servers.filter(
      ({ instance }) => instance.ReplicationDepth === 0 && instance.SuggestedClusterAlias === alias,
    );
    return alias !== "" && claims.length === 1 && claims[0] === server;
  }
}
