import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { constants, cp, mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { primacyFolder } from "../primacy-folder.js";
import { accountsSql } from "./mariadb-accounts.js";

const run = promisify(execFile);

/** Sizes that must be the same when the data folder is made and when a server runs on it. */
export const STORAGE_OPTIONS = [
  "--innodb-data-file-path=ibdata1:12M:autoextend",
  "--innodb-autoextend-increment=4",
  "--innodb-log-file-size=8M",
  "--innodb-buffer-pool-size=24M",
] as const;

/**
 * Where a server's data is, and beside it its temporary tables: in a folder of its own, because a server that starts removes
 * all that it finds, also those of a server that runs (MariaDB and MySQL, `#sql…` in `tmpdir`, by default /tmp).
 */
export function foldersOf(dataDir: string): string[] {
  return [`--datadir=${dataDir}`, `--tmpdir=${dirname(dataDir)}`];
}

/** Running as root is refused unless asked for by name. */
export function userOption(): string[] {
  return process.getuid?.() === 0 ? ["--user=root"] : [];
}

/**
 * Makes `dataDir` an initialised data folder with the kit's accounts: a copy of a template that is made once per
 * MariaDB version (mariadb-install-db takes seconds, the copy a fraction of one).
 */
export async function makeDataDir(dataDir: string, version: string): Promise<void> {
  const template = await findTemplate(version);
  await mkdir(dirname(dataDir), { recursive: true });
  await cp(template, dataDir, { recursive: true, mode: constants.COPYFILE_FICLONE });
}

async function findTemplate(version: string): Promise<string> {
  const recipe = JSON.stringify([version, STORAGE_OPTIONS, accountsSql()]);
  const name = createHash("sha256").update(recipe).digest("hex").slice(0, 16);
  const template = primacyFolder("mariadb-template", name);
  if (!existsSync(template)) await makeTemplate(template);
  return template;
}

async function makeTemplate(template: string): Promise<void> {
  await mkdir(dirname(template), { recursive: true });
  const work = await mkdtemp(`${template}.`);
  try {
    const sql = join(work, "accounts.sql");
    const data = join(work, "data");
    await writeFile(sql, accountsSql());
    await run("mariadb-install-db", installArguments(data, sql), { timeout: 120_000 });
    // Another process may have been faster; then its template is as good as this one.
    await rename(data, template).catch((error: unknown) => {
      if (!existsSync(template)) throw error;
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

function installArguments(dataDir: string, sqlFile: string): string[] {
  return [
    "--no-defaults",
    ...foldersOf(dataDir),
    "--auth-root-authentication-method=normal",
    "--skip-test-db",
    "--skip-name-resolve",
    `--extra-file=${sqlFile}`,
    ...userOption(),
    ...STORAGE_OPTIONS,
  ];
}
