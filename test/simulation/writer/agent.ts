import { type HookEvent, type Server, sameServer } from "@primacy/contract";
import type { MasterWord } from "../../../packages/writer/src/resolve.js";
import { SERVERS } from "../world/servers.js";
import { type WriterParts, commit, read } from "./commit.js";
import type { Database, Takeover } from "./takeover.js";

export interface AgentParts extends WriterParts {
  readonly databases: readonly Database[];
  readonly spool: HookEvent[];
  /** The takeovers that promoted a server, oldest first, as Orchestrator's audit has them. */
  readonly promotions: readonly Takeover[];
  readonly recovering: () => boolean;
}

const PERIOD_MS = 2000;
const COMMIT_MS = 5000;

/** The agent: delivers what was spooled, ends overdue phases, and replays a promotion of which no hook told. */
export class Agent {
  constructor(private readonly parts: AgentParts) {}

  start(): void {
    const { process } = this.parts;
    process.after(process.engine.random.between(0.8, 1.2) * PERIOD_MS, () => {
      this.#turn(() => {
        this.start();
      });
    });
  }

  #turn(done: () => void): void {
    const { spool } = this.parts;
    const [event] = spool;
    if (event === undefined) {
      this.#look(done);
      return;
    }
    commit(this.parts, { event, deadlineMs: COMMIT_MS }, (outcome) => {
      if (outcome.kind === "unreachable") {
        done();
        return;
      }
      spool.shift();
      this.#turn(done);
    });
  }

  #look(done: () => void): void {
    const { rules, process, recovering } = this.parts;
    read(this.parts, (snapshot) => {
      if (snapshot?.record.kind !== "valid") {
        done();
        return;
      }
      const record = snapshot.record.value;
      if (record.phase === "open") {
        const lost = recovering() ? undefined : this.#after(record.master);
        if (lost === undefined) done();
        else commit(this.parts, { event: lost.opening, deadlineMs: COMMIT_MS }, done);
        return;
      }
      const resolution = rules.resolve(record, this.#word(), process.host.wallNow(), SERVERS);
      process.engine.tell(process.name, () => `${resolution.rule}: ${resolution.reason}`);
      if (resolution.kind === "event")
        commit(this.parts, { event: resolution.event, deadlineMs: COMMIT_MS }, done);
      else done();
    });
  }

  #word(): MasterWord {
    const { databases, consul, recovering } = this.parts;
    const { master } = consul.record;
    const database = databases.find((one) => sameServer(one.server, master));
    const outgoing =
      database?.alive === true ? (database.readOnly ? "read-only" : "writable") : "unreachable";
    const successor = this.#after(master)?.plan.successor ?? null;
    return { successor, outgoing, recovering: recovering() };
  }

  /** The promotion by which this master was followed, since it became one itself. */
  #after(master: Server): Takeover | undefined {
    const { promotions } = this.parts;
    const became = promotions.findLastIndex((one) => sameServer(one.plan.successor, master));
    return promotions.find((one, index) => index > became && sameServer(one.plan.outgoing, master));
  }
}
