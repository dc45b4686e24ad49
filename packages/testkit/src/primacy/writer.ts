import { type RunningProcess, startProcess } from "../process.js";
import { programs } from "./programs.js";

/** How a run of the writer ended. */
export interface WriterRun {
  code: number | null;
  stdout: string;
  stderr: string;
  /** Wall time of the process, milliseconds. */
  tookMs: number;
}

/** Runs the writer as it is shipped, once, with exactly this environment (and PATH). */
export async function runWriter(args: readonly string[], env: NodeJS.ProcessEnv): Promise<WriterRun> {
  const started = performance.now();
  const running: RunningProcess = await startProcess({
    name: `primacy-writer ${args.join(" ")}`,
    command: process.execPath,
    args: [programs.writer, ...args],
    env: { PATH: process.env["PATH"], ...env },
  });
  const { code } = await running.exited;
  return { code, stdout: running.stdout, stderr: running.stderr, tookMs: performance.now() - started };
}

/** What a takeover's hook is told, as far as the writer looks at it. */
export interface HookFacts {
  cluster: string;
  failed: { host: string; port: number };
  successor?: { host: string; port: number };
  /** Orchestrator's `<unix nanoseconds>:<hash>` (default: one that begins now). */
  recoveryUid?: string;
  /** Such as `graceful-master-takeover` (default: none, a real failure). */
  command?: string;
}

/** A recovery UID that begins at `atMs` (unix milliseconds). */
export function recoveryUid(atMs: number): string {
  return `${BigInt(Math.round(atMs)) * 1_000_000n}:${"0".repeat(64)}`;
}

/** The environment of a hook as Orchestrator 3.2.6 gives it (see the recordings in test/fixtures). */
export function hookEnvironment(facts: HookFacts): Record<string, string> {
  const { cluster, failed, successor } = facts;
  return {
    ORC_FAILURE_TYPE: "DeadMaster",
    ORC_INSTANCE_TYPE: "master",
    ORC_IS_MASTER: "true",
    ORC_IS_CO_MASTER: "false",
    ORC_FAILURE_CLUSTER: `${failed.host}:${failed.port}`,
    ORC_FAILURE_CLUSTER_ALIAS: cluster,
    ORC_FAILED_HOST: failed.host,
    ORC_FAILED_PORT: String(failed.port),
    ORC_COMMAND: facts.command ?? "",
    ORC_ORCHESTRATOR_HOST: "orchestrator-1",
    ORC_RECOVERY_UID: facts.recoveryUid ?? recoveryUid(Date.now()),
    ORC_IS_SUCCESSFUL: String(successor !== undefined),
    ...(successor === undefined
      ? {}
      : { ORC_SUCCESSOR_HOST: successor.host, ORC_SUCCESSOR_PORT: String(successor.port) }),
  };
}
