import { type EventOf, type HookEvent, type MasterRecord, sameServer } from "@primacy/contract";
import { faultActions } from "./faults.js";
import { HistoryInvariants } from "./invariants/history.js";
import { unrest } from "./invariants/rest.js";
import { RoutingInvariants } from "./invariants/routing.js";
import { broken } from "./invariants/watched.js";
import type { Rules } from "./rules.js";
import type { PlannedTakeover, Scenario } from "./scenario.js";
import { ConsulModel } from "./world/consul.js";
import type { Engine } from "./world/engine.js";
import { Host, Process } from "./world/host.js";
import { ProxyMachine } from "./world/machine.js";
import { Link } from "./world/network.js";
import { CLUSTER, SERVERS, bitOf, placeOf } from "./world/servers.js";
import { sha256 } from "./world/sha256.js";
import { Agent } from "./writer/agent.js";
import { Databases } from "./writer/databases.js";
import { insist, readmit } from "./writer/operator.js";
import type { WriterProcess, WriterWorld } from "./writer/opening.js";
import { OrchestratorView } from "./writer/orchestrator.js";
import { Takeover } from "./writer/takeover.js";

/** After the last fault, everything must have come to rest by then. Milliseconds. */
const REST_MS = 120_000;
/** Nobody who is dead or cut off stays so for ever: then a person comes. Milliseconds after the last fault. */
const PERSON_MS = 5000;
const LOOK_MS = 500;

/** Everything that there is in one run: Consul, the writer's machine, the database servers, and the proxies. */
export class World {
  readonly consul: ConsulModel;
  readonly proxies: readonly ProxyMachine[];
  readonly writerLink: Link;
  readonly routing: RoutingInvariants;
  readonly #history: HistoryInvariants;
  readonly #writerHost: Host;
  readonly #orchestrator: Process;
  readonly #databases = new Databases();
  readonly #spool: HookEvent[] = [];
  readonly #writer: WriterWorld;
  /** The server that takes writes. */
  #truth = SERVERS[0]!;
  /** Recovery whose new master is yet to be made writable. */
  #unopened: string | null = null;
  #running = 0;
  /** Hooks that are still to come, and people who are at it. */
  #late = 0;
  #restAt = Number.POSITIVE_INFINITY;

  constructor(
    readonly engine: Engine,
    readonly scenario: Scenario,
    readonly rules: Rules,
  ) {
    const { layout } = scenario;
    this.consul = new ConsulModel(engine, CLUSTER, layout);
    this.consul.comparesIndexes = rules.steps.comparesIndexes;
    this.writerLink = new Link("orch", engine);
    this.#writerHost = new Host("orch", engine);
    this.#orchestrator = new Process("orch", this.#writerHost);
    this.proxies = Array.from({ length: scenario.proxies }, (_, place) => this.#newProxy(place));
    this.routing = new RoutingInvariants(engine, scenario, this.proxies);
    this.#history = new HistoryInvariants(engine, this.consul);
    this.#writer = {
      link: this.writerLink,
      consul: this.consul,
      layout: layout.value,
      rules,
      databases: this.#databases,
      orchestrator: new OrchestratorView(this.#orchestrator, this.#databases, layout.value),
      spool: this.#spool,
      onAccepted: (record) => {
        this.#history.accepted(record);
      },
      onWritable: (event, fence) => {
        this.#makeWritable(event, fence);
      },
    };
  }

  go(): void {
    const { engine, scenario, consul } = this;
    consul.onCommit = (record) => {
      engine.seen.note(`phase ${record.phase}`);
      this.routing.committed(record);
      this.#history.committed(record);
    };
    this.#bootstrap();
    this.#writer.orchestrator.start();
    for (const proxy of this.proxies) engine.after(engine.random.between(0, 800), () => proxy.startWatcher());
    engine.after(engine.random.between(0, 2000), () => new Agent(this.#process("agent")).start());
    for (const planned of scenario.takeovers) engine.at(planned.atMs, () => this.#takeOver(planned));
    for (const atMs of scenario.readmitAtMs) engine.at(atMs, () => this.#readmit());
    for (const fault of scenario.faults) faultActions(this, fault);
    engine.at(scenario.healAtMs + PERSON_MS, () => this.#personComes());
    engine.at(scenario.healAtMs + LOOK_MS, () => this.#look());
    engine.afterStep = () => {
      this.routing.check();
    };
    engine.run(scenario.healAtMs + REST_MS, () => engine.now >= this.#restAt);
    const why = this.#unrest();
    if (why !== null) broken(engine, "everything converges once faults are over", why);
    this.#history.finish();
  }

  #process(name: string): WriterProcess {
    return { ...this.#writer, process: new Process(name, this.#writerHost) };
  }

  #bootstrap(): void {
    const { drainSeconds, fenceSeconds } = this.scenario.layout.value;
    const now = this.#writerHost.isoNow();
    const cause = { kind: "bootstrap" as const, failureType: "", recoveryUid: "", command: "" };
    const decision = this.rules.transition(
      null,
      { kind: "bootstrap", master: this.#truth, cause, beganAt: now },
      {
        cluster: CLUSTER,
        now,
        writtenBy: "operator",
        writeId: "write-id-0",
        newIncarnation: "history-1",
        drainSeconds,
        fenceSeconds,
        sha256,
      },
    );
    if (decision.kind !== "write") throw new Error("no bootstrap");
    this.consul.commit(this.consul.index, decision.record);
  }

  #takeOver(planned: PlannedTakeover): void {
    // Orchestrator does not begin a second recovery while one runs.
    const busy = this.#running > 0 || this.#unopened !== null;
    if (busy || this.engine.now > this.scenario.healAtMs) return;
    const outgoing = this.#truth;
    const others = this.#databases.list.filter((one) => one.alive && !sameServer(one.server, outgoing));
    if (others.length === 0) return;
    const { server: successor } = this.engine.random.pick(others);
    this.#running += 1;
    const takeover = new Takeover(
      { ...planned, outgoing, successor },
      {
        ...this.#writer,
        engine: this.engine,
        process: this.#orchestrator,
        onPromoted: ({ cause }) => {
          this.#unopened = cause.recoveryUid;
        },
        onLate: (by) => {
          this.#late += by;
        },
        onEnded: () => {
          this.#running -= 1;
        },
      },
    );
    takeover.begin();
    if (planned.calledOffAfterMs !== null) {
      this.engine.after(planned.calledOffAfterMs, () => this.#callOff(takeover));
    }
  }

  #callOff(takeover: Takeover): void {
    if (takeover.wasPromoted && this.#unopened !== null) this.#callOffOpening(takeover);
    if (!takeover.callOff()) return;
    this.engine.seen.note("takeover called off");
    // Whoever calls a takeover off lets Orchestrator begin no other until the record says so.
    this.#running += 1;
    insist(this.#process("operator"), takeover.plan.outgoing, () => {
      this.#running -= 1;
    });
  }

  /** The new master is not open yet: the record is what decides, and the hook that opens sees for itself. */
  #callOffOpening({ plan }: Takeover): void {
    this.engine.seen.note("opening called off");
    this.#running += 1;
    insist(this.#process("operator"), plan.outgoing, (stays) => {
      this.#running -= 1;
      if (!stays) return;
      this.#unopened = null;
      this.#databases.giveBack(plan.outgoing);
      // Whoever has opened the other one in the same moment is undone by hand.
      this.#truth = plan.outgoing;
    });
  }

  #readmit(): void {
    this.#late += 1;
    readmit(this.#process("operator"), () => {
      this.#late -= 1;
    });
  }

  #makeWritable(event: EventOf<"open">, fence: MasterRecord | null): void {
    const { successor, outgoing, cause } = event;
    if (fence !== null && this.scenario.layout.value.openedBy === "primacy") this.#history.opens(fence);
    if (this.#unopened !== cause.recoveryUid) return;
    this.#unopened = null;
    this.engine.seen.note(fence === null ? "opened unfenced" : "opened under a fence");
    this.engine.tell("orch", () => `${successor.host} takes writes${fence === null ? ", unfenced" : ""}`);
    this.#databases.promote(successor);
    this.#truth = successor;
    this.#history.promoted(cause.recoveryUid);
    this.routing.opened(placeOf(outgoing), fence);
  }

  /** Somebody looks at the database servers, once Orchestrator has finished: the dead ones come back. */
  #personComes(): void {
    if (this.#running > 0) {
      this.engine.after(PERSON_MS, () => this.#personComes());
      return;
    }
    for (const database of this.#databases.list) database.alive = true;
    this.#databases.promote(this.#truth);
  }

  #look(): void {
    if (this.#unrest() === null) this.#restAt = Math.min(this.#restAt, this.engine.now);
    this.engine.after(LOOK_MS, () => this.#look());
  }

  #unrest(): string | null {
    if (this.#running > 0) return "a takeover, or its calling off, has not ended";
    if (this.#late > 0 || this.#spool.length > 0) return "hooks are still to come";
    if (this.#unopened !== null) return "a new master is still to be opened";
    return unrest(bitOf(this.#truth), this.consul, this.proxies);
  }

  #newProxy(place: number): ProxyMachine {
    return new ProxyMachine(`p${String(place + 1)}`, {
      scenario: this.scenario,
      consul: this.consul,
      rules: this.rules,
      onApply: (machine, generation, known) => {
        this.routing.applied(machine, generation, known);
      },
      onRevival: (machine, server) => {
        this.routing.revived(machine, server);
      },
    });
  }
}
