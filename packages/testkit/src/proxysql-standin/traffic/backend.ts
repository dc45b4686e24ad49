import { COM, STATUS } from "../wire/constants.js";
import type { ResponseEnd } from "../wire/response.js";
import { LinkError, type ServerLink } from "../wire/server-link.js";
import type { Pooled } from "../hostgroups/pool.js";
import { isTied, type Ties, UNTIED } from "./session-flags.js";

/** What a session wants to be true on the connection before its statement runs. */
export interface SessionState {
  readonly schema: string;
  readonly autocommit: boolean;
  /** Whether the client may send several statements in one text. */
  readonly multiStatements: boolean;
  /** SET statements by what they set. */
  readonly settings: ReadonlyMap<string, string>;
}

/** A connection to a backend server with what is known of its state. */
export class Backend implements Pooled {
  ties: Ties = UNTIED;
  /** Unix milliseconds when the last statement ended. */
  idleSince = 0;
  /** Global text -> id of the statements prepared on this connection. */
  readonly statements = new Map<string, number>();
  readonly serverId: number;
  readonly user: string;
  readonly link: ServerLink;
  #schema: string;
  #multiStatements = false;
  readonly #settings = new Map<string, string>();

  constructor(link: ServerLink, serverId: number, user: string, schema: string) {
    this.link = link;
    this.serverId = serverId;
    this.user = user;
    this.#schema = schema;
  }

  get inTransaction(): boolean {
    return (this.link.status & STATUS.IN_TRANSACTION) !== 0;
  }

  /** True while the session must keep this connection. */
  get bound(): boolean {
    return this.inTransaction || isTied(this.ties);
  }

  /** True when a session with that state needs nothing undone on this connection. */
  suits(state: SessionState): boolean {
    return [...this.#settings.keys()].every((name) => state.settings.has(name));
  }

  /** Brings the connection into the session's state. @throws {LinkError} when the server refuses. */
  async adopt(state: SessionState): Promise<void> {
    if (!this.suits(state)) await this.reset();
    if (state.schema !== "" && state.schema !== this.#schema) {
      await this.link.run(Buffer.concat([Buffer.from([COM.INIT_DB]), Buffer.from(state.schema)]));
      this.#schema = state.schema;
    }
    if (state.multiStatements !== this.#multiStatements) {
      await this.link.run(Buffer.from([COM.SET_OPTION, state.multiStatements ? 0 : 1, 0]));
      this.#multiStatements = state.multiStatements;
    }
    for (const [name, statement] of state.settings) {
      if (this.#settings.get(name) === statement) continue;
      await this.link.execute(statement);
      this.#settings.set(name, statement);
    }
    const autocommit = (this.link.status & STATUS.AUTOCOMMIT) !== 0;
    if (autocommit !== state.autocommit)
      await this.link.execute(`SET autocommit=${state.autocommit ? 1 : 0}`);
  }

  /** Sends a command; the packets of the answer go to `sink`. */
  command(payload: Buffer, sink: (payload: Buffer) => void): Promise<ResponseEnd | "lost"> {
    return this.link.command(payload, sink);
  }

  /** Takes back everything that a session did to the connection. @throws {LinkError} */
  async reset(): Promise<void> {
    await this.link.run(Buffer.from([COM.RESET_CONNECTION]));
    this.ties = UNTIED;
    this.statements.clear();
    this.#settings.clear();
  }

  quit(): void {
    this.link.quit();
  }
}

/** True for an error that means the connection is gone (and not that the server refused something). */
export function isLost(error: unknown): boolean {
  return error instanceof LinkError && error.errno >= 2000 && error.errno < 3000;
}
