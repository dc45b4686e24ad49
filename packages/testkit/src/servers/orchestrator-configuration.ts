import { HOOK_LISTS, type Hooks } from "../orchestrator-standin/hook-lists.js";
import { accounts } from "./mariadb-accounts.js";

/** A database server as Orchestrator is to know it. */
export interface TopologyServer {
  host: string;
  port: number;
}

/** The servers that share one cluster alias. */
export interface TopologyCluster {
  alias: string;
  servers: readonly TopologyServer[];
}

/** What an `orchestrator.conf.json` of the tests is made from. */
export interface OrchestratorConfigurationInput {
  listenAddress: string;
  clusters: readonly TopologyCluster[];
  hooks: Hooks;
  /** `host:port` of a Consul agent for Orchestrator's own keys; none are written without it. */
  consulAddress: string | undefined;
  /** Where the real Orchestrator keeps its SQLite backend. */
  dataFile: string;
  /** Any further key of `orchestrator.conf.json`, and stronger than what stands here. */
  overrides: Record<string, unknown>;
}

/**
 * An `orchestrator.conf.json`, read alike by Orchestrator 3.2.6 and by its stand-in.
 *
 * Servers are told apart by port on one address, so names are taken as they are: `SHOW SLAVE HOSTS` gives each replica's
 * own report_host and report_port, and no host name is resolved.
 */
export function orchestratorConfiguration(input: OrchestratorConfigurationInput): Record<string, unknown> {
  const { user, password } = accounts.orchestrator;
  return {
    ListenAddress: input.listenAddress,
    BackendDB: "sqlite",
    SQLite3DataFile: input.dataFile,
    MySQLTopologyUser: user,
    MySQLTopologyPassword: password,
    MySQLConnectTimeoutSeconds: 1,
    MySQLDiscoveryReadTimeoutSeconds: 3,
    DiscoverySeeds: input.clusters.flatMap(({ servers }) => servers.map(address)),
    DiscoverByShowSlaveHosts: true,
    HostnameResolveMethod: "none",
    MySQLHostnameResolveMethod: "",
    InstancePollSeconds: 1,
    RecoveryPeriodBlockSeconds: 6,
    RecoverMasterClusterFilters: ["*"],
    RecoverIntermediateMasterClusterFilters: ["*"],
    DetectClusterAliasQuery: aliasQuery(input.clusters),
    // MariaDB has no mysql.slave_master_info, where Orchestrator would look otherwise.
    ReplicationCredentialsQuery: `SELECT '${accounts.repl.user}', '${accounts.repl.password}'`,
    ApplyMySQLPromotionAfterMasterFailover: true,
    KVClusterMasterPrefix: "mysql/master",
    ...(input.consulAddress === undefined ? {} : { ConsulAddress: input.consulAddress }),
    ...Object.fromEntries(HOOK_LISTS.map((list) => [list, input.hooks[list] ?? []])),
    ...input.overrides,
  };
}

/** A query that answers, on each server, the alias of its cluster. */
function aliasQuery(clusters: readonly TopologyCluster[]): string {
  const cases = clusters.map(({ alias, servers }) => {
    const ports = servers.map(({ port }) => port).join(", ");
    return `WHEN @@global.port IN (${ports}) THEN '${alias}'`;
  });
  return `SELECT CASE ${cases.join(" ")} ELSE '' END`;
}

function address(server: TopologyServer): string {
  return `${server.host}:${server.port}`;
}
