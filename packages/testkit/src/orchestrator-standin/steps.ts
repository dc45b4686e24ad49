import type { HookList } from "./hook-lists.js";

/**
 * What Orchestrator 3.2.6 does when a master is to be replaced, in its order (go/logic/topology_recovery.go:
 * executeCheckAndRecoverFunction, checkAndRecoverDeadMaster, recoverDeadMaster). The same for a dead master, a forced
 * failover and the second half of a graceful takeover.
 */
export const RECOVERY_STEPS = [
  /** Once per failure of a server; a hook that fails ends this attempt, and the next attempt goes on without them. */
  "run-detection-hooks",
  /** Automatic recoveries can be switched off, and are blocked for a while after another one. */
  "register-recovery",
  /** A hook that fails ends the recovery, and blocks the next automatic one. */
  "run-pre-failover-hooks",
  /** Stops the replicas, picks one, and begins to move the others below it. */
  "regroup-replicas",
  "downtime-failed-master",
  /** From here on the recovery has its successor, whatever becomes of it. */
  "resolve-recovery",
  "reset-replication",
  /** The result is written down and not looked at. */
  "set-successor-writeable",
  /** In the background: not ordered against anything that follows, and without success on a dead host. */
  "set-failed-master-read-only",
  "write-kv",
  "move-alias",
  "run-post-master-failover-hooks",
  /** Without a successor: PostUnsuccessfulFailoverProcesses. */
  "run-final-hooks",
  "wait-for-replicas",
] as const;
export type RecoveryStep = (typeof RECOVERY_STEPS)[number];

/** A graceful takeover (GracefulMasterTakeover), around the recovery above. */
export const GRACEFUL_TAKEOVER_STEPS = [
  "find-designated-replica",
  "relocate-siblings",
  "run-pre-graceful-takeover-hooks",
  "set-master-read-only",
  "wait-for-catch-up",
  "recover",
  "change-demoted-master",
  "run-post-graceful-takeover-hooks",
] as const;
export type GracefulTakeoverStep = (typeof GRACEFUL_TAKEOVER_STEPS)[number];

const HOOKS_OF_STEP: Partial<Record<RecoveryStep | GracefulTakeoverStep, HookList>> = {
  "run-pre-graceful-takeover-hooks": "PreGracefulTakeoverProcesses",
  "run-detection-hooks": "OnFailureDetectionProcesses",
  "run-pre-failover-hooks": "PreFailoverProcesses",
  "run-post-master-failover-hooks": "PostMasterFailoverProcesses",
  "run-final-hooks": "PostFailoverProcesses",
  "run-post-graceful-takeover-hooks": "PostGracefulTakeoverProcesses",
};

/** The hook lists of a takeover or failover that succeeds, in the order in which they run. */
export function hookOrder(kind: "graceful-master-takeover" | "dead-master"): HookList[] {
  const steps: readonly (RecoveryStep | GracefulTakeoverStep)[] =
    kind === "dead-master"
      ? RECOVERY_STEPS
      : GRACEFUL_TAKEOVER_STEPS.flatMap((step) => (step === "recover" ? [...RECOVERY_STEPS] : [step]));
  return steps.flatMap((step) => HOOKS_OF_STEP[step] ?? []);
}
