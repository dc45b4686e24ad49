import { type ClusterSnapshot, ConsulError, type ConsulStore } from "@primacy/consul-store";
import type { Layout, MasterRecord } from "@primacy/contract";
import type { Logger } from "pino";
import { type CommitContext, commitEvent } from "../commit.js";
import { commitEnding } from "../ending.js";
import { type DecisionSettings, type RecordDecision, decideRecord, decideUnheard } from "./decide.js";
import { findingKey } from "./findings.js";
import { type Documents, HELD, MembersKeeper, type MembersSettings, isBelievable } from "./members-keeper.js";
import type { AgentMetrics } from "./metrics.js";
import type { OrchestratorClient } from "./orchestrator/client.js";
import { OrchestratorError } from "./orchestrator/error.js";
import { ProxyLook } from "./proxy-look.js";
import { weightOf } from "./rules.js";
import { NOTHING_SINCE, type Since, heldForMs, noteSince } from "./since.js";
import type { ClusterView } from "./view.js";

export interface FollowerSettings extends MembersSettings {
  readonly decision: DecisionSettings;
  /** For one cluster's reads and writes. */
  readonly consulDeadlineMs: number;
}

export interface FollowerParts {
  readonly store: Pick<ConsulStore, "readCluster" | "writeMembers" | "readAcknowledgements">;
  readonly client: Pick<OrchestratorClient, "readCluster">;
  readonly commit: CommitContext;
  readonly metrics: AgentMetrics;
  readonly log: Logger;
  /** Name of this agent, in the members document. */
  readonly agent: string;
  /** Asked before every write. */
  readonly leads: () => boolean;
  /** A document of the cluster has been seen to differ from what was seen before. */
  readonly onChange: (cluster: string) => void;
}

/** What the heartbeat and `/readyz` tell of a cluster. */
export interface FollowerStatus {
  readonly cluster: string;
  readonly says: string;
  /** Are its members kept because Orchestrator can't be heard or believed? */
  readonly held: boolean;
  /** When both Consul and Orchestrator were last heard, milliseconds since 1970; null before the first time. */
  readonly heardAtMs: number | null;
}

/** Orchestrator's view, or why there is none to go by. */
type Look =
  | { readonly kind: "view"; readonly view: ClusterView }
  | { readonly kind: "unheard"; readonly reason: string };

/** One cluster: look, judge, decide, write. Level-triggered: each pass reads everything anew. */
export class ClusterFollower {
  readonly #log: Logger;
  readonly #members: MembersKeeper;
  #since: Since = NOTHING_SINCE;
  #said = "";
  #seen = "";
  readonly #proxies: ProxyLook;
  #status: FollowerStatus;

  constructor(
    readonly cluster: string,
    /** Orchestrator's name for it. */
    private readonly alias: string,
    private readonly settings: FollowerSettings,
    private readonly parts: FollowerParts,
  ) {
    this.#log = parts.log.child({ cluster });
    const { store, metrics, commit } = parts;
    this.#members = new MembersKeeper(cluster, settings, { ...parts, world: commit.world, log: this.#log });
    const deadlineMs = settings.consulDeadlineMs;
    this.#proxies = new ProxyLook({ store, world: commit.world, metrics, log: this.#log, deadlineMs });
    this.#status = { cluster, says: "not looked at yet", held: false, heardAtMs: null };
  }

  get status(): FollowerStatus {
    return this.#status;
  }

  /** Never rejects: what goes wrong is said, and the next pass begins anew. */
  async pass(signal: AbortSignal): Promise<void> {
    const { world } = this.parts.commit;
    const beganAtMs = world.elapsed();
    let heard = false;
    try {
      heard = await this.#pass(signal);
    } catch (error) {
      if (!signal.aborted) this.#sayError(error);
    }
    const seconds = (world.elapsed() - beganAtMs) / 1000;
    if (heard) this.#status = { ...this.#status, heardAtMs: world.now() };
    this.parts.metrics.notePass(this.cluster, seconds, heard ? world.now() : null);
  }

  /** True where both Consul and Orchestrator were heard. */
  async #pass(signal: AbortSignal): Promise<boolean> {
    const documents = await this.#read(signal);
    if (documents === null) return false;
    const { snapshot, record, layout } = documents;
    const look = await this.#look(layout, signal);
    const decision = this.#decide(look, documents);
    this.#noteDecision(decision, look, record);
    const view = look.kind === "view" ? look.view : null;
    this.#members.believe(view, documents);
    const committed = decision.event !== null && (await this.#commit(decision, record, signal));
    // Judged against the master of before, they would be wrong a moment later.
    if (!committed) await this.#members.write(view, documents, { decision, since: this.#since }, signal);
    await this.#proxies.look(snapshot, signal);
    return look.kind === "view";
  }

  async #read(signal: AbortSignal): Promise<Documents | null> {
    const { store, metrics, onChange } = this.parts;
    const deadlineMs = this.settings.consulDeadlineMs;
    const snapshot = await store.readCluster(this.cluster, { deadlineMs, signal });
    const seen = [snapshot.recordIndex, snapshot.layoutIndex, snapshot.membersIndex].join(" ");
    if (seen !== this.#seen) onChange(this.cluster);
    this.#seen = seen;
    const { record, layout } = snapshot;
    if (record.kind !== "valid" || layout.kind !== "valid") {
      this.#say(
        `nothing is judged: ${problemOf(record, "record") ?? problemOf(layout, "layout") ?? ""}`,
        "warn",
      );
      return null;
    }
    metrics.noteRecord(this.cluster, record.value);
    return { snapshot, record: record.value, layout: layout.value };
  }

  async #look(layout: Layout, signal: AbortSignal): Promise<Look> {
    try {
      return { kind: "view", view: await this.parts.client.readCluster(this.alias, layout, signal) };
    } catch (error) {
      if (!(error instanceof OrchestratorError) || signal.aborted) throw error;
      this.parts.metrics.noteError(error.code);
      return { kind: "unheard", reason: error.message };
    }
  }

  #decide(look: Look, { record, layout }: Documents): RecordDecision {
    const { world } = this.parts.commit;
    if (look.kind === "unheard") return decideUnheard(record, look.reason, world.now());
    return decideRecord(look.view, record, layout, {
      nowMs: world.now(),
      heldFor: (what) => heldForMs(this.#since, what, world.elapsed()),
      settings: this.settings.decision,
    });
  }

  #noteDecision(decision: RecordDecision, look: Look, record: MasterRecord): void {
    const { metrics, commit } = this.parts;
    const held = !isBelievable(look.kind === "view" ? look.view : null);
    const things = [...decision.watched, ...decision.findings.map(findingKey), ...(held ? [HELD] : [])];
    this.#since = noteSince(this.#since, things, commit.world.elapsed());
    metrics.noteFindings(this.cluster, decision.findings);
    metrics.noteHeld(this.cluster, held);
    const says = decision.findings.map((one) => `${one.reason} [${one.rule}]`).join("; ");
    this.#status = { ...this.#status, held };
    const level = decision.findings.some((one) => weightOf(one) === "alarm") ? "warn" : "info";
    const { generation, phase } = record;
    this.#say(says, level, { generation, phase, rule: decision.rule });
  }

  /** True where the record has changed. */
  async #commit(decision: RecordDecision, decidedOn: MasterRecord, signal: AbortSignal): Promise<boolean> {
    const { commit, metrics, leads } = this.parts;
    if (decision.event === null || !leads()) return false;
    const deadline = commit.world.elapsed() + this.settings.consulDeadlineMs;
    const context = { ...commit, signal, decidedOn: decidedOn.writeId };
    const outcome = await commitEvent(this.cluster, decision.event, deadline, context);
    const ending = commitEnding(this.cluster, outcome);
    metrics.noteEvent(this.cluster, decision.rule, outcome.kind);
    const fields = { rule: decision.rule, reason: decision.reason, ...ending.fields };
    this.#log[outcome.kind === "applied" ? "warn" : "info"](fields, ending.line);
    return outcome.kind === "applied";
  }

  #sayError(error: unknown): void {
    const code = error instanceof ConsulError ? error.code : "UNEXPECTED";
    this.parts.metrics.noteError(code);
    const message = error instanceof Error ? error.message : String(error);
    const trace = code === "UNEXPECTED" ? { err: error } : {};
    const advice = code === "UNEXPECTED" ? " (an error of our own: please report it)" : "";
    this.#say(`nothing could be done: ${message}${advice}`, "warn", { code, ...trace });
  }

  /** One sentence a pass, and none where it would be the same as before. */
  #say(sentence: string, level: "info" | "warn", fields: Record<string, unknown> = {}): void {
    this.#status = { ...this.#status, says: sentence };
    if (sentence === this.#said) return;
    this.#said = sentence;
    this.#log[level](fields, sentence);
  }
}

function problemOf(document: ClusterSnapshot["record" | "layout"], what: string): string | null {
  if (document.kind === "valid") return null;
  return document.kind === "absent" ? `there is no ${what}` : document.problem;
}
