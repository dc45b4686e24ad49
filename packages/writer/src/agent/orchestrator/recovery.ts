import { type Server, makeServer, recoveryBeganAt } from "@primacy/contract";
import * as z from "zod";

/** A recovery in Orchestrator's audit, in our words. */
export interface Recovery {
  /** `<unix nanoseconds>:<hash>`; the same as the hooks of that recovery are given. */
  readonly uid: string;
  /** When it began, from the UID: the audit's own timestamps say no time zone. Null for a UID of another kind. */
  readonly beganAt: string | null;
  /** Orchestrator's analysis, such as `DeadMaster`. */
  readonly analysis: string;
  readonly failed: Server;
  readonly successor: Server | null;
  readonly successful: boolean;
  /** Has an end been written? One that was given up (a failing PreFailover hook, a leader that died) never gets one. */
  readonly ended: boolean;
  readonly acknowledged: boolean;
  /** Alias and name of the cluster as they were when it began. */
  readonly clusterAlias: string;
  readonly clusterName: string;
}

const key = z.object({ Hostname: z.string(), Port: z.number() });

/** 3.2.6, go/logic/topology_recovery.go. What a fork adds is ignored. */
const recoverySchema = z.object({
  UID: z.string(),
  AnalysisEntry: z.object({
    AnalyzedInstanceKey: key,
    Analysis: z.string(),
    ClusterDetails: z
      .object({ ClusterName: z.string().default(""), ClusterAlias: z.string().default("") })
      .prefault({}),
  }),
  SuccessorKey: key.nullable(),
  IsSuccessful: z.boolean(),
  RecoveryEndTimestamp: z.string(),
  Acknowledged: z.boolean().default(false),
});

export const recoveriesSchema = z
  .array(recoverySchema)
  .nullable()
  .transform((list) => list ?? []);

/** Undefined where the failed server's name is no host name. */
export function readRecovery(raw: z.infer<typeof recoverySchema>): Recovery | undefined {
  const { AnalyzedInstanceKey, Analysis, ClusterDetails } = raw.AnalysisEntry;
  const failed = makeServer(AnalyzedInstanceKey.Hostname, AnalyzedInstanceKey.Port);
  if (!failed.ok) return undefined;
  // No successor is an object with an empty host, not null.
  const successor =
    raw.SuccessorKey === null ? undefined : makeServer(raw.SuccessorKey.Hostname, raw.SuccessorKey.Port);
  return {
    uid: raw.UID,
    beganAt: recoveryBeganAt(raw.UID),
    analysis: Analysis.slice(0, 200),
    failed: failed.value,
    successor: successor?.ok === true ? successor.value : null,
    successful: raw.IsSuccessful,
    ended: raw.RecoveryEndTimestamp !== "",
    acknowledged: raw.Acknowledged,
    clusterAlias: ClusterDetails.ClusterAlias,
    clusterName: ClusterDetails.ClusterName,
  };
}
