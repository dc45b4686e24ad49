import { createHash } from "node:crypto";
import {
  type ClusterSnapshot,
  ConsulError,
  type RecordCommit,
  type Roster,
  type WriteOutcome,
} from "@primacy/consul-store";
import {
  type Layout,
  type MasterRecord,
  type Members,
  layoutText,
  membersText,
  readLayout,
  readMembers,
  readRecord,
  recordText,
} from "@primacy/contract";
import type { CommitContext } from "../../src/commit.js";
import type { World } from "../../src/world.js";

/** Thrown out of a call: the process that made it is gone, and nobody knows whether the call had its effect. */
export class Killed extends Error {}

/** One cluster's documents, with compare-and-set, and a knife that cuts any call. */
export class MemoryConsul {
  record: string;
  layout: string;
  members: string | null = null;
  readonly history: MasterRecord[] = [];
  /** Every members document that was written. */
  readonly writtenMembers: Members[] = [];
  #index = 10;
  #indexes = { record: 1, layout: 2, members: 0 };
  /** Calls until the knife falls; null: never. `after`: the call has its effect first. */
  knife: { calls: number; after: boolean } | null = null;

  constructor(record: MasterRecord, layout: Layout) {
    this.record = recordText(record);
    this.layout = layoutText(layout);
    this.history.push(record);
  }

  get master(): MasterRecord {
    const read = readRecord(this.record);
    if (read.kind !== "valid") throw new Error("the record is unreadable");
    return read.value;
  }

  get memberDocument(): Members | null {
    const read = readMembers(this.members);
    return read.kind === "valid" ? read.value : null;
  }

  readCluster = (cluster: string): Promise<ClusterSnapshot> =>
    this.#call(() => ({
      cluster,
      record: readRecord(this.record),
      recordText: this.record,
      recordIndex: this.#indexes.record,
      layout: readLayout(this.layout),
      layoutIndex: this.#indexes.layout,
      members: readMembers(this.members),
      membersIndex: this.#indexes.members,
      index: this.#index,
      sentAtMs: 0,
      folderEmpty: false,
      filteredByAcls: false,
      address: "memory",
    }));

  /** May nobody write the record? */
  recordDenied = false;

  commitRecord = (_cluster: string, commit: RecordCommit): Promise<WriteOutcome> =>
    this.#call((): WriteOutcome => {
      if (this.recordDenied)
        return { outcome: "not-written", cause: new ConsulError("CONSUL_DENIED", "denied") };
      if (commit.expectedIndex !== this.#indexes.record) return { outcome: "lost-race" };
      this.record = recordText(commit.record);
      this.history.push(commit.record);
      this.#indexes.record = ++this.#index;
      return { outcome: "committed", index: this.#index };
    });

  writeMembers = (_cluster: string, members: Members, expectedIndex: number): Promise<WriteOutcome> =>
    this.#call((): WriteOutcome => {
      if (expectedIndex !== this.#indexes.members) return { outcome: "lost-race" };
      this.members = membersText(members);
      this.writtenMembers.push(members);
      this.#indexes.members = ++this.#index;
      return { outcome: "committed", index: this.#index };
    });

  /** May nobody see the acknowledgements? */
  acknowledgementsDenied = false;

  readAcknowledgements = (): Promise<Roster> => {
    if (this.acknowledgementsDenied) return Promise.reject(new ConsulError("CONSUL_DENIED", "denied"));
    return this.#call(() => ({ acknowledgements: [], index: this.#index, sentAtMs: 0 }));
  };

  #call<T>(effect: () => T): Promise<T> {
    if (this.knife !== null && this.knife.calls-- <= 0) {
      if (this.knife.after) effect();
      return Promise.reject(new Killed("cut"));
    }
    return Promise.resolve(effect());
  }
}

/** Time that goes by only when it is told to. */
export class TestWorld implements World {
  #ids = 0;
  elapsedMs = 0;
  /** How far somebody has set the clock on the wall. */
  setByMs = 0;
  readonly pid = 1;

  constructor(readonly beganMs: number) {}

  now = (): number => this.beganMs + this.setByMs + this.elapsedMs;
  elapsed = (): number => this.elapsedMs;
  random = (): number => 0.5;
  newId = (): string => `00000000-0000-0000-0000-${String(++this.#ids).padStart(12, "0")}`;
  sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
  isAlive = (): boolean => true;
  pause = (ms: number): Promise<void> => {
    this.elapsedMs += ms;
    return Promise.resolve();
  };
}

export function commitContextOf(consul: MemoryConsul, world: World): CommitContext {
  return {
    store: consul,
    world,
    writtenBy: "agent orc1",
    orchestratorKeys: undefined,
    signal: new AbortController().signal,
  };
}
