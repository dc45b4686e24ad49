import type { Parsed } from "@primacy/contract";
import type { DatabaseContext } from "../database/server.js";
import { type DatabaseSettings, readAccount } from "../database/settings.js";
import type { Connect } from "../database/session.js";
import type { World } from "../world.js";

/** Loaded with the first connection: whoever has no account never reads it. */
const connectLazily: Connect = async (...order) => {
  const { connectMySql } = await import("../database/mysql-client.js");
  return await connectMySql(...order);
};

/** What it takes to work on the database servers; undefined where there is no account for them. */
export async function databaseContext({
  settings,
  world,
  connect = connectLazily,
}: DatabaseMeans): Promise<Parsed<DatabaseContext | undefined>> {
  if (settings === undefined) return { ok: true, value: undefined };
  const account = await readAccount(settings);
  return account.ok ? { ok: true, value: { connect, account: account.value, world } } : account;
}

/** What a run goes to the database servers with. */
export interface DatabaseMeans {
  readonly settings: DatabaseSettings | undefined;
  readonly world: World;
  /** Default: the MySQL client. */
  readonly connect?: Connect | undefined;
}
