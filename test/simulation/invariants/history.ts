import { type MasterRecord, recordHash, sameServer } from "@primacy/contract";
import type { ConsulModel } from "../world/consul.js";
import type { Engine } from "../world/engine.js";
import { sha256 } from "../world/sha256.js";
import { broken } from "./watched.js";

/** How long the look at the record may have been under way that says that a fence still stands. Milliseconds. */
const LOOK_MS = 3000;

/** What must hold of the records, one after another. */
export class HistoryInvariants {
  readonly #accepted: MasterRecord[] = [];
  readonly #promotions: string[] = [];
  #newestOpened = -1;

  constructor(
    private readonly engine: Engine,
    private readonly consul: ConsulModel,
  ) {}

  /** A record was committed. */
  committed(record: MasterRecord): void {
    const before = this.consul.history[this.consul.history.length - 2];
    if (before === undefined) return;
    if (record.generation !== before.record.generation + 1) {
      this.#broken("generation rises by one", `${before.record.generation} -> ${record.generation}`);
    }
    this.#checkOrder(record);
    if (record.previousHash !== recordHash(before.text, sha256)) {
      this.#broken("history is a chain", `generation ${record.generation} follows another record`);
    }
  }

  /** A writer was told that its record stands. */
  accepted(record: MasterRecord): void {
    this.#accepted.push(record);
  }

  /** A server has been promoted, in this recovery. */
  promoted(recoveryUid: string): void {
    this.#promotions.push(recoveryUid);
  }

  /** Primacy itself makes a server writable, under a fence of the outgoing master. */
  opens(fence: MasterRecord): void {
    const { history } = this.consul;
    const next = history[history.findIndex(({ record }) => record.writeId === fence.writeId) + 1];
    if (next === undefined || this.engine.now - next.atMs <= LOOK_MS) return;
    const { record } = next;
    if (record.phase !== "open" || !sameServer(record.master, fence.master)) return;
    this.#broken(
      "nobody is opened beside a master that takes writes again",
      `the fence of generation ${fence.generation} has been called off`,
    );
  }

  /** At the end. */
  finish(): void {
    for (const { writeId, generation, phase } of this.#accepted) {
      const kept = this.consul.history.some((one) => one.record.writeId === writeId);
      if (!kept) this.#broken("no accepted decision is lost", `generation ${generation} ${phase}`);
    }
  }

  /** What was decided later stands: after A, B, A a late "B follows A" must not win. */
  #checkOrder({ cause, phase, generation }: MasterRecord): void {
    const place = this.#promotions.lastIndexOf(cause.recoveryUid);
    if (place < 0 || phase !== "open" || cause.rule !== "open-new-master") return;
    if (place < this.#newestOpened) {
      this.#broken("an older decision never wins", `generation ${generation} is of an earlier recovery`);
    }
    this.#newestOpened = place;
  }

  #broken(invariant: string, detail: string): never {
    broken(this.engine, invariant, detail);
  }
}
