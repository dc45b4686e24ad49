import { ConsulError, type ConsulStore, type KeyValue, type WriteOutcome } from "@primacy/consul-store";
import { type Document, type MasterRecord, layoutText, membersText } from "@primacy/contract";
import type { Logger } from "pino";
import type { World } from "../world.js";
import type { AgentMetrics } from "./metrics.js";
import { mirrorStep } from "./mirror.js";
import { pruneHistories } from "./prune.js";
import { backoffMs, sleep } from "@primacy/service";

/** Another datacenter that gets a copy. */
export interface MirrorPlace {
  readonly name: string;
  readonly store: Pick<
    ConsulStore,
    "readCluster" | "commitRecord" | "writeLayout" | "writeMembers" | "pruneHistory"
  >;
}

export interface MirrorParts {
  readonly primary: Pick<ConsulStore, "readCluster" | "readHistory">;
  readonly place: MirrorPlace;
  readonly orchestratorKeys: (record: MasterRecord) => readonly KeyValue[];
  readonly world: World;
  readonly metrics: AgentMetrics;
  readonly log: Logger;
  readonly deadlineMs: number;
  /** Is the cluster this agent's to look after? Not one that is gone, and none while another agent leads. */
  readonly follows: (cluster: string) => boolean;
}

/** More than so many lost generations are jumped over: the newest is what counts. */
const MOST_COPIED = 64;
/** Between two looks for something to copy. Milliseconds. */
const IDLE_MS = 200;

/**
 * Keeps one datacenter's copy of the documents up to date, beside the passes, so that a datacenter that is away holds
 * nothing up. It has Consul indexes of its own; the record's generation is what orders the two.
 */
export class Mirror {
  readonly #parts: MirrorParts;
  readonly #log: Logger;
  readonly #due = new Set<string>();
  readonly #said = new Map<string, string>();
  #failures = 0;

  constructor(parts: MirrorParts) {
    this.#parts = parts;
    this.#log = parts.log.child({ datacenter: parts.place.name });
  }

  /** The cluster's documents have changed, or ought to be compared. */
  note(cluster: string): void {
    this.#due.add(cluster);
  }

  async prune(clusters: Iterable<string>, keep: number, signal: AbortSignal): Promise<void> {
    await pruneHistories(this.#parts.place.store, clusters, keep, { signal, log: this.#log });
  }

  async run(signal: AbortSignal): Promise<void> {
    const { world } = this.#parts;
    while (!signal.aborted) {
      const [cluster] = this.#due;
      if (cluster === undefined) {
        await sleep(IDLE_MS, signal);
        continue;
      }
      this.#due.delete(cluster);
      const done = !this.#parts.follows(cluster) || (await this.#copy(cluster, signal));
      if (!done) this.#due.add(cluster);
      this.#failures = done ? 0 : this.#failures + 1;
      if (!done) await sleep(backoffMs(this.#failures, world.random(), 500, 30_000), signal);
    }
  }

  /** False: try again. A refusal is for people, and trying again would not change it. */
  async #copy(cluster: string, signal: AbortSignal): Promise<boolean> {
    try {
      const { generation, problem } = await this.#bringUp(cluster, signal);
      this.#note(cluster, generation, problem);
      return true;
    } catch (error) {
      if (signal.aborted) return true;
      if (!(error instanceof ConsulError)) throw error;
      this.#note(cluster, null, error.message);
      return false;
    }
  }

  /** A series of a cluster that has ceased to be ours meanwhile would never change again. */
  #note(cluster: string, generation: number | null, problem: string | null): void {
    const { metrics, place, follows } = this.#parts;
    if (!follows(cluster)) return;
    metrics.noteMirror(place.name, cluster, generation, problem !== null);
    this.#say(cluster, problem);
  }

  async #bringUp(
    cluster: string,
    signal: AbortSignal,
  ): Promise<{ readonly generation: number | null; readonly problem: string | null }> {
    const { primary, place, deadlineMs } = this.#parts;
    const limits = { deadlineMs, signal };
    const [here, there] = await Promise.all([
      primary.readCluster(cluster, limits),
      place.store.readCluster(cluster, limits),
    ]);
    if (here.record.kind !== "valid") return { generation: null, problem: null };
    const record = here.record.value;
    const step = mirrorStep(record, there.record);
    if (step.kind === "refuse") return { generation: null, problem: step.reason };
    // Before the record: a watcher there must not meet a master that its layout doesn't know.
    if (here.layout.kind === "valid" && differs(here.layout.value, there.layout, layoutText)) {
      required(await place.store.writeLayout(cluster, here.layout.value, there.layoutIndex, limits));
    }
    if (step.kind === "copy") {
      const expectedIndex = there.recordIndex;
      await this.#copyRecords(
        { cluster, record, fromGeneration: step.fromGeneration, expectedIndex },
        limits,
      );
    }
    if (here.members.kind === "valid" && differs(here.members.value, there.members, membersText)) {
      required(await place.store.writeMembers(cluster, here.members.value, there.membersIndex, limits));
    }
    return { generation: record.generation, problem: null };
  }

  async #copyRecords(
    copy: {
      readonly cluster: string;
      readonly record: MasterRecord;
      readonly fromGeneration: number;
      readonly expectedIndex: number;
    },
    limits: { readonly deadlineMs: number; readonly signal: AbortSignal },
  ): Promise<void> {
    const { primary, place, orchestratorKeys } = this.#parts;
    const { cluster, record: newest, fromGeneration } = copy;
    const missed = newest.generation - fromGeneration;
    const history =
      missed === 0 || missed > MOST_COPIED
        ? []
        : await primary.readHistory(cluster, { fromGeneration, limit: missed + 1, ...limits });
    const between = history
      .flatMap(({ document }) => (document.kind === "valid" ? [document.value] : []))
      .filter((one) => one.generation < newest.generation && one.incarnation === newest.incarnation);
    let { expectedIndex } = copy;
    for (const record of [...between, newest]) {
      const alsoSet = orchestratorKeys(record);
      const written = await place.store.commitRecord(cluster, { expectedIndex, record, alsoSet }, limits);
      expectedIndex = required(written);
      this.#log.info({ cluster, generation: record.generation }, "record copied");
    }
  }

  #say(cluster: string, problem: string | null): void {
    const before = this.#said.get(cluster) ?? "";
    if (before === (problem ?? "")) return;
    this.#said.set(cluster, problem ?? "");
    if (problem === null) this.#log.info({ cluster }, "the copy is up to date again");
    else this.#log.warn({ cluster }, `the copy is not brought up to date: ${problem}`);
  }
}

/** What can't be read there may be of a newer version: it is left alone. */
function differs<T>(here: T, there: Document<T>, text: (value: T) => string): boolean {
  if (there.kind === "unusable") return false;
  return there.kind === "absent" || text(here) !== text(there.value);
}

/** @throws {ConsulError} so that the whole copy is tried again, from new reads */
function required(written: WriteOutcome): number {
  if (written.outcome === "committed") return written.index;
  if (written.outcome !== "lost-race") throw written.cause;
  throw new ConsulError("CONSUL_REFUSED", "somebody else has just written the copy");
}
