import { pause } from "../wait-until.js";
import { backOffMs } from "./back-off.js";
import type { Failure, Journal, WriteRecord } from "./journal.js";
import type { ClientKind, LoadPlan, LoadTarget } from "./options.js";
import { LoadSession, StatementError } from "./session.js";
import { insertRow, READ_QUERY } from "./table.js";

/** Turns of a pause during which a transaction is held open. */
const HELD_TURNS = 5;

/** Who a client is. */
export interface ClientIdentity {
  name: string;
  kind: ClientKind;
  target: Required<LoadTarget>;
  /** Its ids are this number and those that follow. */
  firstId: number;
}

/** One client of a load: it takes turns until it is stopped, and connects again whenever it has lost its session. */
export class LoadClient {
  readonly #identity: ClientIdentity;
  readonly #plan: LoadPlan;
  readonly #journal: Journal;
  #nextId: number;
  #session: LoadSession | undefined;
  #stopped = false;

  constructor(identity: ClientIdentity, plan: LoadPlan, journal: Journal) {
    this.#identity = identity;
    this.#plan = plan;
    this.#journal = journal;
    this.#nextId = identity.firstId;
  }

  /** Ends when the client has been stopped and its last statement has been answered. */
  async run(): Promise<void> {
    let failures = 0;
    while (this.#goesOn()) {
      if (await this.#connect()) {
        failures = 0;
        await this.#takeTurns();
      } else {
        failures += 1;
        await pause(backOffMs(failures, this.#plan.random()));
      }
    }
    this.#disconnect();
  }

  /** Takes no further turn. */
  stop(): void {
    this.#stopped = true;
  }

  /** Gives up the statement under way: nobody will know what became of it. */
  abandon(): void {
    this.#stopped = true;
    this.#session?.close();
  }

  #goesOn(): boolean {
    return !this.#stopped && !this.#journal.isFull;
  }

  async #connect(): Promise<boolean> {
    try {
      this.#session = await LoadSession.open(this.#identity.target, this.#plan.statementTimeoutMs);
      this.#journal.connected(1);
      const ready = this.#identity.kind !== "pinned" || (await this.#run("set", "SET @pinned = 1"));
      if (!ready) this.#disconnect();
      return this.#session !== undefined;
    } catch (error) {
      this.#note("connect", error);
      return false;
    }
  }

  #disconnect(): void {
    if (this.#session === undefined) return;
    this.#session.close();
    this.#session = undefined;
    this.#journal.connected(-1);
  }

  async #takeTurns(): Promise<void> {
    while (this.#goesOn() && this.#session !== undefined) {
      if (this.#identity.kind === "reader") await this.#read();
      else if (this.#identity.kind === "transaction") await this.#writeTransaction();
      else await this.#writeRow();
      await pause(this.#plan.intervalMs);
    }
  }

  async #writeRow(): Promise<void> {
    const record = this.#newRecord();
    if (await this.#run("insert", this.#insert(record), [record])) {
      this.#journal.acknowledged([record], Date.now());
    }
  }

  /** Two rows, acknowledged by their COMMIT. */
  async #writeTransaction(): Promise<void> {
    const records: WriteRecord[] = [];
    const inserted = async () => {
      const record = this.#newRecord();
      records.push(record);
      return this.#run("insert", this.#insert(record), records);
    };
    if (!(await this.#run("begin", "START TRANSACTION"))) return;
    if (!(await inserted())) return this.#rollBack();
    await pause(HELD_TURNS * this.#plan.intervalMs);
    if (!(await inserted())) return this.#rollBack();
    if (await this.#run("commit", "COMMIT", records)) this.#journal.acknowledged(records, Date.now());
    else await this.#rollBack();
  }

  /** What failed has been noted; a failing ROLLBACK says nothing more. */
  async #rollBack(): Promise<void> {
    await this.#session?.query("ROLLBACK").catch(() => this.#disconnect());
  }

  async #read(): Promise<void> {
    const { name: client, target } = this.#identity;
    const sentAtMs = Date.now();
    const rows = await this.#run("select", READ_QUERY);
    if (rows === undefined) return;
    const serverId = Number(rows[0]?.["server_id"]);
    this.#journal.reads.push({ proxy: target.name, client, sentAtMs, answeredAtMs: Date.now(), serverId });
  }

  /** One statement; undefined where it failed, which is noted, for `records` too. */
  async #run(
    statement: Failure["statement"],
    sql: string,
    records: readonly WriteRecord[] = [],
  ): Promise<Record<string, unknown>[] | undefined> {
    try {
      return await this.#session?.query(sql);
    } catch (error) {
      this.#note(statement, error, records);
      if (!(error instanceof StatementError) || error.sessionLost) this.#disconnect();
      return undefined;
    }
  }

  #note(statement: Failure["statement"], error: unknown, records: readonly WriteRecord[] = []): void {
    const { errno, code } = error instanceof StatementError ? error : new StatementError(error);
    const { name: client, target } = this.#identity;
    this.#journal.failed({ atMs: Date.now(), proxy: target.name, client, statement, errno, code }, records);
  }

  #newRecord(): WriteRecord {
    const { name: client, kind, target } = this.#identity;
    const id = this.#nextId++;
    return this.#journal.sent({ id, proxy: target.name, client, kind, sentAtMs: Date.now() });
  }

  #insert({ id, proxy, client, kind }: WriteRecord): string {
    return insertRow(id, proxy, client, kind);
  }
}
