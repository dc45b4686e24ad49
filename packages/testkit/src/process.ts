import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream, mkdirSync, readFileSync, readdirSync, type WriteStream } from "node:fs";
import { dirname } from "node:path";
import { killWithThisProcess } from "./kill-at-exit.js";
import { commandIn } from "./network/iproute2.js";
import { saysPortIsTaken } from "./ports.js";
import { TextTail } from "./text-tail.js";
import { pause, waitUntil } from "./wait-until.js";

/** What to run, where its output goes and how to know that it is ready. */
export interface ProcessOptions {
  /** How the program is called in messages. */
  name: string;
  command: string;
  args?: readonly string[];
  cwd?: string;
  /** The network namespace to run in (default: that of this process). */
  namespace?: string | undefined;
  /** The whole environment of the child (default: this process's own). */
  env?: NodeJS.ProcessEnv;
  /** Everything that the child prints is also appended to this file. */
  logFile?: string;
  /** How many characters of stdout and of stderr are kept in memory (default 256 Ki, the newest). */
  keepChars?: number;
  /** Asked until it answers something truthy; an exit of the child before that ends the wait. */
  ready?: (child: RunningProcess) => unknown;
  /** Limit for `ready` in milliseconds (default 30 000). */
  readyTimeoutMs?: number;
}

/** A network namespace in which a server runs, and its address there, by which it is reached from outside. */
export interface Elsewhere {
  readonly namespace: string;
  readonly address: string;
}

/** How a child ended: an exit code, or the signal that killed it. */
export interface ProcessExit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** How often a child is tried whose port somebody else holds, and the pause between. Milliseconds. */
const PORT_ATTEMPTS = 3;
const PORT_PAUSE_MS = 500;

/**
 * Starts a child process and waits until it is ready. It dies with this process at the latest. Where it ended because its
 * port is somebody else's just now, it is tried again: a server that comes back has no other one.
 */
export async function startProcess(options: ProcessOptions): Promise<RunningProcess> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await startOnce(options);
    } catch (error) {
      if (attempt === PORT_ATTEMPTS || !saysPortIsTaken(error)) throw error;
      await pause(PORT_PAUSE_MS);
    }
  }
}

async function startOnce(options: ProcessOptions): Promise<RunningProcess> {
  const running = new RunningProcess(options);
  try {
    await running.spawned;
    if (options.ready) await running.waitReady(options.ready, options.readyTimeoutMs ?? 30_000);
    return running;
  } catch (error) {
    await running.kill9();
    throw new Error(`${options.name} did not start: ${String(error)}\n${running.lastOutput()}`, {
      cause: error,
    });
  }
}

/** How long a SIGSTOP may take to reach every thread. Milliseconds. */
const STOP_LIMIT_MS = 2000;

/** Are all threads of the process stopped (state T in /proc)? Also where it is gone, or there is no /proc. */
function hasStopped(pid: number): boolean {
  try {
    return readdirSync(`/proc/${pid}/task`).every((task) => {
      const stat = readFileSync(`/proc/${pid}/task/${task}/stat`, "utf8");
      return stat.slice(stat.lastIndexOf(")") + 2).startsWith("T");
    });
  } catch {
    return true;
  }
}

/** A child process with its output so far. */
export class RunningProcess {
  readonly name: string;
  /** Settles (never rejects) when the child has ended and its output is complete. */
  readonly exited: Promise<ProcessExit>;
  /** Resolves when the program runs; rejects when it can't be started (no such file, not executable). */
  readonly spawned: Promise<void>;
  /** How the child ended, or undefined while it runs. */
  exit: ProcessExit | undefined;
  readonly #child: ChildProcess;
  readonly #stdout: TextTail;
  readonly #stderr: TextTail;

  constructor(options: ProcessOptions) {
    this.name = options.name;
    this.#stdout = new TextTail(options.keepChars ?? 256 * 1024);
    this.#stderr = new TextTail(options.keepChars ?? 256 * 1024);
    const { command, args } = commandIn(options.namespace, options.command, options.args ?? []);
    this.#child = spawn(command, args, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#collect(options.logFile);
    this.spawned = settle(this.#child);
    const forget = killWithThisProcess(this.#child);
    this.exited = ended(this.#child).then((exit) => {
      this.exit = exit;
      forget();
      return exit;
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** The newest part of what the child has printed to stdout. */
  get stdout(): string {
    return this.#stdout.text;
  }

  /** The newest part of what the child has printed to stderr. */
  get stderr(): string {
    return this.#stderr.text;
  }

  /** The last lines of both streams, for an error message. */
  lastOutput(lines = 30): string {
    return [this.stdout, this.stderr]
      .map((text) => text.trimEnd().split("\n").slice(-lines).join("\n"))
      .filter((text) => text !== "")
      .join("\n");
  }

  /** Asks `ready` until it answers something truthy. @throws when the child ends first or the limit is over. */
  async waitReady(ready: (child: RunningProcess) => unknown, timeoutMs: number): Promise<void> {
    await waitUntil(async () => this.exit ?? (await ready(this)), {
      timeoutMs,
      what: `${this.name} to be ready`,
    });
    if (this.exit) throw new Error(`${this.name} ended: ${describeExit(this.exit)}`);
  }

  /** SIGTERM, and SIGKILL when that is not enough within `graceMs` (default 30 000). Resolves when it has ended. */
  async stop(graceMs = 30_000): Promise<ProcessExit> {
    this.signal("SIGTERM");
    // A suspended process does not see SIGTERM before it runs again.
    this.signal("SIGCONT");
    const timer = setTimeout(() => this.signal("SIGKILL"), graceMs);
    const exit = await this.exited;
    clearTimeout(timer);
    return exit;
  }

  /** SIGKILL: the child gets no chance to say goodbye. Resolves when it has ended. */
  async kill9(): Promise<ProcessExit> {
    this.signal("SIGKILL");
    return this.exited;
  }

  /**
   * SIGSTOP: the child hangs with its sockets open, like a machine that swaps or a paused container. Returns when all of
   * its threads have stopped: the signal alone leaves them the time to answer one more query.
   */
  suspend(): void {
    this.signal("SIGSTOP");
    const until = performance.now() + STOP_LIMIT_MS;
    while (this.pid !== undefined && !hasStopped(this.pid) && performance.now() < until);
  }

  /** SIGCONT: goes on after {@link suspend}. */
  resume(): void {
    this.signal("SIGCONT");
  }

  /** Sends a signal; nothing happens when the child has already ended. */
  signal(signal: NodeJS.Signals): void {
    if (!this.exit) this.#child.kill(signal);
  }

  #collect(logFile: string | undefined): void {
    const log = logFile === undefined ? undefined : openLog(logFile);
    for (const [stream, tail] of [
      [this.#child.stdout, this.#stdout],
      [this.#child.stderr, this.#stderr],
    ] as const) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        tail.add(text);
        log?.write(text);
      });
    }
    this.#child.once("close", () => log?.end());
  }
}

/** An exit as it reads in a message: "exit code 3" or "killed by SIGKILL". */
export function describeExit(exit: ProcessExit): string {
  return exit.signal === null ? `exit code ${exit.code}` : `killed by ${exit.signal}`;
}

function openLog(path: string): WriteStream {
  mkdirSync(dirname(path), { recursive: true });
  return createWriteStream(path, { flags: "a" });
}

function settle(child: ChildProcess): Promise<void> {
  const spawned = new Promise<void>((resolve, reject) => {
    child.once("spawn", resolve);
    child.once("error", reject);
  });
  // Who only waits for the end must not be stopped by an unhandled rejection.
  spawned.catch(() => undefined);
  return spawned;
}

function ended(child: ChildProcess): Promise<ProcessExit> {
  return new Promise((resolve) => {
    child.once("close", (code, signal) => resolve({ code, signal }));
    child.once("error", () => {
      if (child.pid === undefined) resolve({ code: null, signal: null });
    });
  });
}
