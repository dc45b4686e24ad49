import { spawnSync } from "node:child_process";
import { requireServer } from "../servers/found.js";

/** Limit for one call. Milliseconds. */
const LIMIT_MS = 30_000;

/**
 * Commands of `ip`, one after another, here or inside a namespace; the first that fails ends them.
 *
 * @throws what `ip` says
 */
export function ip(commands: readonly string[], namespace?: string): void {
  const where = namespace === undefined ? [] : ["-netns", namespace];
  ask([...where, "-batch", "-"], `${commands.join("\n")}\n`);
}

/** The output of one call. @throws what `ip` says, where it fails */
export function ask(args: readonly string[], input = ""): string {
  const { path } = requireServer("iproute2");
  const { error, status, stdout, stderr } = spawnSync(path, args, {
    input,
    encoding: "utf8",
    timeout: LIMIT_MS,
    killSignal: "SIGKILL",
  });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`ip ${args.join(" ")}: ${stderr.trim()}${input && `\n${input}`}`);
  return stdout;
}

/**
 * The command line that runs a program in a network namespace; unchanged where none is named. The process id stays the
 * program's own: `ip netns exec` becomes it.
 */
export function commandIn(
  namespace: string | undefined,
  command: string,
  args: readonly string[],
): { command: string; args: string[] } {
  if (namespace === undefined) return { command, args: [...args] };
  return { command: requireServer("iproute2").path, args: ["netns", "exec", namespace, command, ...args] };
}
