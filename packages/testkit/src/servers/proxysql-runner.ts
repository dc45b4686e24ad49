import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { packageRoot } from "../package-root.js";
import { type ProcessExit, startProcess } from "../process.js";
import type { Configuration } from "../proxysql-standin/configuration.js";
import { ProxySqlStandIn } from "../proxysql-standin/standin.js";
import { dieWithParent } from "./die-with-parent.js";
import { requireServer } from "./found.js";
import { configurationFile } from "./proxysql-configuration.js";

/** What runs a ProxySQL. */
export interface ProxySqlRunner {
  /** Settles when it has ended, by whatever cause. */
  readonly exited: Promise<ProcessExit>;
  stop(): Promise<unknown>;
  kill9(): Promise<unknown>;
  /** It hangs with its sockets open. */
  suspend(): void;
  resume(): void;
}

/** What a runner needs. The configuration counts for the first start on a data folder. */
export interface ProxySqlRunnerInput {
  dataDir: string;
  configuration: Configuration;
  logFile: string;
  ready: () => Promise<unknown>;
}

/** The program that PRIMACY_PROXYSQL_BIN names. */
export async function runRealProxySql(input: ProxySqlRunnerInput): Promise<ProxySqlRunner> {
  const { path } = requireServer("proxysql");
  const file = join(input.dataDir, "proxysql.cnf");
  await mkdir(input.dataDir, { recursive: true });
  await writeFile(file, configurationFile(input.configuration, input.dataDir), { mode: 0o600 });
  return startProcess({
    name: "proxysql",
    // -f: without the angel process that would start it again after a crash.
    ...dieWithParent(path, ["-f", "-c", file, "-D", input.dataDir, "--no-version-check"]),
    logFile: input.logFile,
    ready: input.ready,
  });
}

/** The stand-in as a process of its own. */
export async function runStandInProcess(input: ProxySqlRunnerInput): Promise<ProxySqlRunner> {
  const file = join(input.dataDir, "configuration.json");
  await mkdir(input.dataDir, { recursive: true });
  await writeFile(file, JSON.stringify(input.configuration), { mode: 0o600 });
  return startProcess({
    name: "proxysql stand-in",
    ...dieWithParent(process.execPath, [freshBundle(), input.dataDir, file]),
    logFile: input.logFile,
    ready: input.ready,
  });
}

/** The stand-in inside this process, for quick tests: it can be stopped, but not suspended. */
export async function runStandInHere(input: ProxySqlRunnerInput): Promise<ProxySqlRunner> {
  await mkdir(input.dataDir, { recursive: true });
  let ended: (exit: ProcessExit) => void = () => undefined;
  const exited = new Promise<ProcessExit>((resolve) => (ended = resolve));
  const standIn = await ProxySqlStandIn.start({
    dataDir: input.dataDir,
    configuration: input.configuration,
    onEnd: (how) => ended(how === "crash" ? { code: null, signal: "SIGSEGV" } : { code: 0, signal: null }),
  });
  const stop = async (signal: NodeJS.Signals): Promise<void> => {
    standIn.stop();
    ended({ code: null, signal });
  };
  const impossible = (): never => {
    throw new Error("a stand-in inside the test's own process can't be suspended");
  };
  return {
    exited,
    stop: () => stop("SIGTERM"),
    kill9: () => stop("SIGKILL"),
    suspend: impossible,
    resume: impossible,
  };
}

/** The bundled stand-in, built again when a source is newer, so that tests never run a stale one. */
function freshBundle(): string {
  const root = packageRoot();
  const bundle = join(root, "dist", "proxysql-standin.cjs");
  const sources = join(root, "src");
  if (existsSync(sources) && (!existsSync(bundle) || newest(sources) > statSync(bundle).mtimeMs)) {
    const built = spawnSync(process.execPath, [join(root, "bundle.mjs")], { encoding: "utf8" });
    if (built.status !== 0) throw new Error(`the stand-in could not be bundled: ${built.stderr}`);
  }
  return bundle;
}

/** Modification time of the newest file in a folder, in milliseconds. */
function newest(folder: string): number {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  return Math.max(...files.map((file) => statSync(join(file.parentPath, file.name)).mtimeMs));
}
