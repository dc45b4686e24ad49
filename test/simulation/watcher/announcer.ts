import type { AcknowledgeOutcome } from "@primacy/consul-store";
import { type Acknowledgement, SESSION_TTL_SECONDS } from "@primacy/contract";
import { saysTheSame } from "../../../packages/watcher/src/outcome.js";
import type { Rules } from "../rules.js";
import type { ConsulModel } from "../world/consul.js";
import type { Process } from "../world/host.js";
import { type Link, call } from "../world/network.js";

const REQUEST_MS = 2500;
const REWRITE_MS = 20_000;

export interface AnnouncerParts {
  readonly proxy: string;
  readonly process: Process;
  readonly link: Link;
  readonly consul: ConsulModel;
  readonly rules: Rules;
  /** The cluster's lease, milliseconds; null: none. */
  readonly leaseMs: number | null;
  readonly onPresent: () => void;
}

/** Keeps the session and the acknowledgement, as `Announcer` does. */
export class AnnouncerModel {
  renewedSentAtMs: number | null = null;
  presentSinceMs: number | null = null;
  #session: string | null = null;
  #wanted: Acknowledgement | null = null;
  /** Does what lies in Consul say something else than what is wanted? */
  #isNews = false;
  #written: Acknowledgement | null = null;
  #rewriteAtMs = Number.NEGATIVE_INFINITY;
  #renewAtMs = Number.NEGATIVE_INFINITY;
  #failures = 0;
  #busy = false;
  #sleep: { cancel(): void } | null = null;

  constructor(private readonly parts: AnnouncerParts) {}

  start(): void {
    this.#step();
  }

  announce(acknowledgement: Acknowledgement): void {
    this.#wanted = acknowledgement;
    this.#isNews = !saysTheSame(this.#written, acknowledgement);
    if (this.#busy) return;
    this.#sleep?.cancel();
    this.#step();
  }

  /** The process is told to end. */
  leave(): void {
    const { consul, link, process, rules, leaseMs } = this.parts;
    const session = this.#session;
    if (session === null || (leaseMs !== null && rules.steps.leavesSession) || link.loses()) return;
    process.engine.after(link.delayMs(), () => {
      consul.arrive(() => {
        consul.destroySession(session);
      });
    });
  }

  #step(): void {
    const { host } = this.parts.process;
    this.#sleep = null;
    this.#busy = true;
    if (this.#session === null) this.#create();
    else if (host.monotonicNow() >= this.#renewAtMs) this.#renew(this.#session);
    else if (this.#isDue()) this.#write(this.#session);
    else this.#rest(Math.max(1, this.#renewAtMs - host.monotonicNow()));
  }

  #rest(ms: number): void {
    this.#busy = false;
    this.#sleep = this.parts.process.after(ms, () => {
      this.#step();
    });
  }

  #failed(): void {
    this.#failures += 1;
    const { random } = this.parts.process.engine;
    this.#rest(Math.max(1, random.next() * Math.min(5000, 250 * 2 ** this.#failures)));
  }

  #create(): void {
    const { consul, process } = this.parts;
    const sentAtMs = process.host.monotonicNow();
    this.#call(
      () => consul.createSession(SESSION_TTL_SECONDS * 1000),
      (session) => {
        this.#session = session;
        this.#renewed(sentAtMs);
      },
    );
  }

  #renew(session: string): void {
    const { consul, process } = this.parts;
    const sentAtMs = process.host.monotonicNow();
    this.#call(
      () => consul.renewSession(session),
      (alive) => {
        if (alive) {
          this.#renewed(sentAtMs);
          return;
        }
        this.#forget();
        this.#step();
      },
    );
  }

  #renewed(sentAtMs: number): void {
    const { process, rules, leaseMs } = this.parts;
    const everyMs = Math.min((SESSION_TTL_SECONDS * 1000) / 3, leaseMs === null ? 1e9 : leaseMs / 4);
    this.renewedSentAtMs = rules.steps.countsFromSending ? sentAtMs : process.host.monotonicNow();
    this.#renewAtMs = sentAtMs + everyMs * process.engine.random.between(0.9, 1.1);
    this.#failures = 0;
    this.#busy = true;
    this.#step();
  }

  #isDue(): boolean {
    if (this.#wanted === null) return false;
    return this.#isNews || this.parts.process.host.monotonicNow() >= this.#rewriteAtMs;
  }

  #write(session: string): void {
    const { consul, process, proxy, onPresent } = this.parts;
    const acknowledgement = this.#wanted!;
    const takeOver = this.#written === null;
    this.#call(
      (): AcknowledgeOutcome => consul.acknowledge(proxy, acknowledgement, session, takeOver),
      (outcome) => {
        if (outcome !== "written") {
          if (outcome === "session-gone") this.#forget();
          this.#failed();
          return;
        }
        this.#written = acknowledgement;
        this.#isNews = this.#wanted !== acknowledgement && !saysTheSame(acknowledgement, this.#wanted!);
        this.#rewriteAtMs = process.host.monotonicNow() + REWRITE_MS;
        if (this.presentSinceMs === null) {
          this.presentSinceMs = process.host.monotonicNow();
          onPresent();
        }
        this.#step();
      },
    );
  }

  #call<T>(work: () => T, done: (value: T) => void): void {
    const serve = (reply: (value: T) => void): void => {
      reply(work());
    };
    call(this.parts, { serve, isWrite: true, timeoutMs: REQUEST_MS }, (answer) => {
      if (answer.ok) done(answer.value);
      else this.#failed();
    });
  }

  #forget(): void {
    this.#session = null;
    this.renewedSentAtMs = null;
    this.presentSinceMs = null;
    this.#written = null;
    this.#isNews = true;
  }
}
