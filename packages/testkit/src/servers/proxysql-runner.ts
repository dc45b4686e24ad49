import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { packageRoot } from "../package-root.js";
import { type ProcessExit, startProcess } from "../process.js";
import type { Configuration } from "../proxysql-standin/configuration.js";
import { ProxySqlStandIn } from "../proxysql-standin/standin.js";
import { waitUntil } from "../wait-until.js";
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
  namespace: string | undefined;
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
    namespace: input.namespace,
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
    ...dieWithParent(process.execPath, [await freshBundle(), input.dataDir, file]),
    namespace: input.namespace,
    logFile: input.logFile,
    ready: input.ready,
  });
}

/** The stand-in inside this process, for quick tests: it can be stopped, but not suspended. */
export async function runStandInHere(input: ProxySqlRunnerInput): Promise<ProxySqlRunner> {
  if (input.namespace !== undefined) throw new RangeError("this process is in one namespace only");
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
async function freshBundle(): Promise<string> {
  const bundle = join(packageRoot(), "dist", "proxysql-standin.cjs");
  if (isFresh(bundle)) return bundle;
  // Test files run side by side: one builds, the others wait for it.
  const lock = `${bundle}.lock`;
  await mkdir(dirname(bundle), { recursive: true });
  const built = await waitUntil(() => (isFresh(bundle) ? "fresh" : build(lock)), {
    timeoutMs: 60_000,
    what: `${lock} to go`,
  });
  if (built !== "fresh") throw new Error(`the stand-in could not be bundled: ${built}`);
  return bundle;
}

function isFresh(bundle: string): boolean {
  const sources = join(packageRoot(), "src");
  if (!existsSync(sources)) return true;
  return existsSync(bundle) && !existsSync(`${bundle}.lock`) && newest(sources) <= statSync(bundle).mtimeMs;
}

/** @returns "fresh", what went wrong, or undefined while another process builds. */
function build(lock: string): string | undefined {
  // A lock that is older was left by a process that was killed.
  if (existsSync(lock) && Date.now() - statSync(lock).mtimeMs > 30_000) rmSync(lock, { force: true });
  try {
    writeFileSync(lock, String(process.pid), { flag: "wx" });
  } catch {
    return undefined;
  }
  try {
    const built = spawnSync(process.execPath, [join(packageRoot(), "bundle.mjs")], { encoding: "utf8" });
    return built.status === 0 ? "fresh" : built.stderr;
  } finally {
    rmSync(lock, { force: true });
  }
}

/** Modification time of the newest file in a folder, in milliseconds. */
function newest(folder: string): number {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  return Math.max(...files.map((file) => statSync(join(file.parentPath, file.name)).mtimeMs));
}
