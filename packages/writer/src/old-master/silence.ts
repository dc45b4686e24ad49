import { type OldMasterProof, type Server, formatServer } from "@primacy/contract";
import { isReadOnly, isWritable } from "../database/dialect.js";
import {
  type DatabaseContext,
  type Reached,
  databaseProblem,
  openSession,
  reach,
} from "../database/server.js";
import { type DatabaseSession, isDatabaseError } from "../database/session.js";
import { type CatchUp, waitForSuccessor } from "./catch-up.js";
import { SessionKiller } from "./kill-sessions.js";
import { makeReadOnly } from "./read-only.js";

/** What is to be done on an old master. */
export interface SilenceOrder {
  readonly outgoing: Server;
  /** Who must have executed all that the old master has; null where that is not known yet. */
  readonly successor: Server | null;
  /** Users whose sessions stay, besides our own: Orchestrator's. */
  readonly keepUsers: readonly string[];
  /** How long the old master may take to answer at all, milliseconds (default: until the deadline). */
  readonly connectMs?: number | undefined;
  /** On the world's `elapsed` clock. */
  readonly deadline: number;
}

/**
 * - `unreachable`: nothing was done there, as far as is known.
 * - `done`: as far as `proof` says.
 */
export type Silence =
  | { readonly kind: "unreachable"; readonly problem: string }
  | {
      readonly kind: "done";
      readonly proof: OldMasterProof;
      /** It took writes before: then whoever calls the takeover off must make it writable again. */
      readonly wasWritable: boolean;
      readonly notes: readonly string[];
    };

/** Of the time, so much is for the sessions where a successor has to be waited for afterwards. */
const SHARE_FOR_SESSIONS = 0.6;

/**
 * On the old master itself: no more writes, no client sessions, and the successor has everything. Never rejects for what
 * a database does, and ends by the deadline.
 */
export async function silenceOldMaster(order: SilenceOrder, context: DatabaseContext): Promise<Silence> {
  const begun = context.world.elapsed();
  let old: Reached;
  try {
    old = await reach(order.outgoing, order.deadline, context, order.connectMs);
  } catch (error) {
    return { kind: "unreachable", problem: databaseProblem(error) };
  }
  const work = new Work(order, old, context);
  try {
    await work.run(begun);
  } catch (error) {
    work.notes.push(databaseProblem(error));
  } finally {
    work.close();
  }
  return {
    kind: "done",
    proof: { ...work.proof, tookMs: Math.round(context.world.elapsed() - begun) },
    wasWritable: isWritable(old.variables),
    notes: work.notes.map((note) => named(order.outgoing, note)),
  };
}

/** What a server says begins with its name already. */
function named(server: Server, note: string): string {
  const name = `${formatServer(server)}: `;
  return note.startsWith(name) ? note : `${name}${note}`;
}

/** The steps, with what is proved so far: an error in between must not lose it. */
class Work {
  readonly notes: string[] = [];
  #proof: Omit<OldMasterProof, "tookMs"> = { readOnly: false, killed: 0, left: 0, caughtUp: null };
  #second: DatabaseSession | undefined;

  constructor(
    readonly order: SilenceOrder,
    readonly old: Reached,
    readonly context: DatabaseContext,
  ) {
    this.#proof = { ...this.#proof, readOnly: isReadOnly(old.variables) };
  }

  get proof(): Omit<OldMasterProof, "tookMs"> {
    return this.#proof;
  }

  async run(begun: number): Promise<void> {
    const { order, old, context } = this;
    const time = order.deadline - begun;
    const sessionsBy = order.successor === null ? order.deadline : begun + time * SHARE_FOR_SESSIONS;
    const second = await this.#openSecond(sessionsBy);
    const killer = this.#killer(second);
    try {
      await this.#stopWrites(second, killer, sessionsBy);
    } finally {
      this.#countKilled(killer);
      this.notes.push(...killer.refusals);
    }
    if (order.successor === null) return;
    const { caughtUp, note }: CatchUp = await waitForSuccessor(
      { session: second, dialect: old.dialect },
      order.successor,
      order.deadline,
      context,
    );
    this.#proof = { ...this.#proof, caughtUp };
    if (note !== undefined) this.notes.push(note);
  }

  close(): void {
    this.old.session.close();
    this.#second?.close();
  }

  async #stopWrites(second: DatabaseSession, killer: SessionKiller, deadline: number): Promise<void> {
    const { old, context } = this;
    // Already so, and not asked for again: to set it waits for whoever holds a lock.
    if (!this.#proof.readOnly) {
      const problem = await makeReadOnly(old, second, killer, { deadline, context });
      this.#proof = { ...this.#proof, readOnly: problem === undefined };
      if (problem !== undefined) this.notes.push(problem);
    }
    // Who came before it was read-only may hold a transaction. Who comes later finds it read-only.
    const before = new Set((await killer.list(deadline)).map(({ id }) => id));
    this.#proof = { ...this.#proof, left: before.size };
    const binding = this.#proof.readOnly && old.dialect.superReadOnly;
    const left = await killer.killAll(
      deadline,
      (session) => before.has(session.id) && !(binding && killer.isSpared(session)),
    );
    this.#proof = { ...this.#proof, left: left.length };
  }

  /**
   * One session waits for read_only while the other kills. Where the server has no room for a second one (errno 1040; an
   * administrator has one place more), room is made first.
   */
  async #openSecond(deadline: number): Promise<DatabaseSession> {
    const { order, context } = this;
    try {
      this.#second = await openSession(order.outgoing, deadline, context);
    } catch (error) {
      if (!isDatabaseError(error) || error.errno === undefined) throw error;
      const killer = this.#killer(undefined);
      await killer.kill(await killer.list(deadline), deadline);
      this.#countKilled(killer);
      this.#second = await openSession(order.outgoing, deadline, context);
    }
    return this.#second;
  }

  #countKilled(killer: SessionKiller): void {
    this.#proof = { ...this.#proof, killed: this.#proof.killed + killer.killed };
  }

  #killer(second: DatabaseSession | undefined): SessionKiller {
    const { order, old, context } = this;
    const ids = [old.session.id, ...(second === undefined ? [] : [second.id])];
    const users = [context.account.user, ...order.keepUsers];
    return new SessionKiller(second ?? old.session, { ids, users }, context);
  }
}
