import { hostname } from "node:os";
import type { ConsulStore } from "@primacy/consul-store";
import { type Parsed, keyName } from "@primacy/contract";
import type { CommitContext } from "./commit.js";
import type { Ending } from "./ending.js";
import type { Variables } from "./hook/environment.js";
import type { Settings } from "./options.js";
import { beforeOpening } from "./phases/before-opening.js";
import type { PhaseMeans } from "./phases/hold.js";
import type { Terminal } from "./terminal.js";
import type { World } from "./world.js";

/** Everything that a command works with. */
export interface Run {
  /** What stands on the command line behind the command's own name, without flags. */
  readonly words: readonly string[];
  /** Flags with a value. */
  readonly flags: Variables;
  /** Flags without one. */
  readonly switches: ReadonlySet<string>;
  readonly environment: Variables;
  readonly settings: Settings;
  readonly store: ConsulStore;
  readonly terminal: Terminal;
  readonly world: World;
  readonly signal: AbortSignal;
  /** When to stop trying, on the world's `elapsed` clock. */
  readonly deadline: number;
}

export type Command = (run: Run) => Promise<Ending>;

export function commitContext(run: Run, byPerson: boolean): CommitContext {
  const { settings } = run;
  const host = hostname();
  const commit: CommitContext = {
    store: run.store,
    world: run.world,
    writtenBy: (byPerson && settings.person !== undefined ? `${settings.person}@${host}` : host).slice(
      0,
      253,
    ),
    orchestratorKeys: settings.orchestratorKeys,
    signal: run.signal,
  };
  const { deadlineMs, stopOnFailure } = settings;
  return {
    ...commit,
    beforeOpening: beforeOpening({ ...phaseMeans(run), commit, deadlineMs, stopOnFailure }),
  };
}

/** What a drain or a fence is held with. */
export function phaseMeans({ store, settings, world, signal }: Run): PhaseMeans {
  const { database, spool, waitMs } = settings;
  return { store, world, signal, waitMs, settings: database, spoolFolder: spool.folder };
}

/** Time for the next thing: what an operator reads and answers in between doesn't count. */
export function freshDeadline(run: Run): number {
  return run.world.elapsed() + run.settings.deadlineMs;
}

/** The cluster that a command was given as its word at `index`. */
export function clusterWord(run: Run, index = 0): Parsed<string> {
  const word = run.words[index];
  if (word === undefined) return { ok: false, problem: "which cluster?" };
  return keyName(word, "cluster");
}

export function usage(problem: string): Ending {
  return { exit: "usage", line: problem };
}
