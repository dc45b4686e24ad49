import { type Mark, markOf } from "../../../packages/watcher/src/admission.js";
import type { Documents, Moment, PassDecision } from "../../../packages/watcher/src/decide.js";
import type { Outcome, RecordName, Verified } from "../../../packages/watcher/src/outcome.js";
import { type Step, writersIn } from "../../../packages/watcher/src/plan.js";
import { mayBeWritten } from "../../../packages/watcher/src/rows.js";
import type { Begun } from "../../../packages/watcher/src/too-late.js";
import type { Rules } from "../rules.js";
import { onAdmin } from "../world/admin.js";
import type { Process } from "../world/host.js";
import type { ProxySqlModel } from "../world/proxysql.js";
import { WRITER } from "../world/servers.js";

/** The watcher's own disk. */
export interface StateFile {
  mark: Mark | null;
  /** Until when nothing gets onto it. True milliseconds. */
  stallsUntilMs: number;
  /** What happens as the mark of an open record is written the next time. */
  atNextOpening: (() => void) | null;
}

export interface PassParts {
  readonly process: Process;
  readonly proxysql: ProxySqlModel;
  readonly state: StateFile;
  readonly rules: Rules;
  readonly moment: () => Moment;
  /** A record is being put into force here. */
  readonly onApply: (generation: number, lets: boolean) => void;
}

type Apply = Extract<PassDecision, { kind: "apply" }>;

/** One pass, as `pass` makes it: read, decide, carry out, verify. `done` runs once, unless the process dies. */
export function runPass(documents: Documents, parts: PassParts, done: (outcome: Outcome) => void): void {
  new Pass(documents, parts, done).begin();
}

class Pass {
  readonly #record: RecordName;
  #notDurable: string | null = null;
  #begun: Begun = { atMs: 0, fences: 0 };

  constructor(
    private readonly documents: Documents,
    private readonly parts: PassParts,
    private readonly done: (outcome: Outcome) => void,
  ) {
    const { generation, incarnation, phase } = documents.record;
    this.#record = { generation, incarnation, phase };
  }

  begin(): void {
    const { proxysql, process, moment } = this.parts;
    this.#begun = { atMs: process.host.monotonicNow(), fences: moment().fences };
    this.#admin(
      () => ({ memory: proxysql.memory, disk: proxysql.disk, stamp: proxysql.stamp }),
      ({ memory, disk, stamp }) => {
        this.#admin(
          () => ({ runtime: proxysql.runtime, inUse: proxysql.inUse }),
          ({ runtime, inUse }) => {
            const facts = { layers: { memory, disk, runtime }, ownership: null, stamp, inUse };
            this.#decide(facts, stamp);
          },
        );
      },
    );
  }

  #decide(facts: Parameters<Rules["decide"]>[1], stamp: Mark | null): void {
    const { rules, state, moment } = this.parts;
    const marks = [state.mark, stamp].filter((one): one is Mark => one !== null);
    const decision = rules.decide(this.documents, facts, marks, moment());
    const writers = writersIn(facts.layers.runtime, this.documents.layout.hostgroups.writer);
    if (decision.kind === "refuse") {
      this.done({ ...decision, kind: "refused", record: this.#record, writers });
    } else if (decision.kind === "conflict") {
      this.done({ ...decision, record: this.#record, writers });
    } else if (decision.isNew && rules.steps.remembersFirst) {
      this.#remember(() => {
        this.#carryOut(decision, 0);
      });
    } else {
      this.#carryOut(decision, 0);
    }
  }

  #remember(then: () => void): void {
    const { process, state } = this.parts;
    if (this.#record.phase === "open" && state.mark !== null) {
      state.atNextOpening?.();
      state.atNextOpening = null;
    }
    const stallsMs = Math.max(0, state.stallsUntilMs - process.engine.now);
    process.after(stallsMs + process.engine.random.between(0.5, 10), () => {
      state.mark = markOf(this.documents.record, this.documents.hash);
      then();
    });
  }

  #carryOut(decision: Apply, at: number): void {
    const step = decision.plan.steps[at];
    if (step === undefined) {
      this.#finish(decision);
      return;
    }
    const { rules } = this.parts;
    const next = (): void => {
      this.#carryOut(decision, at + 1);
    };
    const lets = decision.wanted.rows.some(mayBeWritten);
    if ((step.kind === "update" || step.kind === "load") && lets) {
      const nowMs = this.parts.process.host.monotonicNow();
      const late = rules.tooLate(this.#begun, nowMs, this.parts.moment());
      if (late !== null) {
        this.#failed(late.code, late.reason);
        return;
      }
    }
    this.#run(step, decision, next);
  }

  #run(step: Step, decision: Apply, next: () => void): void {
    const { proxysql, rules, onApply } = this.parts;
    if (step.kind === "verify") {
      if (!rules.steps.verifies) {
        next();
        return;
      }
      this.#admin(
        () => proxysql.runtime,
        (runtime) => {
          const differences = rules.runtimeDifferences(decision.wanted, runtime);
          if (differences.length > 0) this.#failed("PROXYSQL_NOT_VERIFIED", differences.join("; "));
          else next();
        },
      );
      return;
    }
    if (step.kind === "stamp") {
      if (!rules.steps.stamps) {
        next();
        return;
      }
      const mark = markOf(this.documents.record, this.documents.hash);
      this.#admin(() => proxysql.execute({ kind: "stamp", mark }), next);
      return;
    }
    const statement =
      step.kind === "update" && !rules.steps.statementsCarryDeadline
        ? { ...step, openUntilSeconds: null }
        : step;
    if (step.kind === "update" && step.rows.some(mayBeWritten)) this.parts.process.noteCall("opening");
    this.#admin(() => {
      if (step.kind === "load") onApply(this.#record.generation, decision.wanted.rows.some(mayBeWritten));
      proxysql.execute(statement);
    }, next);
  }

  #finish(decision: Apply): void {
    const { proxysql, rules } = this.parts;
    this.#admin(
      () => ({ runtime: proxysql.runtime, inUse: proxysql.inUse }),
      ({ runtime, inUse }) => {
        const verified: Verified = {
          record: this.#record,
          writers: rules.steps.verifies
            ? writersIn(runtime, WRITER)
            : decision.wanted.writer === null
              ? []
              : [decision.wanted.writer],
          connectionsInUse: inUse
            .filter((one) => decision.wanted.writer?.host !== one.host)
            .reduce((sum, one) => sum + one.used, 0),
          differences: decision.plan.differences,
          loaded: decision.plan.runtimeDiffers,
          isNew: decision.isNew,
          tookMs: null,
          notDurable: this.#notDurable,
          pendingEditsOfOthers: [],
          warnings: [],
        };
        const end = (): void => {
          this.done(
            decision.withheld === null
              ? { kind: "applied", ...verified }
              : {
                  kind: "withheld",
                  reason: decision.withheld,
                  killed: decision.wanted.kill.length > 0,
                  ...verified,
                },
          );
        };
        if (decision.isNew && !rules.steps.remembersFirst) this.#remember(end);
        else end();
      },
    );
  }

  #admin<T>(work: () => T, then: (value: T) => void): void {
    const { process, proxysql } = this.parts;
    onAdmin(process, proxysql, work, (answer) => {
      if (answer.ok) then(answer.value);
      else this.#failed("PROXYSQL_UNREACHABLE", "no answer");
    });
  }

  #failed(code: string, reason: string): void {
    this.done({ kind: "failed", code, reason, record: this.#record });
  }
}
