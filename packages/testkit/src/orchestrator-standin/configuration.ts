import { HOOK_LISTS, type Hooks } from "./hook-lists.js";
import { RECOVERY_STEPS, type RecoveryStep } from "./steps.js";

/** The keys of `orchestrator.conf.json` that the stand-in knows, with Orchestrator 3.2.6's own defaults. */
export interface StandInConfiguration {
  ListenAddress: string;
  HTTPAuthUser: string;
  HTTPAuthPassword: string;
  /** `""` or `"basic"`. */
  AuthenticationMethod: string;
  MySQLTopologyUser: string;
  MySQLTopologyPassword: string;
  MySQLConnectTimeoutSeconds: number;
  MySQLDiscoveryReadTimeoutSeconds: number;
  MySQLTopologyReadTimeoutSeconds: number;
  DiscoverySeeds: string[];
  InstancePollSeconds: number;
  ReasonableInstanceCheckSeconds: number;
  ReasonableReplicationLagSeconds: number;
  ReasonableMaintenanceReplicationLagSeconds: number;
  DetectClusterAliasQuery: string;
  ReplicationCredentialsQuery: string;
  PromotionIgnoreHostnameFilters: string[];
  RecoverMasterClusterFilters: string[];
  RecoverIntermediateMasterClusterFilters: string[];
  RecoveryPeriodBlockSeconds: number;
  FailureDetectionPeriodBlockMinutes: number;
  ApplyMySQLPromotionAfterMasterFailover: boolean;
  ProcessesShellCommand: string;
  ConsulAddress: string;
  ConsulScheme: string;
  ConsulAclToken: string;
  KVClusterMasterPrefix: string;
  hooks: Required<Hooks>;
  /** The stand-in's own: how often it looks for something to recover (a constant of 1 s in Orchestrator). */
  StandInRecoveryPollMilliseconds: number;
  /** The stand-in's own: how long a lost server stays in downtime at least (a constant of 60 s in Orchestrator). */
  StandInLostInRecoverySeconds: number;
  /** The stand-in's own: it dies after this step of its first recovery, as a killed leader does. Empty: never. */
  StandInDieAfterStep: RecoveryStep | "";
}

const DEFAULTS: Omit<StandInConfiguration, "hooks"> = {
  ListenAddress: ":3000",
  HTTPAuthUser: "",
  HTTPAuthPassword: "",
  AuthenticationMethod: "",
  MySQLTopologyUser: "",
  MySQLTopologyPassword: "",
  MySQLConnectTimeoutSeconds: 2,
  MySQLDiscoveryReadTimeoutSeconds: 10,
  MySQLTopologyReadTimeoutSeconds: 600,
  DiscoverySeeds: [],
  InstancePollSeconds: 5,
  ReasonableInstanceCheckSeconds: 1,
  ReasonableReplicationLagSeconds: 10,
  ReasonableMaintenanceReplicationLagSeconds: 20,
  DetectClusterAliasQuery: "",
  ReplicationCredentialsQuery: "",
  PromotionIgnoreHostnameFilters: [],
  RecoverMasterClusterFilters: [],
  RecoverIntermediateMasterClusterFilters: [],
  RecoveryPeriodBlockSeconds: 3600,
  FailureDetectionPeriodBlockMinutes: 60,
  ApplyMySQLPromotionAfterMasterFailover: true,
  ProcessesShellCommand: "bash",
  ConsulAddress: "",
  ConsulScheme: "http",
  ConsulAclToken: "",
  KVClusterMasterPrefix: "mysql/master",
  StandInRecoveryPollMilliseconds: 1000,
  StandInLostInRecoverySeconds: 60,
  StandInDieAfterStep: "",
};

/**
 * Reads the JSON of an `orchestrator.conf.json`. Keys that the stand-in does not know are ignored, as Orchestrator
 * ignores those that it does not know.
 *
 * @throws when a known key has a value of another type, or the step to die after is none.
 */
export function readStandInConfiguration(json: Record<string, unknown>): StandInConfiguration {
  const known = Object.entries(DEFAULTS).map(([key, usual]) => {
    const given = json[key];
    if (given === undefined) return [key, usual];
    if (!sameType(given, usual)) throw new Error(`${key} must be like ${JSON.stringify(usual)}`);
    return [key, given];
  });
  const configuration = Object.fromEntries(known) as Omit<StandInConfiguration, "hooks">;
  const step = configuration.StandInDieAfterStep;
  if (step !== "" && !RECOVERY_STEPS.includes(step))
    throw new Error(`StandInDieAfterStep: no step "${step}"`);
  return { ...configuration, hooks: readHooks(json) };
}

function readHooks(json: Record<string, unknown>): Required<Hooks> {
  const lists = HOOK_LISTS.map((list) => {
    const given = json[list] ?? [];
    if (!sameType(given, [])) throw new Error(`${list} must be a list of commands`);
    return [list, given];
  });
  return Object.fromEntries(lists) as Required<Hooks>;
}

function sameType(given: unknown, usual: unknown): boolean {
  if (Array.isArray(usual)) return Array.isArray(given) && given.every((one) => typeof one === "string");
  return typeof given === typeof usual;
}
