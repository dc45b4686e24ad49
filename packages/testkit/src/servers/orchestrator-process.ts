import { appendFileSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { readStandInConfiguration } from "../orchestrator-standin/configuration.js";
import { OrchestratorStandIn } from "../orchestrator-standin/standin.js";
import { startProcess } from "../process.js";
import { dieWithParent } from "./die-with-parent.js";
import { requireServer } from "./found.js";

/** What runs an Orchestrator. */
export interface OrchestratorRunner {
  stop(): Promise<void>;
  /** Ends it at once: no hook that has not begun will ever run. */
  kill9(): Promise<void>;
}

/** What a runner needs. The log gets all that Orchestrator prints. */
export interface RunnerInput {
  configurationFile: string;
  logFile: string;
  env: NodeJS.ProcessEnv;
  ready: () => Promise<unknown>;
}

/** The program that PRIMACY_ORCHESTRATOR_BIN names. */
export async function runRealOrchestrator(input: RunnerInput): Promise<OrchestratorRunner> {
  const { path } = requireServer("orchestrator");
  const child = await startProcess({
    name: "orchestrator",
    ...dieWithParent(path, [`--config=${input.configurationFile}`, "http"]),
    // Orchestrator reads its templates relative to the working folder (3.2.6, go/app/http.go).
    cwd: dirname(path),
    env: input.env,
    logFile: input.logFile,
    ready: input.ready,
  });
  return { stop: async () => void (await child.stop()), kill9: async () => void (await child.kill9()) };
}

/** The stand-in as a process of its own, from the bundle that `npm run build` makes. */
export async function runStandInProcess(
  input: RunnerInput & { bundle: string },
): Promise<OrchestratorRunner> {
  const child = await startProcess({
    name: "orchestrator stand-in",
    ...dieWithParent(process.execPath, [input.bundle, input.configurationFile]),
    env: input.env,
    logFile: input.logFile,
    ready: input.ready,
  });
  return { stop: async () => void (await child.stop()), kill9: async () => void (await child.kill9()) };
}

/** The stand-in inside this process. Its hooks get this process's environment. */
export async function runStandInHere(input: RunnerInput): Promise<OrchestratorRunner> {
  const json = JSON.parse(await readFile(input.configurationFile, "utf8")) as Record<string, unknown>;
  await mkdir(dirname(input.logFile), { recursive: true });
  await writeFile(input.logFile, "", { flag: "a" });
  // A failover that is under way when it is stopped goes on; its log's folder may be gone by then.
  let running = true;
  const standIn = new OrchestratorStandIn(readStandInConfiguration(json), {
    log: (line) => {
      if (running) appendFileSync(input.logFile, `${line}\n`);
    },
    die: () => undefined,
  });
  await standIn.start();
  const stop = async (): Promise<void> => {
    running = false;
    await standIn.stop();
  };
  return { stop, kill9: stop };
}
