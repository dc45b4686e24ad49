import { SESSIONS_STATEMENT } from "../database/dialect.js";
import { type DatabaseContext, databaseProblem, statementLimit } from "../database/server.js";
import { type DatabaseSession, isDatabaseError } from "../database/session.js";
import { type ClientSession, type Kept, clientSessions } from "./sessions.js";

/** ER_NO_SUCH_THREAD: it has ended by itself. */
const NO_SUCH_THREAD = 1094;

/** Between two looks. Milliseconds. */
const PAUSE_MS = 20;

/** Kills the sessions of one server that could write. */
export class SessionKiller {
  readonly #session: DatabaseSession;
  readonly #kept: Kept;
  readonly #context: DatabaseContext;
  readonly #killed = new Set<number>();
  readonly #refused = new Map<number, string>();

  constructor(session: DatabaseSession, kept: Kept, context: DatabaseContext) {
    this.#session = session;
    this.#kept = kept;
    this.#context = context;
  }

  /** How many were killed. */
  get killed(): number {
    return this.#killed.size;
  }

  /** What the server said where it would not kill a session, once each. */
  get refusals(): string[] {
    return [...new Set(this.#refused.values())];
  }

  /** Did the server refuse to kill it (of an account with SYSTEM_USER, for one)? */
  isSpared(session: ClientSession): boolean {
    return this.#refused.has(session.id);
  }

  /** @throws {DatabaseError} when the server does not answer */
  async list(deadline: number): Promise<ClientSession[]> {
    const rows = await this.#session.query(SESSIONS_STATEMENT, statementLimit(deadline, this.#context));
    return clientSessions(rows, this.#kept);
  }

  /**
   * Tells each of them to end. One that can't be killed stops none of the others.
   * @throws {DatabaseError} when the server does not answer
   */
  async kill(sessions: readonly ClientSession[], deadline: number): Promise<void> {
    for (const one of sessions) {
      if (this.#context.world.elapsed() >= deadline) return;
      try {
        await this.#session.query(
          `KILL CONNECTION ${String(one.id)}`,
          statementLimit(deadline, this.#context),
        );
        this.#killed.add(one.id);
        this.#refused.delete(one.id);
      } catch (error) {
        if (!isDatabaseError(error) || error.errno === undefined) throw error;
        if (error.errno !== NO_SUCH_THREAD) this.#refused.set(one.id, databaseProblem(error));
      }
    }
  }

  /**
   * Kills until none of those is left that `counts` counts, or until the deadline; answers who is.
   * @throws {DatabaseError} when the server does not answer
   */
  async killAll(
    deadline: number,
    counts: (session: ClientSession) => boolean,
  ): Promise<readonly ClientSession[]> {
    const { world } = this.#context;
    for (;;) {
      const sessions = await this.list(deadline);
      const left = sessions.filter(counts);
      if (sessions.length === 0 || world.elapsed() >= deadline) return left;
      await this.kill(sessions, deadline);
      if (left.length === 0) return left;
      await world.pause(Math.min(PAUSE_MS, Math.max(0, deadline - world.elapsed())));
    }
  }
}
