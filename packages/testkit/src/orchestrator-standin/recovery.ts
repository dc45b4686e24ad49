import { type AnalysisEntry, EMPTY_ANALYSIS } from "./analysis-entry.js";
import type { HookSituation } from "./hook-environment.js";
import { type Coordinates, type InstanceKey, NO_KEY } from "./instance.js";
import { dateTime, timestamp } from "./time-text.js";

/** A recovery as it is under way and as the audit keeps it. Times are milliseconds since 1970. */
export interface Recovery {
  id: number;
  /** `<unix nanoseconds>:<sha256>` */
  uid: string;
  analysis: AnalysisEntry;
  successor: InstanceKey | null;
  successorBinlogCoordinates: Coordinates | null;
  lostReplicas: InstanceKey[];
  errors: string[];
  startedAtMs: number;
  /** When its successor, or that there is none, was decided; null before. */
  resolvedAtMs: number | null;
  /** While active it blocks automatic recoveries of the same cluster, and of its successor. */
  active: boolean;
  acknowledged: { by: string; comment: string; atMs: number } | null;
  lastDetectionId: number;
  /** The audit's steps: what was done, in its order. */
  steps: { atMs: number; message: string }[];
}

/**
 * Orchestrator's recovery UID (3.2.6, go/util/token.go PrettyUniqueToken).
 *
 * @param nanoseconds since 1970
 * @param hash 64 hex digits
 */
export function recoveryUid(nanoseconds: bigint, hash: string): string {
  return `${nanoseconds}:${hash}`;
}

/** What this recovery's hooks are told now. */
export function situationOf(recovery: Recovery, orchestratorHost: string): HookSituation {
  const { analysis, successor, successorBinlogCoordinates, lostReplicas, uid } = recovery;
  return {
    analysis,
    recoveryUid: uid,
    successor,
    successorBinlogCoordinates,
    lostReplicas,
    orchestratorHost,
  };
}

/** The recovery as the answer of a takeover gives it: with all that was known, without what only the audit has. */
export function recoveryView(recovery: Recovery): Record<string, unknown> {
  return {
    Id: recovery.id,
    UID: recovery.uid,
    AnalysisEntry: recovery.analysis,
    SuccessorKey: recovery.successor,
    SuccessorAlias: "",
    SuccessorBinlogCoordinates: recovery.successorBinlogCoordinates,
    IsActive: false,
    IsSuccessful: recovery.successor !== null,
    LostReplicas: recovery.lostReplicas,
    ParticipatingInstanceKeys: [],
    AllErrors: recovery.errors,
    RecoveryStartTimestamp: "",
    RecoveryEndTimestamp: "",
    ProcessingNodeHostname: "",
    ProcessingNodeToken: "",
    Acknowledged: false,
    AcknowledgedAt: "",
    AcknowledgedBy: "",
    AcknowledgedComment: "",
    LastDetectionId: 0,
    RelatedRecoveryId: 0,
    Type: "MasterRecovery",
    RecoveryType: "MasterRecoveryGTID",
  };
}

/** The recovery as `audit-recovery` gives it: of the analysis only what is kept (3.2.6, readRecoveries). */
export function auditView(recovery: Recovery): Record<string, unknown> {
  const { analysis, acknowledged } = recovery;
  const { ClusterName, ClusterAlias, HasAutomatedMasterRecovery, HasAutomatedIntermediateMasterRecovery } =
    analysis.ClusterDetails;
  return {
    ...recoveryView(recovery),
    AnalysisEntry: {
      ...EMPTY_ANALYSIS,
      AnalyzedInstanceKey: analysis.AnalyzedInstanceKey,
      ClusterDetails: {
        ...EMPTY_ANALYSIS.ClusterDetails,
        ClusterName,
        ClusterAlias,
        HasAutomatedMasterRecovery,
        HasAutomatedIntermediateMasterRecovery,
      },
      CountReplicas: analysis.CountReplicas,
      Replicas: analysis.Replicas,
      SlaveHosts: analysis.SlaveHosts,
      Analysis: analysis.Analysis,
    },
    SuccessorKey: recovery.successor ?? NO_KEY,
    SuccessorBinlogCoordinates: null,
    IsActive: recovery.active,
    // No error is one empty error: the column is split at line ends.
    AllErrors: recovery.errors.join("\n").split("\n"),
    RecoveryStartTimestamp: timestamp(recovery.startedAtMs),
    RecoveryEndTimestamp: recovery.resolvedAtMs === null ? "" : dateTime(recovery.resolvedAtMs),
    ProcessingNodeHostname: analysis.ProcessingNodeHostname,
    ProcessingNodeToken: analysis.ProcessingNodeToken,
    Acknowledged: acknowledged !== null,
    AcknowledgedAt: acknowledged === null ? "" : timestamp(acknowledged.atMs),
    AcknowledgedBy: acknowledged?.by ?? "",
    AcknowledgedComment: acknowledged?.comment ?? "",
    LastDetectionId: recovery.lastDetectionId,
    Type: "",
    RecoveryType: "NotMasterRecovery",
  };
}
