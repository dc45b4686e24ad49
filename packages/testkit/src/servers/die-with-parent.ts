import { existsSync } from "node:fs";

const SETPRIV = "/usr/bin/setpriv";

/**
 * The command line that makes the kernel kill a server when the process that started it is gone, even by SIGKILL
 * (util-linux setpriv; the process id stays the server's own). Elsewhere than on Linux the command is unchanged.
 */
export function dieWithParent(command: string, args: readonly string[]): { command: string; args: string[] } {
  if (process.platform !== "linux" || !existsSync(SETPRIV)) return { command, args: [...args] };
  return { command: SETPRIV, args: ["--pdeathsig", "KILL", "--", command, ...args] };
}
