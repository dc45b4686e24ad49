import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { constants, cp, mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { primacyFolder } from "../primacy-folder.js";
import { accounts } from "./mariadb-accounts.js";
import { foldersOf, userOption } from "./mariadb-template.js";

const run = promisify(execFile);

/** Sizes that must be the same when the data folder is made and when a server runs on it. */
export const STORAGE_OPTIONS = [
  "--innodb-data-file-path=ibdata1:12M:autoextend",
  "--innodb-redo-log-capacity=16M",
  "--innodb-buffer-pool-size=24M",
] as const;

/**
 * An initialised data folder with the kit's accounts: a copy of a template that is made once per version (to initialise
 * one takes seconds). The copy makes up a server UUID of its own when it is first started.
 */
export async function makeDataDir(program: string, version: string, dataDir: string): Promise<void> {
  const recipe = JSON.stringify([version, STORAGE_OPTIONS, accountsSql()]);
  const name = createHash("sha256").update(recipe).digest("hex").slice(0, 16);
  const template = primacyFolder("mysql-template", name);
  if (!existsSync(template)) await makeTemplate(program, template);
  await mkdir(dirname(dataDir), { recursive: true });
  await cp(template, dataDir, { recursive: true, mode: constants.COPYFILE_FICLONE });
}

async function makeTemplate(program: string, template: string): Promise<void> {
  await mkdir(dirname(template), { recursive: true });
  const work = await mkdtemp(`${template}.`);
  try {
    const sql = join(work, "accounts.sql");
    const data = join(work, "data");
    await writeFile(sql, accountsSql());
    const initialise = ["--initialize-insecure", ...foldersOf(data), `--init-file=${sql}`];
    await run(program, ["--no-defaults", ...initialise, ...userOption(), ...STORAGE_OPTIONS], {
      timeout: 120_000,
    });
    // The identity of the server that was never one.
    await rm(join(data, "auto.cnf"), { force: true });
    await rename(data, template).catch((error: unknown) => {
      if (!existsSync(template)) throw error;
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

const GRANTS = {
  root: "ALL ON *.*",
  app: "ALL ON app.*",
  orchestrator:
    "SELECT, SUPER, PROCESS, RELOAD, REPLICATION SLAVE, REPLICATION CLIENT, REPLICATION_SLAVE_ADMIN, " +
    "SYSTEM_VARIABLES_ADMIN, CONNECTION_ADMIN ON *.*",
  repl: "REPLICATION SLAVE ON *.*",
  monitor: "REPLICATION CLIENT ON *.*",
} as const;

/** The kit's {@link accounts} and the database `app`, one statement a line, as an init file wants it. */
function accountsSql(): string {
  const names = Object.keys(accounts) as (keyof typeof accounts)[];
  const statements = names.flatMap((name) => {
    const { user, password } = accounts[name];
    return [
      name === "root" ? "RENAME USER 'root'@'localhost' TO 'root'@'%'" : `CREATE USER '${user}'@'%'`,
      `ALTER USER '${user}'@'%' IDENTIFIED BY '${password}'`,
      `GRANT ${GRANTS[name]} TO '${user}'@'%'${name === "root" ? " WITH GRANT OPTION" : ""}`,
    ];
  });
  // Two servers made from this must not have different transactions under numbers of their own.
  return ["SET sql_log_bin=0", "CREATE DATABASE IF NOT EXISTS app", ...statements, ""].join(";\n");
}
