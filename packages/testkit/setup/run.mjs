// Helpers of the set-up scripts. They run before `npm ci`, so they import nothing but what Node brings.
import { spawn, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

/** The repository's root folder. */
export const ROOT = fileURLToPath(new URL("../../../", import.meta.url)).replace(/\/$/, "");

const started = Date.now();

/** One progress line with the seconds since the start. */
export function say(text) {
  const seconds = ((Date.now() - started) / 1000).toFixed(1).padStart(6);
  process.stdout.write(`[${seconds} s] ${text}\n`);
}

/**
 * Runs a program in the root folder with its output passed on as it comes.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {{ env?: Record<string, string>, timeoutMs?: number }} [options] default limit: one hour
 * @returns {Promise<number>} its exit code; 124 when it took longer than the limit, 127 when it could not be started
 */
export function runLoud(command, args, { env = {}, timeoutMs = 3_600_000 } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: ROOT, stdio: "inherit", env: { ...process.env, ...env } });
    const stop = (signal) => child.kill(signal);
    for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, stop);
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      child.kill("SIGTERM");
      setTimeout(() => child.kill("SIGKILL"), 5_000).unref();
    }, timeoutMs);
    const end = (code) => {
      clearTimeout(timer);
      for (const signal of ["SIGINT", "SIGTERM"]) process.removeListener(signal, stop);
      resolve(late ? 124 : code);
    };
    child.once("error", (error) => {
      say(`${command} can't be started: ${error.message}`);
      end(127);
    });
    child.once("close", (code) => end(code ?? 1));
  });
}

/**
 * Runs a program in silence.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd?: string, env?: Record<string, string>, timeoutMs: number }} options
 * @returns {{ ok: boolean, stdout: string, why: string }} `why` has the last lines of its output where it failed
 */
export function runQuiet(command, args, { cwd = ROOT, env = {}, timeoutMs }) {
  const result = spawnSync(command, args, {
    cwd,
    env: { ...process.env, ...env },
    encoding: "utf8",
    timeout: timeoutMs,
    killSignal: "SIGKILL",
    maxBuffer: 64 * 1024 * 1024,
  });
  const output = `${result.stdout ?? ""}${result.stderr ?? ""}`.trim().split("\n").slice(-4).join("\n    ");
  const reason = result.error ? result.error.message : `exit code ${result.status ?? result.signal}`;
  return {
    ok: result.status === 0,
    stdout: result.stdout ?? "",
    why: `${command}: ${reason}\n    ${output}`,
  };
}

/** {@link runLoud} for npm: the one that runs this script, where there is one. */
export function runNpm(args, options) {
  const script = process.env["npm_execpath"];
  return script?.endsWith("npm-cli.js")
    ? runLoud(process.execPath, [script, ...args], options)
    : runLoud("npm", args, options);
}
