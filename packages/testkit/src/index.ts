// Waiting, ports and processes.
export { freePort, freePorts, startOnFreePorts } from "./ports.js";
export {
  describeExit,
  type ProcessExit,
  type ProcessOptions,
  RunningProcess,
  startProcess,
} from "./process.js";
export { primacyFolder } from "./primacy-folder.js";
export { removeFolder } from "./remove-folder.js";
export { noteForTheEnd } from "./run-notes.js";
export { pause, type WaitOptions, WaitTimeoutError, waitUntil } from "./wait-until.js";

// Real servers.
export { Consul, type ConsulOptions, startConsul } from "./servers/consul.js";
export { ConsulServer } from "./servers/consul-server.js";
export {
  type FoundServer,
  findServer,
  isRequired,
  requireServer,
  type ServerName,
  serverForTests,
} from "./servers/found.js";
export { documentedSql } from "./servers/documented-sql.js";
export { type Account, accounts } from "./servers/mariadb-accounts.js";
export { type DatabaseOptions, DatabaseServer, type Row } from "./servers/database-server.js";
export { MariaDb, type MariaDbOptions, SEMI_SYNCHRONOUS, startMariaDb } from "./servers/mariadb.js";
export { MySql, startMySql } from "./servers/mysql.js";

// Stand-ins.
export {
  type ConsulStandIn,
  type ConsulStandInOptions,
  startConsulStandIn,
} from "./consul-standin/server.js";

// Orchestrator: the real one, or its stand-in.
export { createHookRecorder, type HookCall, HookRecorder } from "./servers/hook-recorder.js";
export {
  type ApiAnswer,
  Orchestrator,
  type OrchestratorOptions,
  startOrchestrator,
} from "./servers/orchestrator.js";
export type { TopologyCluster, TopologyServer } from "./servers/orchestrator-configuration.js";
export { HOOK_LISTS, type HookList, type Hooks } from "./orchestrator-standin/hook-lists.js";

// ProxySQL: the stand-in and the real one are started alike.
export {
  type AdminRow,
  ProxySql,
  proxySqlAccounts,
  type ProxySqlOptions,
  startProxySql,
} from "./servers/proxysql.js";
export { type Configuration, type ConfigurationRow } from "./proxysql-standin/configuration.js";

// Primacy's own programs, as they are shipped.
export { type AdminCut, type Cut, startAdminCut } from "./admin-cut.js";
export { type AgentOptions, AgentProcess, startAgent } from "./primacy/agent.js";
export { programs } from "./primacy/programs.js";
export { type GuardForm, guardForm, guardVariables } from "./primacy/guard.js";
export { type ClusterReadiness, type Readiness, startWatcher, WatcherProcess } from "./primacy/watcher.js";
export { hookEnvironment, type HookFacts, recoveryUid, runWriter, type WriterRun } from "./primacy/writer.js";

// A whole fleet: databases, ProxySQLs, Orchestrator, and who routes.
export { Fleet, type FleetConsul, type FleetOptions, type RunningCluster } from "./fleet/fleet.js";
export type { FleetCluster, Routing } from "./fleet/plan.js";
export { type HookLog, Takeovers } from "./fleet/takeovers.js";

// Networks of their own, and takeovers while something is broken.
export { namespacesForTests } from "./network/namespace.js";
export * from "./partitions/faults.js";
export { figuresOfStory, figuresText } from "./partitions/figures.js";
export { type Story, type StoryOutcome, tell } from "./partitions/story.js";
export { LEASE_SECONDS, TwoSites } from "./partitions/two-sites.js";

// A load of unique ids, and the oracle that says where they are.
export type { Failure, LoadReport, LoadSnapshot, ReadRecord, WriteRecord } from "./load/journal.js";
export { type Load, startLoad } from "./load/load.js";
export type { ClientKind, LoadOptions, LoadTarget } from "./load/options.js";
export { judge, type OracleInput } from "./load/oracle.js";
export { createLoadTable } from "./load/table.js";
export { countReadsAfter, type OracleVerdict, type Stray } from "./load/verdict.js";
