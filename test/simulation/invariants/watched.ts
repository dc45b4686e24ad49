import { type Engine, Violation } from "../world/engine.js";
import type { ProxySqlModel } from "../world/proxysql.js";

/** One ProxySQL with its watcher, as the invariants see it. */
export interface Watched {
  readonly proxysql: ProxySqlModel;
  /** Since when nothing has gone wrong around it; Infinity while something does. */
  readonly goodSinceMs: number;
  /** Since when its admin port answers; Infinity while it does not. */
  readonly answersSinceMs: number;
  /** Is its whole machine frozen? Then nothing goes through it. */
  readonly frozen: boolean;
  /** Since when its machine goes on, with the right time; Infinity while it does not, -Infinity where it always has. */
  readonly awakeSinceMs: number;
  highestApplied: number;
}

/** The newest record that a watcher has read, and when. True milliseconds. */
export interface KnownRecord {
  readonly generation: number;
  readonly atMs: number;
}

/** Ends the run. */
export function broken(engine: Engine, invariant: string, detail: string): never {
  throw new Violation(invariant, detail, engine.now);
}
