import { createHash, randomBytes } from "node:crypto";
import { actionFor } from "./analysis.js";
import type { AnalysisEntry } from "./analysis-entry.js";
import type { StandInConfiguration } from "./configuration.js";
import { type InstanceKey, keyText, sameKey } from "./instance.js";
import { type Recovery, recoveryUid } from "./recovery.js";

/** The newest recoveries that are kept. */
const KEPT_RECOVERIES = 1000;

/** Detections and recoveries: what has been registered, and what that blocks (3.2.6, topology_recovery_dao.go). */
export class RecoveryLog {
  /** Automatic recoveries are off for every cluster (`disable-global-recoveries`). */
  disabled = false;
  readonly #configuration: StandInConfiguration;
  readonly #now: () => number;
  #recoveries: Recovery[] = [];
  readonly #detections = new Map<string, { id: number; atMs: number }>();
  readonly #lastDetection = new Map<string, number>();
  #detectionCount = 0;
  #recoveryCount = 0;

  constructor(configuration: StandInConfiguration, now: () => number) {
    this.#configuration = configuration;
    this.#now = now;
  }

  /** Newest first. */
  get recoveries(): readonly Recovery[] {
    return this.#recoveries;
  }

  /** A new UID, by the clock at this moment. */
  newUid(): string {
    const nanoseconds =
      BigInt(Math.round(this.#now() * 1000)) * 1000n + BigInt(randomBytes(2).readUInt16BE() % 1000);
    return recoveryUid(nanoseconds, createHash("sha256").update(randomBytes(64)).digest("hex"));
  }

  /** @returns false where this failure of the server is already registered: its detection hooks have run then. */
  registerDetection(analysis: AnalysisEntry): boolean {
    const name = detectionName(analysis);
    if (this.#detections.has(name)) return false;
    this.#detectionCount += 1;
    this.#detections.set(name, { id: this.#detectionCount, atMs: this.#now() });
    this.#lastDetection.set(keyText(analysis.AnalyzedInstanceKey), this.#detectionCount);
    return true;
  }

  acknowledgeDetections(key: InstanceKey): void {
    for (const name of this.#detections.keys())
      if (name.startsWith(`${keyText(key)} `)) this.#detections.delete(name);
  }

  /**
   * A recovery that may begin, or one sentence that says what blocks it. `forced`, by an operator, is blocked by nothing
   * but a recovery of the same server that is still under way.
   */
  register(analysis: AnalysisEntry, forced: boolean): Recovery | string {
    const key = analysis.AnalyzedInstanceKey;
    if (!forced) {
      const blocking = this.#blocking(analysis);
      if (blocking !== undefined) return blocking;
    } else {
      this.acknowledge(
        (one) => sameKey(one.analysis.AnalyzedInstanceKey, key) && one.resolvedAtMs !== null,
        "orchestrator",
        `implicit acknowledge due to user invocation of recovery on same instance: ${keyText(key)}`,
      );
    }
    if (this.#recoveries.some((one) => one.active && sameKey(one.analysis.AnalyzedInstanceKey, key))) {
      return `found an active or recent recovery on ${keyText(key)}. Will not issue another RecoverDeadMaster.`;
    }
    return this.#add(analysis);
  }

  /** Marks those that `which` picks; what they blocked is free again. @returns how many */
  acknowledge(which: (recovery: Recovery) => boolean, by: string, comment: string): number {
    const found = this.#recoveries.filter((one) => one.acknowledged === null && which(one));
    for (const one of found) {
      one.active = false;
      one.acknowledged = { by, comment, atMs: this.#now() };
    }
    return found.length;
  }

  /** What the recovery's tick does first: after their time, detections and recoveries block nothing any more. */
  expire(): void {
    const nowMs = this.#now();
    const detectionMs = this.#configuration.FailureDetectionPeriodBlockMinutes * 60_000;
    const recoveryMs = this.#configuration.RecoveryPeriodBlockSeconds * 1000;
    for (const [name, { atMs }] of this.#detections) {
      if (nowMs - atMs > detectionMs) this.#detections.delete(name);
    }
    for (const one of this.#recoveries) if (nowMs - one.startedAtMs > recoveryMs) one.active = false;
  }

  #blocking(analysis: AnalysisEntry): string | undefined {
    const key = analysis.AnalyzedInstanceKey;
    const active = this.#recoveries.filter((one) => one.active);
    const promoted = active.find((one) => one.successor !== null && sameKey(one.successor, key));
    if (promoted !== undefined) {
      const failed = keyText(promoted.analysis.AnalyzedInstanceKey);
      return `instance ${keyText(key)} has recently been promoted (by failover of ${failed}) and is in active period`;
    }
    const name = analysis.ClusterDetails.ClusterName;
    const same = active.find((one) => one.analysis.ClusterDetails.ClusterName === name);
    if (same === undefined) return undefined;
    return `cluster ${name} has recently experienced a failover (of ${keyText(same.analysis.AnalyzedInstanceKey)}) and is in active period`;
  }

  #add(analysis: AnalysisEntry): Recovery {
    this.#recoveryCount += 1;
    const recovery: Recovery = {
      id: this.#recoveryCount,
      uid: this.newUid(),
      analysis,
      successor: null,
      successorBinlogCoordinates: null,
      lostReplicas: [],
      errors: [],
      startedAtMs: this.#now(),
      resolvedAtMs: null,
      active: true,
      acknowledged: null,
      lastDetectionId: this.#lastDetection.get(keyText(analysis.AnalyzedInstanceKey)) ?? 0,
      steps: [],
    };
    this.#recoveries = [recovery, ...this.#recoveries].slice(0, KEPT_RECOVERIES);
    return recovery;
  }
}

/** One per server, and one more for what can't be recovered from: Orchestrator's unique index of the table. */
function detectionName(analysis: AnalysisEntry): string {
  const actionable = actionFor(analysis.Analysis) === "recover";
  return `${keyText(analysis.AnalyzedInstanceKey)} ${actionable ? "recoverable" : "detected"}`;
}
