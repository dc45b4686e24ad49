import type { ClusterSnapshot } from "@primacy/consul-store";
import type { ClusterEvent, Layout, MasterRecord, StoredRecord, WriteContext } from "@primacy/contract";
import { begunByNow } from "../../../packages/writer/src/canonical-event.js";
import type { Rules } from "../rules.js";
import type { ConsulModel } from "../world/consul.js";
import type { Process } from "../world/host.js";
import { type Link, call } from "../world/network.js";
import { CLUSTER } from "../world/servers.js";
import { sha256 } from "../world/sha256.js";

export interface WriterParts {
  readonly process: Process;
  readonly link: Link;
  readonly consul: ConsulModel;
  readonly layout: Layout;
  readonly rules: Rules;
  /** A writer has been told that this record stands. */
  readonly onAccepted: (record: MasterRecord) => void;
}

export type Committed =
  | { readonly kind: "applied" | "nothing"; readonly record: MasterRecord }
  | { readonly kind: "refused"; readonly rule: string }
  | { readonly kind: "unreachable" };

/** What is done between the decision and the write; `again`: the record has moved, decide anew. */
export type Before = (current: MasterRecord, next: (how: "go" | "again" | "not") => void) => void;

/** What is to be committed, by when, and what goes before the write. */
export interface Attempt {
  readonly event: ClusterEvent;
  /** Milliseconds from now. */
  readonly deadlineMs: number;
  readonly before?: Before | undefined;
}

const REQUEST_MS = 2500;
const LOOK_AGAIN_MS = 50;
const LONGEST_PAUSE_MS = 60;

/** `commitEvent`: read, decide, compare-and-set; after a lost race again, until the deadline. */
export function commit(parts: WriterParts, attempt: Attempt, done: (outcome: Committed) => void): void {
  new Commit(parts, attempt, done).try();
}

class Commit {
  readonly #giveUpAtMs: number;

  constructor(
    private readonly parts: WriterParts,
    private readonly attempt: Attempt,
    private readonly done: (outcome: Committed) => void,
  ) {
    this.#giveUpAtMs = parts.process.host.monotonicNow() + attempt.deadlineMs;
  }

  try(): void {
    if (this.#isOver()) {
      this.done({ kind: "unreachable" });
      return;
    }
    read(this.parts, (snapshot) => {
      if (snapshot === null) this.#again();
      else this.#decide(snapshot);
    });
  }

  #isOver(): boolean {
    return this.parts.process.host.monotonicNow() >= this.#giveUpAtMs;
  }

  #again(): void {
    const { process } = this.parts;
    process.after(process.engine.random.between(1, LONGEST_PAUSE_MS), () => {
      this.try();
    });
  }

  #decide(snapshot: ClusterSnapshot): void {
    const { process, rules } = this.parts;
    const { event, before } = this.attempt;
    const stored = storedRecord(snapshot);
    const now = process.host.isoNow();
    const decision = rules.transition(stored, begunByNow(event, now), contextOf(this.parts, now));
    process.engine.seen.note(`rule ${decision.rule}`);
    if (decision.kind === "refuse") {
      process.engine.tell(process.name, () => `${event.kind} refused: ${decision.reason}`);
      this.done({ kind: "refused", rule: decision.rule });
    } else if (decision.kind === "nothing") {
      this.done({ kind: "nothing", record: decision.record });
    } else if (before === undefined || stored === null) {
      this.#send(snapshot.recordIndex, decision.record);
    } else {
      before(stored.value, (how) => {
        if (how === "go") this.#send(snapshot.recordIndex, decision.record);
        else if (how === "again") this.#again();
        else this.done({ kind: "unreachable" });
      });
    }
  }

  #send(expectedIndex: number, record: MasterRecord): void {
    const { consul, rules } = this.parts;
    const serve = (reply: (applied: boolean) => void): void => {
      reply(consul.commit(expectedIndex, record));
    };
    call(this.parts, { serve, isWrite: true, timeoutMs: REQUEST_MS }, (answer) => {
      if ((answer.ok && answer.value) || (!answer.ok && !rules.steps.looksAfterTimeOut)) {
        this.#accept(record);
      } else {
        this.#look(expectedIndex, record);
      }
    });
  }

  /** What became of a write that was not confirmed: by its id, in the record or in the history. */
  #look(expectedIndex: number, record: MasterRecord): void {
    const { process, consul } = this.parts;
    if (this.#isOver()) {
      this.done({ kind: "unreachable" });
      return;
    }
    const serve = (reply: (found: { readonly index: number; readonly kept: boolean }) => void): void => {
      const kept = consul.history.some((one) => one.record.writeId === record.writeId);
      reply({ index: consul.index, kept });
    };
    call(this.parts, { serve, isWrite: false, timeoutMs: REQUEST_MS }, (answer) => {
      if (!answer.ok) {
        process.after(LOOK_AGAIN_MS, () => {
          this.#look(expectedIndex, record);
        });
      } else if (answer.value.kept) {
        this.#accept(record);
      } else if (answer.value.index === expectedIndex) {
        this.#send(expectedIndex, record);
      } else {
        this.#again();
      }
    });
  }

  #accept(record: MasterRecord): void {
    this.parts.onAccepted(record);
    this.done({ kind: "applied", record });
  }
}

/** One consistent read; null without an answer. */
export function read(parts: WriterParts, done: (snapshot: ClusterSnapshot | null) => void): void {
  const { process, consul } = parts;
  const sentAtMs = process.host.monotonicNow();
  const serve = (reply: (snapshot: ClusterSnapshot) => void): void => {
    reply(consul.read(sentAtMs));
  };
  call(parts, { serve, isWrite: false, timeoutMs: REQUEST_MS }, (answer) => {
    done(answer.ok ? answer.value : null);
  });
}

function storedRecord({ record }: ClusterSnapshot): StoredRecord | null {
  return record.kind === "valid" ? { value: record.value, text: record.text } : null;
}

function contextOf({ process, layout }: WriterParts, now: string): WriteContext {
  return {
    cluster: CLUSTER,
    now,
    writtenBy: process.name,
    writeId: `write-id-${String(process.engine.nextId())}`,
    newIncarnation: "history-1",
    drainSeconds: layout.drainSeconds,
    fenceSeconds: layout.fenceSeconds,
    sha256,
  };
}
