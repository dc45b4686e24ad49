import type { ClusterSnapshot, SnapshotSource } from "@primacy/consul-store";
import { type Delivered, delivered } from "../../../packages/consul-store/src/delivery.js";
import type { Rules } from "../rules.js";
import type { ConsulModel } from "../world/consul.js";
import type { Process } from "../world/host.js";
import { type Link, call } from "../world/network.js";

const VERIFY_MS = 5000;
const WAIT_MS = 15_000;
const REQUEST_MS = 2500;
const FLOOR_MS = 100;
const LONGEST_BACKOFF_MS = 3000;

export interface PathsParts {
  readonly process: Process;
  readonly link: Link;
  readonly consul: ConsulModel;
  readonly rules: Rules;
  readonly onSnapshot: (snapshot: ClusterSnapshot) => void;
  readonly onVerified: (snapshot: ClusterSnapshot) => void;
}

/** The two paths by which a watcher learns of a change, as `ClusterWatch` has them. */
export class Paths {
  #delivered: Delivered | null = null;
  #index = 0;
  #failures = 0;
  #wakeFailures = 0;
  #pause: { cancel(): void } | null = null;

  constructor(private readonly parts: PathsParts) {}

  start(): void {
    this.#truth();
    this.#wakeUp();
  }

  /** One consistent read, now. */
  verify(timeoutMs: number, done: (ok: boolean) => void): void {
    const { process, consul, onVerified } = this.parts;
    const sentAtMs = process.host.monotonicNow();
    const serve = (reply: (snapshot: ClusterSnapshot) => void): void => {
      reply(consul.read(sentAtMs));
    };
    call(this.parts, { serve, isWrite: false, timeoutMs }, (answer) => {
      if (answer.ok) {
        this.#deliver(answer.value, "truth");
        onVerified(answer.value);
      }
      done(answer.ok);
    });
  }

  #truth(): void {
    const { process } = this.parts;
    const { random } = process.engine;
    this.#pause = null;
    this.verify(REQUEST_MS, (ok) => {
      this.#failures = ok ? 0 : this.#failures + 1;
      const pauseMs = ok
        ? VERIFY_MS * random.between(0.75, 1.25)
        : random.next() * Math.min(LONGEST_BACKOFF_MS, 250 * 2 ** this.#failures);
      this.#pause = process.after(Math.max(FLOOR_MS, pauseMs), () => {
        this.#truth();
      });
    });
  }

  #wakeUp(): void {
    const { process, consul } = this.parts;
    const { random } = process.engine;
    const sentAtMs = process.host.monotonicNow();
    const index = this.#index;
    const serve = (reply: (snapshot: ClusterSnapshot) => void): void => {
      consul.watch(index, sentAtMs, reply);
    };
    const timeoutMs = index === 0 ? REQUEST_MS : (WAIT_MS * 17) / 16 + 1500;
    call(this.parts, { serve, isWrite: false, timeoutMs }, (answer) => {
      const wentBack = answer.ok && answer.value.index < index;
      // A wait that was over without a change looks like a time-out here: nothing is known, begin anew.
      this.#index = answer.ok && !wentBack ? answer.value.index : 0;
      if (answer.ok) this.#deliver(answer.value, "wake-up");
      this.#wakeFailures = answer.ok ? 0 : this.#wakeFailures + 1;
      const backoff = random.next() * Math.min(LONGEST_BACKOFF_MS, 250 * 2 ** this.#wakeFailures);
      process.after(answer.ok && !wentBack ? FLOOR_MS : Math.max(FLOOR_MS, backoff), () => {
        this.#wakeUp();
      });
    });
  }

  #deliver(snapshot: ClusterSnapshot, source: SnapshotSource): void {
    const { process, rules, onSnapshot } = this.parts;
    const judgement = rules.judge(this.#delivered, snapshot, source);
    if (judgement === "verify" || judgement === "outdated") this.#hurry();
    if (judgement !== "deliver" && judgement !== "went-back") return;
    this.#delivered = delivered(this.#delivered, snapshot, process.host.monotonicNow());
    onSnapshot(snapshot);
  }

  /** Ends the truth path's pause. While a read is under way, there is none. */
  #hurry(): void {
    if (this.#pause === null) return;
    this.#pause.cancel();
    this.#truth();
  }
}
