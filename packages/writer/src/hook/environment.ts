/**
 * What Orchestrator tells a hook, by environment variable or by placeholder (3.2.6, go/logic/topology_recovery.go
 * prepareCommand and applyEnvironmentVariables). Only what a decision needs.
 *
 * The environment is the safe channel: placeholders are pasted into a shell line without quoting, and without a
 * successor `{successorHost}` stays there literally (openark/orchestrator#896).
 */
export const HOOK_FIELDS = {
  failureType: { variable: "ORC_FAILURE_TYPE", flag: "failure-type", placeholder: "{failureType}" },
  command: { variable: "ORC_COMMAND", flag: "command", placeholder: "{command}" },
  failedHost: { variable: "ORC_FAILED_HOST", flag: "failed-host", placeholder: "{failedHost}" },
  failedPort: { variable: "ORC_FAILED_PORT", flag: "failed-port", placeholder: "{failedPort}" },
  successorHost: { variable: "ORC_SUCCESSOR_HOST", flag: "successor-host", placeholder: "{successorHost}" },
  successorPort: { variable: "ORC_SUCCESSOR_PORT", flag: "successor-port", placeholder: "{successorPort}" },
  clusterAlias: {
    variable: "ORC_FAILURE_CLUSTER_ALIAS",
    flag: "cluster-alias",
    placeholder: "{failureClusterAlias}",
  },
  recoveryUid: { variable: "ORC_RECOVERY_UID", flag: "recovery-uid", placeholder: "{recoveryUID}" },
  isSuccessful: { variable: "ORC_IS_SUCCESSFUL", flag: "is-successful", placeholder: "{isSuccessful}" },
} as const;

export type HookField = keyof typeof HOOK_FIELDS;

/** Every field as text; `""` where it is absent. Nothing is checked yet: which fields matter depends on the hook. */
export type HookEnvironment = Readonly<Record<HookField, string>>;

export type Variables = Readonly<Record<string, string | undefined>>;

/** A flag goes over the environment; a placeholder that Orchestrator left standing is no value. */
export function readHookEnvironment(environment: Variables, flags: Variables): HookEnvironment {
  const names = Object.keys(HOOK_FIELDS) as HookField[];
  return Object.fromEntries(
    names.map((name) => {
      const { flag, variable } = HOOK_FIELDS[name];
      return [name, given(flags[flag]) ?? given(environment[variable]) ?? ""];
    }),
  ) as Record<HookField, string>;
}

/** How a field is called where it is missing or wrong. */
export function fieldName(field: HookField): string {
  return `${HOOK_FIELDS[field].variable} (or --${HOOK_FIELDS[field].flag})`;
}

/**
 * PostTakeMasterProcesses get two variables only, each a whole `host:port` (go/inst/instance_topology.go,
 * 3.2.6): the swap of a promoted replica, often a mere step of a recovery that runs its own hooks.
 */
export function isTakeMasterEnvironment(environment: HookEnvironment): boolean {
  const { failureType, failedHost, failedPort } = environment;
  return failureType === "" && failedPort === "" && /^(?:\[[^\]]+\]|[^:]+):\d+$/.test(failedHost);
}

function given(value: string | undefined): string | undefined {
  if (value === undefined || /^\{[A-Za-z]+\}$/.test(value)) return undefined;
  return value;
}
