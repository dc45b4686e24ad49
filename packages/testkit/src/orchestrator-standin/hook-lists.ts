/** Orchestrator's hook lists that a master's takeover or failover can reach (Orchestrator 3.2.6, go/config/config.go). */
export const HOOK_LISTS = [
  "OnFailureDetectionProcesses",
  "PreGracefulTakeoverProcesses",
  "PreFailoverProcesses",
  "PostMasterFailoverProcesses",
  "PostFailoverProcesses",
  "PostUnsuccessfulFailoverProcesses",
  "PostGracefulTakeoverProcesses",
] as const;
export type HookList = (typeof HOOK_LISTS)[number];

/** Shell commands of each list, run one after another. */
export type Hooks = Partial<Record<HookList, readonly string[]>>;
