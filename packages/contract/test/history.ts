import type { ClusterEvent, Decision, MasterRecord, StoredRecord } from "../src/index.js";
import { recordHash, transition } from "../src/index.js";
import { context, sha256, stored } from "./arbitraries.js";

/** Consul with one cluster in it: every record that was ever written, the last one standing. Time goes on by a second. */
export class History {
  readonly records: StoredRecord[] = [];
  readonly #startSeconds: number;
  #steps = 0;

  constructor(startSeconds = 0) {
    this.#startSeconds = startSeconds;
  }

  get current(): MasterRecord {
    const last = this.records.at(-1);
    if (last === undefined) throw new Error("there is no record yet");
    return last.value;
  }

  /** What the writer does: decide, and write where the decision is to write. */
  apply(event: ClusterEvent): Decision {
    this.#steps += 1;
    const now = context(this.#startSeconds + this.#steps, `write-${this.#steps}-abcdef`);
    const decision = transition(this.records.at(-1) ?? null, event, now);
    if (decision.kind === "write") this.records.push(stored(decision.record));
    return decision;
  }
}

/** The first record of a history whose link does not lead to the record before it; undefined where all do. */
export function brokenLink(records: readonly StoredRecord[]): number | undefined {
  const broken = records.findIndex(({ value }, index) => {
    const before = records[index - 1];
    return index > 0 && value.previousHash !== (before && recordHash(before.text, sha256));
  });
  return broken < 0 ? undefined : broken;
}
