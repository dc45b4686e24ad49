/** Orchestrator's hook lists (3.2.6, docs/configuration-recovery.md), without their suffix `Processes`. */
export const HOOKS = [
  "OnFailureDetection",
  "PreGracefulTakeover",
  "PreFailover",
  "PostMasterFailover",
  "PostIntermediateMasterFailover",
  "PostFailover",
  "PostUnsuccessfulFailover",
  "PostGracefulTakeover",
  "PostTakeMaster",
] as const;

export type Hook = (typeof HOOKS)[number];

/** The hook called `text`: with or without `Processes`, in any case. Undefined for anything else. */
export function parseHook(text: string): Hook | undefined {
  const wanted = text.toLowerCase().replace(/processes$/, "");
  return HOOKS.find((hook) => hook.toLowerCase() === wanted);
}

/**
 * Does a non-zero exit stop the recovery? Only a Pre hook's does, and it blocks the next automated recovery of the
 * cluster as well (RecoveryPeriodBlockSeconds, an hour by default).
 */
export function stopsRecovery(hook: Hook): boolean {
  return hook === "PreFailover" || hook === "PreGracefulTakeover";
}
