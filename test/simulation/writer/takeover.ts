import type { Cause, EventOf, HookEvent, MasterRecord, Server } from "@primacy/contract";
import { sameServer } from "@primacy/contract";
import type { Engine } from "../world/engine.js";
import { Process } from "../world/host.js";
import { type Before, type Committed, type WriterParts, commit, read } from "./commit.js";
import { hold } from "./hold.js";

/** A hook's own limit. Milliseconds. */
const HOOK_MS = 8000;

/** One of the database servers, as it is. */
export interface Database {
  readonly server: Server;
  alive: boolean;
  readOnly: boolean;
}

/** What a takeover is to be like. */
export interface TakeoverPlan {
  readonly outgoing: Server;
  readonly successor: Server;
  readonly preHooks: boolean;
  readonly graceful: boolean;
  /** It fails, and PostUnsuccessfulFailover comes. */
  readonly fails: boolean;
  /** Orchestrator dies after so many hooks and does nothing any more; null: it lives. */
  readonly diesAfter: number | null;
  /** It dies between the promotion and the hook that says so. */
  readonly losesOpen: boolean;
  /** Hooks that come twice, and one very late. */
  readonly repeats: boolean;
  /** How likely a hook's process is to die in the middle. */
  readonly hookDies: number;
}

/** What takeovers happen to. */
export interface TakeoverParts extends Omit<WriterParts, "process"> {
  readonly engine: Engine;
  readonly orchestrator: Process;
  readonly databases: readonly Database[];
  /** Events that Consul was not there for, oldest first. */
  readonly spool: HookEvent[];
  /** The new master takes writes from now on; `fenced`: after a complete fence of this generation. */
  readonly onOpened: (plan: TakeoverPlan, fenced: MasterRecord | null) => void;
  readonly onEnded: (takeover: Takeover) => void;
  /** Hooks that will yet come, whatever has become of the takeover. */
  late: number;
}

/** Orchestrator's steps of one takeover, each hook a process of its own, one after another. */
export class Takeover {
  readonly #cause: Omit<Cause, "rule">;
  readonly #beganAt: string;
  #hooksRun = 0;
  #ended = false;
  /** The fence whose barrier was reached. */
  #fence: MasterRecord | null = null;

  constructor(
    readonly plan: TakeoverPlan,
    private readonly parts: TakeoverParts,
  ) {
    const { host } = parts.orchestrator;
    this.#beganAt = host.isoNow();
    this.#cause = {
      kind: plan.graceful ? "graceful-takeover" : "dead-master",
      failureType: "DeadMaster",
      recoveryUid: `${String(host.wallNow())}000000:${String(parts.engine.nextId())}`,
      command: plan.graceful ? "graceful-master-takeover" : "",
    };
  }

  begin(): void {
    const { plan, parts } = this;
    const how = plan.graceful ? "graceful takeover" : "failover";
    parts.engine.tell("orch", () => `${how} ${plan.outgoing.host} -> ${plan.successor.host}`);
    if (!plan.graceful) this.#database(plan.outgoing).alive = false;
    if (!plan.preHooks) this.#later(() => this.#promote());
    else if (plan.graceful) this.#drain();
    else this.#fenceOff();
  }

  get recoveryUid(): string {
    return this.#cause.recoveryUid;
  }

  /** The event that ends it, as a hook or a replay says it. */
  get opening(): EventOf<"open"> {
    const { outgoing, successor } = this.plan;
    return { kind: "open", outgoing, successor, cause: this.#cause, beganAt: this.#beganAt };
  }

  #drain(): void {
    const { outgoing, successor } = this.plan;
    const event: HookEvent = {
      kind: "drain",
      outgoing,
      successor,
      cause: { ...this.#cause, recoveryUid: "" },
      beganAt: null,
    };
    this.#preHook(event, () => {
      // Orchestrator makes the old master read-only before the failover proper.
      this.#database(outgoing).readOnly = true;
      this.#fenceOff();
    });
  }

  #fenceOff(): void {
    const { outgoing, fails } = this.plan;
    const event = { kind: "fence" as const, outgoing, cause: this.#cause, beganAt: this.#beganAt };
    this.#preHook(event, () => {
      this.#later(() => {
        if (fails) this.#abort();
        else this.#promote();
      });
    });
  }

  /** Commits, holds, and says whether the takeover goes on. */
  #preHook(event: EventOf<"drain"> | EventOf<"fence">, next: () => void): void {
    const { layout } = this.parts;
    const hook = this.#hook(event.kind);
    const end = (complete: boolean): void => {
      if (complete || layout.onFenceFailure === "continue") {
        this.#afterHook(next);
        return;
      }
      // Whoever stops it must also end it.
      const abort: HookEvent = {
        ...event,
        kind: "abort",
        cause: { ...event.cause, kind: "failover-failed" },
      };
      commit(hook, { event: abort, deadlineMs: HOOK_MS }, (outcome) => {
        this.#keepForLater(abort, outcome);
        this.#giveBack();
        this.#end();
      });
    };
    commit(hook, { event, deadlineMs: HOOK_MS }, (outcome) => {
      if (outcome.kind !== "applied" && outcome.kind !== "nothing") {
        end(false);
        return;
      }
      const { record } = outcome;
      if (record.phase === "open" || !this.parts.rules.steps.waitsForBarrier) {
        this.#fence = record.phase === "fenced" ? record : null;
        end(true);
        return;
      }
      hold(hook, record, (barrier) => {
        if (barrier.kind === "reached" && record.phase === "fenced") this.#fence = record;
        end(barrier.kind === "reached");
      });
    });
  }

  #promote(): void {
    const { layout, engine } = this.parts;
    const { successor } = this.plan;
    if (layout.openedBy === "orchestrator") {
      engine.tell("orch", () => `promotes ${successor.host}`);
      this.#makeWritable(this.#fence);
      if (this.plan.losesOpen) {
        this.#end();
        return;
      }
      this.#later(() => {
        this.#open(this.#hook("open"));
      });
    } else {
      this.#open(this.#hook("open"), this.#openPrimacy());
    }
  }

  #open(hook: WriterParts, before?: Before): void {
    const { spool, layout, orchestrator } = this.parts;
    const event = this.opening;
    if (layout.openedBy === "orchestrator" && spool.length > 0) {
      // Behind the others.
      spool.push(event);
      this.#afterOpen();
      return;
    }
    const deadlineMs = before === undefined ? HOOK_MS : HOOK_MS * 6;
    commit(hook, { event, deadlineMs, before }, (outcome) => {
      if (outcome.kind === "unreachable" && before !== undefined) {
        // Nothing was opened: it is tried again until somebody ends it.
        orchestrator.after(1000, () => {
          this.#open(this.#hook("open"), before);
        });
        return;
      }
      this.#keepForLater(event, outcome);
      this.#afterOpen();
    });
  }

  #afterOpen(): void {
    const { repeats } = this.plan;
    if (repeats) {
      // PostFailover and PostGracefulTakeover say the same, and some hook comes very late.
      const event = this.opening;
      const { random } = this.parts.engine;
      this.parts.orchestrator.after(random.between(10, 200), () => {
        commit(this.#hook("open"), { event, deadlineMs: HOOK_MS }, () => undefined);
      });
      this.parts.late += 1;
      this.parts.orchestrator.after(random.between(1000, 25_000), () => {
        commit(this.#hook("late"), { event, deadlineMs: HOOK_MS }, () => {
          this.parts.late -= 1;
        });
      });
    }
    this.#end();
  }

  /** Fence, proxies, then the new master, and only then the record: `beforeOpening` where Primacy opens. */
  #openPrimacy(): Before {
    return (current, next) => {
      const { outgoing } = this.plan;
      const hook = this.#hook("primacy");
      if (current.phase !== "fenced") {
        const fence = { kind: "fence" as const, outgoing, cause: this.#cause, beganAt: this.#beganAt };
        commit(hook, { event: fence, deadlineMs: HOOK_MS }, (outcome) => {
          next(outcome.kind === "applied" || outcome.kind === "nothing" ? "again" : "not");
        });
        return;
      }
      const { layout, rules } = this.parts;
      if (!rules.steps.waitsForBarrier) {
        this.#makeWritable(current);
        next("go");
        return;
      }
      hold(hook, current, (barrier) => {
        const complete = barrier.kind === "reached";
        if (!complete && layout.onFenceFailure === "stop") {
          next("not");
          return;
        }
        if (!rules.steps.looksBeforeOpening) {
          this.#makeWritable(complete ? current : null);
          next("go");
          return;
        }
        read(hook, (snapshot) => {
          const now = snapshot?.record;
          if (now?.kind !== "valid" || now.value.generation !== current.generation) {
            next("again");
            return;
          }
          this.#makeWritable(complete ? current : null);
          next("go");
        });
      });
    };
  }

  #makeWritable(fence: MasterRecord | null): void {
    const { onOpened } = this.parts;
    const successor = this.#database(this.plan.successor);
    if (!successor.readOnly) return;
    successor.readOnly = false;
    // It is a replica from now on, or will be one when it comes back.
    this.#database(this.plan.outgoing).readOnly = true;
    onOpened(this.plan, fence);
  }

  #abort(): void {
    const { outgoing } = this.plan;
    const event: HookEvent = {
      kind: "abort",
      outgoing,
      cause: { ...this.#cause, kind: "failover-failed" },
      beganAt: this.#beganAt,
    };
    this.#giveBack();
    commit(this.#hook("abort"), { event, deadlineMs: HOOK_MS }, (outcome) => {
      this.#keepForLater(event, outcome);
      this.#end();
    });
  }

  /** The outgoing master lives and stays the master. */
  #giveBack(): void {
    const outgoing = this.#database(this.plan.outgoing);
    outgoing.alive = true;
    outgoing.readOnly = false;
  }

  #keepForLater(event: HookEvent, outcome: Committed): void {
    if (outcome.kind === "unreachable") this.parts.spool.push(event);
  }

  #hook(name: string): WriterParts {
    this.#hooksRun += 1;
    const { orchestrator, engine } = this.parts;
    const process = new Process(`hook:${name}`, orchestrator.host);
    if (name !== "late" && engine.random.chance(this.plan.hookDies)) {
      engine.after(engine.random.between(0, 6000), () => {
        if (this.#ended) return;
        process.crash();
        // A Pre hook that dies stops the takeover; of any other nobody takes note.
        this.#end();
      });
    }
    return { ...this.parts, process };
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.parts.onEnded(this);
  }

  #afterHook(next: () => void): void {
    const { diesAfter } = this.plan;
    if (diesAfter !== null && this.#hooksRun >= diesAfter) {
      this.parts.engine.tell("orch", () => "dies: no more hooks");
      this.#end();
      return;
    }
    this.#later(next);
  }

  /** Orchestrator takes its time between two steps. */
  #later(next: () => void): void {
    const { orchestrator, engine } = this.parts;
    orchestrator.after(engine.random.between(10, 1500), () => {
      if (!this.#ended) next();
    });
  }

  #database(server: Server): Database {
    return this.parts.databases.find((one) => sameServer(one.server, server))!;
  }
}
