import { SqlError } from "../errors.js";
import type { CreateUser, Grant } from "../sql/statement.js";

/** Who may log in, and what they may do where. */
export interface StoredAccount {
  readonly user: string;
  readonly password: string;
  /** Privileges everywhere; ALL stands for every one but GRANT OPTION. */
  readonly everywhere: ReadonlySet<string>;
  readonly inDatabase: ReadonlyMap<string, ReadonlySet<string>>;
}

/** Privileges that can be granted on a database, as far as statements of the stand-in ask for them. */
const DATABASE_PRIVILEGES = new Set(["SELECT", "INSERT", "CREATE", "CREATE ROUTINE", "EXECUTE"]);

/** May the account do what takes this privilege, everywhere or in one database? */
export function may(account: StoredAccount, privilege: string, database?: string): boolean {
  const { everywhere, inDatabase } = account;
  const here = database === undefined ? undefined : inDatabase.get(database);
  return [everywhere, here].some((granted) => granted !== undefined && covers(granted, privilege));
}

function covers(granted: ReadonlySet<string>, privilege: string): boolean {
  return granted.has(privilege) || (granted.has("ALL") && privilege !== "GRANT OPTION");
}

/** May it choose the database as its own? Any privilege that counts there is enough. */
export function mayUse(account: StoredAccount, database: string): boolean {
  return [...DATABASE_PRIVILEGES].some((privilege) => may(account, privilege, database));
}

/** The accounts of a server. */
export class Accounts {
  readonly #accounts = new Map<string, StoredAccount>();

  find(user: string): StoredAccount | undefined {
    return this.#accounts.get(user);
  }

  /** @throws {SqlError} 1396 where there is such an account */
  create({ user, password, orReplace }: CreateUser): void {
    if (this.#accounts.has(user) && !orReplace) {
      throw new SqlError(1396, `Operation CREATE USER failed for '${user}'@'%'`);
    }
    this.#accounts.set(user, { user, password, everywhere: new Set(), inDatabase: new Map() });
  }

  /** @throws {SqlError} 1133 where there is no such account */
  grant({ user, database, privileges }: Grant): void {
    const account = this.#accounts.get(user);
    if (account === undefined) throw new SqlError(1133, "Can't find any matching row in the user table");
    const { everywhere, inDatabase } = account;
    const added =
      database === undefined
        ? { everywhere: new Set([...everywhere, ...privileges]) }
        : {
            inDatabase: new Map(inDatabase).set(
              database,
              new Set([...(inDatabase.get(database) ?? []), ...privileges]),
            ),
          };
    this.#accounts.set(user, { ...account, ...added });
  }
}
