import type { Logger } from "pino";
import { type GuardCommand, guardComment, guardRow, guardStatements } from "./guard-row.js";
import type { Admin } from "./proxysql/admin.js";
import { expectReport, secondsWithoutReport } from "./proxysql/guard-report.js";
import { readScheduler } from "./proxysql/scheduler.js";
import { Alarm, type Clock, jitteredMs } from "./timing.js";

export interface GuardKeeperOptions {
  /** Name of this ProxySQL. */
  readonly proxy: string;
  /** Null: no guard was set up. */
  readonly command: GuardCommand | null;
  readonly leaseFile: string;
}

/** Between two looks at the scheduler. Milliseconds. */
const LOOK_MS = 10_000;

/** The guard shows itself every ten seconds; so long it may be kept from it. */
const LONGEST_SILENCE_SECONDS = 30;

/**
 * Sees that ProxySQL's scheduler runs the guard while any cluster asks for a lease, and no longer. The guard stands in
 * for this very process, so that its being there must not depend on a person.
 */
export class GuardKeeper {
  readonly #alarm = new Alarm();
  #problem: string | null = null;
  /** The hostgroups that the guard was last seen to watch over. */
  #inPlaceFor = "";

  constructor(
    private readonly options: GuardKeeperOptions,
    private readonly parts: {
      readonly admin: Admin;
      /** Writer hostgroups of the clusters under a lease. */
      readonly underLease: () => readonly number[];
      readonly clock: Clock;
      readonly log: Logger;
    },
  ) {}

  /** Why a dead watcher would not be noticed; null while the guard is in place, or nobody needs one. */
  get problem(): string | null {
    const hostgroups = this.parts.underLease();
    if (hostgroups.length === 0) return null;
    return this.#problem ?? (this.#inPlaceFor === hostgroups.join() ? null : "the guard is not in place yet");
  }

  /** Look now: a cluster began, or ceased, to ask for a lease. */
  ring(): void {
    this.#alarm.ring();
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#look();
      await this.#alarm.sleep(jitteredMs(LOOK_MS, this.parts.clock.random()), signal);
    }
  }

  async #look(): Promise<void> {
    const { admin, underLease, log } = this.parts;
    const { proxy, command, leaseFile } = this.options;
    try {
      const hostgroups = underLease();
      if (command === null) {
        this.#say("no guard is set up (lease.guard): if this watcher dies, ProxySQL goes on as it is");
        return;
      }
      const comment = guardComment(proxy);
      const wanted = guardRow(proxy, command, leaseFile, hostgroups);
      const statements = guardStatements(comment, wanted, await readScheduler(admin, comment));
      for (const sql of statements) await admin.execute(sql);
      if (statements.length > 0) log.info({ hostgroups }, "the guard's row in ProxySQL's scheduler was set");
      this.#inPlaceFor = hostgroups.join();
      this.#say(wanted === null ? null : await this.#silence(statements.length > 0));
    } catch (error) {
      this.#say(`the guard's row in ProxySQL's scheduler cannot be seen to: ${String(error)}`);
    }
  }

  /** A guard that is in place and gets nowhere, for want of a client, a file or the right password. */
  async #silence(isNew: boolean): Promise<string | null> {
    const { admin } = this.parts;
    const seconds = isNew ? null : await secondsWithoutReport(admin);
    if (seconds === null) await expectReport(admin);
    if (seconds === null || seconds <= LONGEST_SILENCE_SECONDS) return null;
    return (
      "the guard is in ProxySQL's scheduler and has not got through to the admin port for more than " +
      `${String(LONGEST_SILENCE_SECONDS)} s: ProxySQL's log says why`
    );
  }

  #say(problem: string | null): void {
    const before = this.#problem;
    this.#problem = problem;
    if (this.problem !== null && before !== problem) this.parts.log.warn({}, this.problem);
  }
}
