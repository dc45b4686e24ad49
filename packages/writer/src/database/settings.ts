import { readFile } from "node:fs/promises";
import type { Parsed } from "@primacy/contract";
import { errorText } from "../errors.js";
import type { DatabaseAccount } from "./session.js";

/** How the writer goes to the database servers; without a user it doesn't. */
export interface DatabaseSettings {
  readonly user: string;
  readonly password: string | undefined;
  /** Wins over `password`. */
  readonly passwordFile: string | undefined;
  readonly tls: DatabaseAccount["tls"];
  readonly caFile: string | undefined;
  /** Users whose sessions are never killed. */
  readonly keepUsers: readonly string[];
  /** For all that is done on one server. */
  readonly deadlineMs: number;
}

/** Reads the files. A problem is one sentence without the password. */
export async function readAccount(settings: DatabaseSettings): Promise<Parsed<DatabaseAccount>> {
  const { user, tls } = settings;
  const password = await readSecret(settings.passwordFile, "password for the database servers");
  if (!password.ok) return password;
  const ca = await readSecret(settings.caFile, "CA of the database servers");
  if (!ca.ok) return ca;
  const account = { user, tls, password: password.value ?? settings.password ?? "", ca: ca.value };
  return { ok: true, value: account };
}

async function readSecret(path: string | undefined, what: string): Promise<Parsed<string | undefined>> {
  if (path === undefined) return { ok: true, value: undefined };
  try {
    return { ok: true, value: (await readFile(path, "utf8")).trim() };
  } catch (error) {
    return { ok: false, problem: `the file with the ${what} can't be read: ${errorText(error)}` };
  }
}
