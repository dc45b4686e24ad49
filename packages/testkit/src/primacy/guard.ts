import { spawnSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { packageRoot } from "../package-root.js";
import { type ProxySql, proxySqlAccounts } from "../servers/proxysql.js";
import { programs } from "./programs.js";

/** How ProxySQL's scheduler is to start the guard. */
export type GuardForm = "shell" | "node" | "none";

/** The shell's form where there is a `mysql` client, as on every host with MariaDB or MySQL. */
export const guardForm: GuardForm =
  spawnSync("mysql", ["--version"], { timeout: 10_000 }).status === 0 ? "shell" : "node";

/** Settings by which a watcher has ProxySQL's scheduler run the guard; their files are put into `folder`. */
export async function guardVariables(
  folder: string,
  { adminPort }: ProxySql,
  form: GuardForm = guardForm,
): Promise<Record<string, string>> {
  const { user, password } = proxySqlAccounts.admin;
  const defaultsFile = join(folder, `guard-${String(adminPort)}.cnf`);
  // The guard runs beside ProxySQL.
  const client = `[client]\nuser=${user}\npassword="${password}"\nhost=127.0.0.1\nport=${String(adminPort)}\n`;
  await writeFile(defaultsFile, client, { mode: 0o600 });
  const command =
    form === "shell"
      ? { filename: join(packageRoot(), "../watcher/guard/primacy-guard.sh") }
      : { filename: process.execPath, arguments: [programs.watcher, "guard"] };
  const config = join(folder, `watcher-${String(adminPort)}.json`);
  const lease = form === "none" ? {} : { lease: { guard: { ...command, defaultsFile } } };
  await writeFile(config, JSON.stringify(lease));
  return { PRIMACY_CONFIG: config };
}
