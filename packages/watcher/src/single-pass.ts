import { ConsulError, ConsulStore } from "@primacy/consul-store";
import { type Mark, markOf, sameMark } from "./admission.js";
import { type Documents, type Moment, type PassDecision, type Reading, readSnapshot } from "./decide.js";
import { drainLeftMs } from "./drain.js";
import { EXIT_CODES, type ExitCode } from "./exit-codes.js";
import { type Lease, leaseEndsAtSeconds } from "./lease.js";
import { leaseIsOver } from "./lease-entries.js";
import { LeaseFile } from "./lease-file.js";
import type { WatcherOptions } from "./options.js";
import { hashOfText } from "./hash.js";
import { type Outcome, conflictText, sentenceOf } from "./outcome.js";
import { type PassContext, pass, readAndDecide } from "./pass.js";
import { Admin } from "./proxysql/admin.js";
import { Proxy } from "./proxysql/proxy.js";
import { CREATE_STAMPS, statementsOf, writeStamp } from "./proxysql/sql.js";
import { StateFile } from "./state-file.js";
import { SYSTEM_CLOCK } from "./timing.js";

/** What a command line tool does with one ProxySQL and Consul, cluster by cluster, and then ends. */
export class SinglePass {
  readonly #store: ConsulStore;
  readonly #proxy: Proxy;

  private constructor(
    private readonly options: WatcherOptions,
    private readonly state: StateFile,
  ) {
    this.#store = new ConsulStore(options.consul);
    this.#proxy = new Proxy(new Admin(options.admin), state.hostgroupsOf(options.clusters));
  }

  /** To `look` makes and changes nothing on disk; whoever works keeps the watcher's memory. Throws OptionsError. */
  static async open(options: WatcherOptions, to: "look" | "work"): Promise<SinglePass> {
    const { stateDirectory, proxy } = options;
    const state =
      to === "look" ? StateFile.peek(stateDirectory, proxy) : StateFile.open(stateDirectory, proxy);
    return new SinglePass(options, await state);
  }

  close(): void {
    this.#proxy.admin.close();
    this.#store.close();
  }

  /** A consistent read; with `deadlineMs`, tried until then. */
  async read(cluster: string, deadlineMs: number): Promise<Reading> {
    try {
      return readSnapshot(await this.#store.readCluster(cluster, { deadlineMs }), cluster, hashOfText, null);
    } catch (error) {
      if (error instanceof ConsulError) return { kind: "hold", reason: `${error.code}: ${error.message}` };
      throw error;
    }
  }

  /** What would be done, as data; nothing is written. Throws AdminError. */
  async plan(cluster: string, documents: Documents): Promise<PlannedPass> {
    const context = this.#context(documents, (await this.#runningLease(documents)) ?? ASSUMED);
    const { decision } = await readAndDecide(documents, context, true);
    const mark = markOf(documents.record, documents.hash);
    const statements =
      decision.kind === "apply"
        ? decision.plan.steps.flatMap((step) => statementsOf(step, cluster, mark))
        : [];
    return { cluster, generation: documents.record.generation, decision, statements };
  }

  /** Under a lease only while a running watcher holds one here: this process has no Consul session of its own. */
  async apply(cluster: string, documents: Documents): Promise<Outcome> {
    const lease = await this.#runningLease(documents);
    if (lease === null) {
      const reason = `${cluster} asks for a lease, and no running watcher holds one for this ProxySQL`;
      return { kind: "held", reason };
    }
    return await pass(documents, this.#context(documents, lease), true);
  }

  /**
   * An operator's word that this ProxySQL may follow the present record, whatever it has had: both memories are set to
   * it. Returns what they said before. Throws AdminError.
   */
  async accept(cluster: string, documents: Documents): Promise<readonly Mark[]> {
    const mark = markOf(documents.record, documents.hash);
    const { stamps } = await this.#proxy.facts(cluster, true);
    const before = [this.state.mark(cluster), stamps.get(cluster) ?? null].filter(
      (one): one is Mark => one !== null,
    );
    await this.#proxy.admin.execute(CREATE_STAMPS);
    await this.#proxy.admin.execute(writeStamp(cluster, mark));
    await this.state.remember(cluster, mark);
    return before.filter((one) => !sameMark(one, mark));
  }

  /** The lease of the watcher that runs beside this ProxySQL, by its file; null where there is none. */
  async #runningLease({ layout, record }: Documents): Promise<Lease | null> {
    if (layout.onConsulLoss === "keep") return { kind: "not-asked-for" };
    const nowSeconds = SYSTEM_CLOCK.wallNow() / 1000;
    const entries = await new LeaseFile(this.options.leaseFile).read();
    const entry = entries.find((one) => one.cluster === record.cluster.toLowerCase());
    if (entry === undefined || leaseIsOver(entry, nowSeconds)) return null;
    const leftMs = (entry.untilSeconds - nowSeconds) * 1000;
    return { kind: "held", untilMs: SYSTEM_CLOCK.monotonicNow() + leftMs };
  }

  #context({ record }: Documents, lease: Lease): PassContext {
    const { monotonicNow, wallNow } = SYSTEM_CLOCK;
    const moment = (): Moment => ({
      whenOwned: this.options.whenOwned,
      lease: lease.kind === "held" && monotonicNow() >= lease.untilMs ? OVER : lease,
      leaseEndsAtSeconds: leaseEndsAtSeconds(lease, SYSTEM_CLOCK),
      drainIsOver: drainLeftMs(record, 0, wallNow()) === 0,
      superseded: false,
      fences: 0,
    });
    const cluster = record.cluster.toLowerCase();
    return { cluster, proxy: this.#proxy, state: this.state, moment, monotonicNow, seenAtMs: null };
  }
}

/** What `plan` takes for granted: that a watcher would hold a lease. */
const ASSUMED: Lease = { kind: "held", untilMs: Number.MAX_SAFE_INTEGER };
const OVER: Lease = { kind: "lost", reason: "the lease of the running watcher has ended" };

export interface PlannedPass {
  readonly cluster: string;
  readonly generation: number;
  readonly decision: PassDecision;
  readonly statements: readonly string[];
}

/** A plan as people read it: why, and the very statements. */
export function planText(planned: PlannedPass): string {
  const head = `-- ${planned.cluster}, generation ${String(planned.generation)}: `;
  const { decision } = planned;
  switch (decision.kind) {
    case "refuse":
      return `${head}refused: ${decision.reason}`;
    case "conflict":
      return `${head}not safe: ${conflictText(decision.conflicts)}`;
    case "apply": {
      const { differences } = decision.plan;
      const summary =
        planned.statements.length === 0 ? "nothing to do" : `${String(differences.length)} differences`;
      return [
        `${head}${summary}`,
        ...differences.map((one) => `--   ${one}`),
        ...decision.warnings.map((one) => `-- warning: ${one}`),
        ...planned.statements.map((one) => `${one};`),
      ].join("\n");
    }
  }
}

export function exitCodeOfPlan(planned: PlannedPass, check: boolean): ExitCode {
  switch (planned.decision.kind) {
    case "refuse":
      return EXIT_CODES.REFUSED;
    case "conflict":
      return EXIT_CODES.CONFLICT;
    case "apply":
      return check && planned.statements.length > 0 ? EXIT_CODES.CHANGES_PENDING : EXIT_CODES.OK;
  }
}

export function exitCodeOfOutcome(outcome: Outcome): ExitCode {
  switch (outcome.kind) {
    case "held":
      return EXIT_CODES.HELD;
    case "refused":
      return EXIT_CODES.REFUSED;
    case "conflict":
      return EXIT_CODES.CONFLICT;
    case "failed":
    case "withheld":
      return EXIT_CODES.FAILED;
    case "applied":
      return EXIT_CODES.OK;
  }
}

export function outcomeText(cluster: string, outcome: Outcome): string {
  return `${cluster}: ${sentenceOf(outcome)}`;
}
