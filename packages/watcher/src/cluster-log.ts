import type { WatchState } from "@primacy/consul-store";
import type { Logger } from "pino";
import { type Outcome, type Verified, sentenceOf } from "./outcome.js";

/** What a cluster's loop tells the log: one sentence a pass, and none that was said just before. */
export class ClusterLog {
  #pass = "";
  #truth = "";
  #warnings: ReadonlySet<string> = new Set();

  constructor(private readonly log: Logger) {}

  pass(outcome: Outcome): void {
    const sentence = sentenceOf(outcome);
    const fields =
      outcome.kind === "held" ? { state: outcome.kind } : { state: outcome.kind, ...outcome.record };
    if (sentence !== this.#pass) {
      const level = outcome.kind === "applied" && outcome.notDurable === null ? "info" : "warn";
      this.log[level]({ ...fields, ...timeOf(outcome) }, sentence);
    }
    this.#pass = sentence;
    if (outcome.kind === "applied" || outcome.kind === "withheld") this.#details(outcome, fields);
  }

  /** Somebody else had changed what had been verified. */
  drift(differences: readonly string[], generation: number, revertsInLastMinute: number): void {
    this.log.warn(
      { differences, generation, revertsInLastMinute },
      `the layout of generation ${String(generation)} had been changed by somebody else and was restored`,
    );
  }

  wentBack(source: string, index: number): void {
    this.log.warn({ source, index }, "Consul has gone back to an older state");
  }

  paths(state: WatchState): void {
    const { truth } = state;
    if (truth.kind === "holding" && truth.reason === "starting") return;
    const now = truth.kind === "following" ? truth.kind : truth.reason;
    if (now === this.#truth) return;
    this.#truth = now;
    if (truth.kind === "following") this.log.info({}, "Consul answers consistent reads");
    else this.log.warn({ reason: truth.reason }, `holding the layout: ${truth.problem}`);
  }

  #details(outcome: Verified, fields: object): void {
    for (const warning of outcome.warnings) {
      if (!this.#warnings.has(warning)) this.log.warn(fields, warning);
    }
    this.#warnings = new Set(outcome.warnings);
    if (outcome.pendingEditsOfOthers.length > 0) {
      this.log.warn(
        { ...fields, rows: outcome.pendingEditsOfOthers },
        "the LOAD has also published pending edits that somebody else had made",
      );
    }
  }
}

function timeOf(outcome: Outcome): { readonly tookMs?: number } {
  return outcome.kind === "applied" && outcome.tookMs !== null ? { tookMs: outcome.tookMs } : {};
}
