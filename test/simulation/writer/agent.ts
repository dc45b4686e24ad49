import type { MasterRecord } from "@primacy/contract";
import { NOTHING_SINCE, heldForMs, noteSince } from "../../../packages/writer/src/agent/since.js";
import { commit, read } from "./commit.js";
import { type WriterProcess, beforeOpening } from "./opening.js";

const PERIOD_MS = 2000;
const COMMIT_MS = 5000;
/** With time for the proxies. Milliseconds. */
const OPENING_MS = 48_000;

const SETTINGS = {
  policy: "report",
  repairAfterMs: 30_000,
  replayAfterMs: 3000,
  recoveryPatienceMs: 30_000,
} as const;

/** The agent: delivers what was spooled, ends overdue phases, and replays a promotion of which no hook told. */
export class Agent {
  #since = NOTHING_SINCE;

  constructor(private readonly parts: WriterProcess) {}

  start(): void {
    const { process } = this.parts;
    process.after(process.engine.random.between(0.8, 1.2) * PERIOD_MS, () => {
      this.#deliver(() => {
        this.start();
      });
    });
  }

  /** One event of the spool after the other, then a look at the record. */
  #deliver(done: () => void): void {
    const { spool } = this.parts;
    const [event] = spool;
    if (event === undefined) {
      this.#look(done);
      return;
    }
    this.#commit(event, (isSettled) => {
      if (!isSettled) {
        done();
        return;
      }
      spool.shift();
      this.#deliver(done);
    });
  }

  #look(done: () => void): void {
    read(this.parts, (snapshot) => {
      if (snapshot?.record.kind === "valid") this.#decide(snapshot.record.value, done);
      else done();
    });
  }

  #decide(record: MasterRecord, done: () => void): void {
    const { rules, process, layout, orchestrator } = this.parts;
    const nowMs = process.host.wallNow();
    const heldFor = (what: string): number => heldForMs(this.#since, what, nowMs);
    const context = { nowMs, heldFor, settings: SETTINGS };
    const decision = rules.decideRecord(orchestrator.look(), record, layout, context);
    this.#since = noteSince(this.#since, decision.watched, nowMs);
    process.engine.seen.note(`agent ${decision.rule}`);
    if (decision.rule !== "in-agreement") {
      process.engine.tell(process.name, () => `${decision.rule}: ${decision.reason}`);
    }
    if (decision.event === null) done();
    else this.#commit(decision.event, done);
  }

  #commit(event: Parameters<typeof beforeOpening>[1], done: (isSettled: boolean) => void): void {
    const before = beforeOpening(this.parts, event);
    const deadlineMs = before === undefined ? COMMIT_MS : OPENING_MS;
    commit(this.parts, { event, deadlineMs, before }, (outcome) => {
      done(outcome.kind !== "unreachable");
    });
  }
}
