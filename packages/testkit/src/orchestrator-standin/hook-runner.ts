import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { killWithThisProcess } from "../kill-at-exit.js";
import { type HookSituation, hookEnvironment, prepareCommand } from "./hook-environment.js";

/** Output of a hook that is kept; Orchestrator itself keeps all of it. */
const KEPT_CHARACTERS = 64 * 1024;

/** How a list of hooks is run. */
export interface HookRun {
  /** ProcessesShellCommand. */
  shell: string;
  /** As the list is called in messages. */
  description: string;
  commands: readonly string[];
  situation: HookSituation;
  /** The first hook that fails ends the run; otherwise the others still run. */
  failOnError: boolean;
  /** One step of the recovery's audit. */
  audit: (message: string) => void;
}

/**
 * Runs the hooks of one list as Orchestrator 3.2.6 does (go/logic/topology_recovery.go executeProcesses,
 * go/os/process.go): one after another, each as `bash <temporary file>` with the ORC_* variables added to Orchestrator's own
 * environment, without any time limit. A command with a trailing "&" is started and not waited for.
 *
 * @returns the first failure as Orchestrator words it, or undefined
 */
export async function runHooks(run: HookRun): Promise<string | undefined> {
  const { commands, description, situation, audit } = run;
  if (commands.length === 0) {
    audit(`No ${description} hooks to run`);
    return undefined;
  }
  audit(`Running ${commands.length} ${description} hooks`);
  let first: string | undefined;
  for (const [index, command] of commands.entries()) {
    const { text, async } = prepareCommand(command, situation);
    const name = `${description} hook ${index + 1} of ${commands.length}${async ? " (async)" : ""}`;
    const running = runHook(run, text, name);
    if (async) continue;
    const problem = await running;
    if (problem !== undefined && run.failOnError) {
      audit(`Not running further ${description} hooks`);
      return problem;
    }
    first ??= problem;
  }
  audit(`done running ${description} hooks`);
  return first;
}

async function runHook(run: HookRun, text: string, name: string): Promise<string | undefined> {
  run.audit(`Running ${name}: ${text}`);
  const started = performance.now();
  const problem = await runCommand(run.shell, text, hookEnvironment(run.situation));
  const took = `${Math.round(performance.now() - started)}ms`;
  run.audit(
    problem === undefined
      ? `Completed ${name} in ${took}`
      : `Execution of ${name} failed in ${took} with error: ${problem}`,
  );
  return problem;
}

async function runCommand(
  shell: string,
  text: string,
  variables: Record<string, string>,
): Promise<string | undefined> {
  const file = join(tmpdir(), `orchestrator-process-cmd-${randomUUID()}`);
  try {
    await writeFile(file, text, { mode: 0o640, flag: "wx" });
    return await waitForShell(shell, file, { ...process.env, ...variables });
  } catch (error) {
    return String(error);
  } finally {
    await rm(file, { force: true });
  }
}

/** Ends when the output is closed: a child left in the background keeps Orchestrator waiting too (CombinedOutput). */
function waitForShell(shell: string, file: string, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  return new Promise((resolve) => {
    const child = spawn(shell, [file], { env, stdio: ["ignore", "pipe", "pipe"] });
    const forget = killWithThisProcess(child);
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (more: string) => {
        if (output.length < KEPT_CHARACTERS) output += more;
      });
    }
    child.once("error", (error) => {
      forget();
      resolve(`(${error.message}) `);
    });
    child.once("close", (code, signal) => {
      forget();
      if (code === 0) resolve(undefined);
      else resolve(`(${signal === null ? `exit status ${code}` : `signal: ${signal}`}) ${output}`);
    });
  });
}
