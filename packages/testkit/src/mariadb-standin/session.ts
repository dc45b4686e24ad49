import type { Value } from "./sql/expression.js";
import type { StoredAccount } from "./storage/accounts.js";
import type { Transaction } from "./storage/transaction.js";

/** A replica as it has introduced itself (COM_REGISTER_SLAVE). */
export interface RegisteredReplica {
  serverId: number;
  host: string;
  port: number;
}

/** One client's session: what lasts from statement to statement. */
export class Session {
  readonly id: number;
  /** Where the client comes from. */
  readonly address: string;
  account: StoredAccount;
  /** Empty when none was chosen. */
  database: string;
  autocommit = true;
  transaction: Transaction | undefined;
  readonly userVariables = new Map<string, Value>();
  readonly settings = new Map<string, Value>();
  replica: RegisteredReplica | undefined;
  /** When the statement that runs began, in milliseconds since 1970. */
  statementAtMs = 0;
  /** No statement runs any more, also none that had come before the end. */
  ended = false;
  readonly #close: () => void;
  #interrupt = new AbortController();

  constructor(
    client: { id: number; address: string; close: () => void },
    account: StoredAccount,
    database: string,
  ) {
    this.id = client.id;
    this.address = client.address;
    this.#close = client.close;
    this.account = account;
    this.database = database;
  }

  /** A statement begins. @returns the signal that ends its waiting */
  begin(nowMs: number): AbortSignal {
    this.statementAtMs = nowMs;
    this.#interrupt = new AbortController();
    return this.#interrupt.signal;
  }

  /** KILL QUERY. */
  interrupt(): void {
    this.#interrupt.abort();
  }

  /** KILL CONNECTION, and what happens when the client goes: what was not committed is gone. */
  end(): void {
    this.ended = true;
    this.interrupt();
    this.#close();
  }

  /** COM_RESET_CONNECTION. */
  reset(): void {
    this.autocommit = true;
    this.transaction = undefined;
    this.userVariables.clear();
    this.settings.clear();
  }
}
