import type { Cause, EventOf, HookEvent, MasterRecord, Server } from "@primacy/contract";
import type { PlannedTakeover } from "../scenario.js";
import type { Engine } from "../world/engine.js";
import { Process } from "../world/host.js";
import { commit } from "./commit.js";
import { hold } from "./hold.js";
import { type WriterProcess, type WriterWorld, beforeOpening } from "./opening.js";

/** A hook's own limit. Milliseconds. */
const HOOK_MS = 8000;
/** A hook that opens waits for the proxies too. Milliseconds. */
const OPENING_HOOK_MS = 48_000;

/** A takeover as it was planned, once it is known who is the master then. */
export interface TakeoverPlan extends PlannedTakeover {
  readonly outgoing: Server;
  readonly successor: Server;
}

/** What takeovers happen to. */
export interface TakeoverParts extends WriterWorld {
  readonly engine: Engine;
  /** Orchestrator's own. */
  readonly process: Process;
  /** A hook will come, whatever has become of the takeover; `onLate(-1)`: it has. */
  readonly onLate: (by: number) => void;
  /** Orchestrator has chosen, and will not go back. */
  readonly onPromoted: (event: EventOf<"open">) => void;
  readonly onEnded: () => void;
}

/** Orchestrator's steps of one takeover, each hook a process of its own, one after another. */
export class Takeover {
  #cause: Omit<Cause, "rule">;
  #beganAt: string;
  #hooksRun = 0;
  #hook: Process | null = null;
  #promoted = false;
  #ended = false;
  /** The fence whose barrier was reached. */
  #fence: MasterRecord | null = null;

  constructor(
    readonly plan: TakeoverPlan,
    private readonly parts: TakeoverParts,
  ) {
    this.#beganAt = parts.process.host.isoNow();
    this.#cause = {
      kind: plan.graceful ? "graceful-takeover" : "dead-master",
      failureType: "DeadMaster",
      recoveryUid: "",
      command: plan.graceful ? "graceful-master-takeover" : "",
    };
  }

  begin(): void {
    const { plan, parts } = this;
    const how = plan.graceful ? "graceful takeover" : "failover";
    parts.engine.tell("orch", () => `${how} ${plan.outgoing.host} -> ${plan.successor.host}`);
    if (!plan.graceful) parts.databases.of(plan.outgoing).alive = false;
    if (plan.graceful && plan.preHooks) this.#drain();
    else this.#recover();
  }

  /** Somebody ends Orchestrator's doings. False: it is too late for that. */
  callOff(): boolean {
    if (this.#ended || this.#promoted) return false;
    const { parts, plan } = this;
    parts.engine.tell("orch", () => "is called off");
    this.#hook?.crash();
    parts.databases.giveBack(plan.outgoing);
    parts.orchestrator.end(this.#cause.recoveryUid, null);
    this.#end();
    return true;
  }

  get wasPromoted(): boolean {
    return this.#promoted;
  }

  #drain(): void {
    const { outgoing, successor } = this.plan;
    const event = { kind: "drain" as const, outgoing, successor, cause: this.#cause, beganAt: null };
    this.#preHook(event, () => {
      // Orchestrator makes the old master read-only before the failover proper.
      this.parts.databases.of(outgoing).readOnly = true;
      this.#recover();
    });
  }

  /** The failover proper, which Orchestrator registers. */
  #recover(): void {
    const { outgoing, preHooks, fails } = this.plan;
    const { orchestrator, process } = this.parts;
    this.#beganAt = process.host.isoNow();
    this.#cause = { ...this.#cause, recoveryUid: orchestrator.register(outgoing) };
    const go = (): void => {
      this.#later(() => {
        if (fails) this.#abort();
        else this.#promote();
      });
    };
    if (!preHooks) go();
    else this.#preHook({ kind: "fence", outgoing, cause: this.#cause, beganAt: this.#beganAt }, go);
  }

  /** Commits, holds, and says whether the takeover goes on. */
  #preHook(event: EventOf<"drain"> | EventOf<"fence">, next: () => void): void {
    const { layout, rules } = this.parts;
    const hook = this.#begin(event.kind);
    const end = (complete: boolean): void => {
      if (complete || layout.onFenceFailure === "continue") this.#afterHook(next);
      else this.#takeBack(hook, event);
    };
    commit(hook, { event, deadlineMs: HOOK_MS }, (outcome) => {
      if (outcome.kind !== "applied" && outcome.kind !== "nothing") {
        end(false);
        return;
      }
      const { record } = outcome;
      if (record.phase === "open" || !rules.steps.waitsForBarrier) {
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

  /** Whoever stops it must also end it. */
  #takeBack(hook: WriterProcess, event: EventOf<"drain"> | EventOf<"fence">): void {
    const { outgoing, cause, beganAt } = event;
    const abort = {
      kind: "abort" as const,
      outgoing,
      beganAt,
      cause: { ...cause, kind: "failover-failed" as const },
    };
    this.#commitOrSpool(hook, abort, () => {
      this.parts.databases.giveBack(outgoing);
      this.#end();
    });
  }

  #promote(): void {
    const { layout, engine, orchestrator, onWritable, onPromoted } = this.parts;
    const { successor, outgoing, losesOpen } = this.plan;
    const { recoveryUid } = this.#cause;
    const event: EventOf<"open"> = {
      kind: "open",
      outgoing,
      successor,
      cause: this.#cause,
      beganAt: this.#beganAt,
    };
    engine.tell("orch", () => `promotes ${successor.host}`);
    this.#promoted = true;
    onPromoted(event);
    // Where Primacy opens, it stays read-only so far.
    if (layout.openedBy === "orchestrator") onWritable(event, this.#fence);
    orchestrator.end(recoveryUid, successor);
    if (losesOpen) this.#end();
    else this.#later(() => this.#open(event));
  }

  #open(event: EventOf<"open">): void {
    this.#commitOrSpool(this.#begin("open"), event, () => {
      if (this.plan.repeats) this.#repeat(event);
      this.#end();
    });
  }

  /** PostFailover and PostGracefulTakeover say the same, and some hooks come very late, a fence's too. */
  #repeat(event: EventOf<"open">): void {
    const { random } = this.parts.engine;
    const { outgoing, cause, beganAt } = event;
    this.#again(event, random.between(10, 200));
    this.#again(event, random.between(1000, 25_000));
    this.#again({ kind: "fence", outgoing, cause, beganAt }, random.between(0, 25_000));
  }

  #again(event: EventOf<"open"> | EventOf<"abort"> | EventOf<"fence">, inMs: number): void {
    const { parts } = this;
    parts.onLate(1);
    parts.process.after(inMs, () => {
      const hook = { ...parts, process: new Process("hook:late", parts.process.host) };
      const end = (): void => {
        parts.onLate(-1);
      };
      if (event.kind === "fence") commit(hook, { event, deadlineMs: HOOK_MS }, end);
      else this.#commitOrSpool(hook, event, end);
    });
  }

  #abort(): void {
    const { outgoing } = this.plan;
    const { databases, orchestrator } = this.parts;
    const cause = { ...this.#cause, kind: "failover-failed" as const };
    databases.giveBack(outgoing);
    orchestrator.end(this.#cause.recoveryUid, null);
    const event = { kind: "abort" as const, outgoing, cause, beganAt: this.#beganAt };
    this.#commitOrSpool(this.#begin("abort"), event, () => {
      if (this.plan.repeats) this.#again(event, this.parts.engine.random.between(0, 25_000));
      this.#end();
    });
  }

  #commitOrSpool(hook: WriterProcess, event: HookEvent, done: () => void): void {
    const { spool } = hook;
    if (spool.length > 0) {
      // Behind the others.
      spool.push(spooled(event, hook));
      done();
      return;
    }
    const before = beforeOpening(hook, event);
    const deadlineMs = before === undefined ? HOOK_MS : OPENING_HOOK_MS;
    commit(hook, { event, deadlineMs, before }, (outcome) => {
      if (outcome.kind === "unreachable") spool.push(spooled(event, hook));
      done();
    });
  }

  #begin(name: string): WriterProcess {
    this.#hooksRun += 1;
    const { process: orchestrator, engine } = this.parts;
    const process = new Process(`hook:${name}`, orchestrator.host);
    this.#hook = process;
    if (engine.random.chance(this.plan.hookDies)) {
      engine.after(engine.random.between(0, 6000), () => {
        if (this.#ended || this.#hook !== process) return;
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
    this.#hook = null;
    this.parts.onEnded();
  }

  #afterHook(next: () => void): void {
    const { diesAfter } = this.plan;
    this.#hook = null;
    if (diesAfter !== null && this.#hooksRun >= diesAfter) {
      this.parts.engine.tell("orch", () => "dies: no more hooks");
      this.#end();
    } else this.#later(next);
  }

  /** Orchestrator takes its time between two steps. */
  #later(next: () => void): void {
    const { process, engine } = this.parts;
    process.after(engine.random.between(10, 1500), () => {
      if (!this.#ended) next();
    });
  }
}

/** An event that is kept for later knows when it was kept, as `spool/entry` has it. */
function spooled(event: HookEvent, { process }: WriterProcess): HookEvent {
  return { ...event, beganAt: event.beganAt ?? process.host.isoNow() };
}
