import type { ReplicationThread, Server } from "@primacy/contract";
import { makeServer } from "@primacy/contract";
import * as z from "zod";
import { instantOf, zoneOffsetMs } from "./backend-time.js";

/**
 * One MySQL server as Orchestrator sees it, in our words: its spelling (`ReplicationIOThreadRuning`) and its ways of
 * saying "nothing" (`""`, `_`, `{"Int64":0,"Valid":false}`) stop here.
 */
export interface Instance {
  /** As Orchestrator calls it. */
  readonly name: Server;
  /** Did its last check succeed? */
  readonly checkValid: boolean;
  /** Was it checked within five poll intervals? */
  readonly recentlyChecked: boolean;
  /** What the last check that SUCCEEDED saw: of a dead server it is old. */
  readonly readOnly: boolean;
  /** Its source as configured, running or not; null where it has none or is detached. */
  readonly source: Server | null;
  /** Orchestrator has cut it off its source (`//host`, DetachLostReplicasAfterMasterFailover), or that can't be read. */
  readonly detached: boolean;
  readonly coMaster: boolean;
  readonly ioThread: ReplicationThread;
  readonly sqlThread: ReplicationThread;
  /** Null: not known. A broken replica's lag is NULL, with a 0 beside it that means nothing. */
  readonly lagSeconds: number | null;
  /** `host:port` of the root of its topology; another one after every failover. */
  readonly clusterName: string;
  readonly suggestedAlias: string;
  readonly downtime: { readonly reason: string; readonly endsAt: string | null } | null;
  readonly errantGtid: string | null;
  /** When it last answered, by the backend's clock: the same text as long as it is dead. Null where unknown. */
  readonly lastSeenAt: string | null;
  /** The same by our own clock, a second too late at most. Milliseconds since 1970. */
  readonly answeredAtMs: number | null;
}

const key = z.object({ Hostname: z.string(), Port: z.number() });
const nullable = z.object({ Int64: z.number(), Valid: z.boolean() });
const NOT_KNOWN = { Int64: 0, Valid: false };

/**
 * Lenient in what a fork leaves out or adds, strict in what a decision rests on: without one of the required fields
 * the answer is none of Orchestrator's (3.2.6, go/inst/instance.go).
 */
const instanceSchema = z.object({
  Key: key,
  MasterKey: key,
  ReadOnly: z.boolean(),
  IsLastCheckValid: z.boolean(),
  IsRecentlyChecked: z.boolean(),
  IsDowntimed: z.boolean(),
  ReplicationIOThreadState: z.number(),
  ReplicationSQLThreadState: z.number(),
  IsCoMaster: z.boolean().default(false),
  IsDetachedMaster: z.boolean().default(false),
  IsDetached: z.boolean().default(false),
  ReplicationLagSeconds: nullable.default(NOT_KNOWN),
  SecondsSinceLastSeen: nullable.default(NOT_KNOWN),
  LastSeenTimestamp: z.string().default(""),
  ClusterName: z.string().default(""),
  SuggestedClusterAlias: z.string().default(""),
  DowntimeReason: z.string().default(""),
  DowntimeEndTimestamp: z.string().default(""),
  GtidErrant: z.string().default(""),
  Problems: z
    .array(z.string())
    .nullish()
    .transform((list) => list ?? []),
});
type RawInstance = z.infer<typeof instanceSchema>;

/** Empty lists come as `null` from some calls. */
export const instancesSchema = z
  .array(instanceSchema)
  .nullable()
  .transform((list) => list ?? []);
export { instanceSchema };

/** A demoted or lost server's downtime: it is renewed at every poll, so its end means nothing (go/inst/downtime_dao.go). */
export const LOST_IN_RECOVERY = "lost-in-recovery";

const THREADS: Record<number, ReplicationThread> = { [-1]: "none", 0: "stopped", 1: "running" };

/**
 * @param askedAtMs when it was asked for, milliseconds since 1970: an answer that takes seconds is not newer for that
 * @returns undefined for a server whose name is no host name: nobody could connect to it
 */
export function readInstance(raw: RawInstance, askedAtMs: number): Instance | undefined {
  const name = makeServer(raw.Key.Hostname, raw.Key.Port);
  if (!name.ok) return undefined;
  const source = sourceOf(raw);
  const seenMs = raw.SecondsSinceLastSeen.Valid ? askedAtMs - raw.SecondsSinceLastSeen.Int64 * 1000 : null;
  const zone = seenMs === null ? null : zoneOffsetMs(raw.LastSeenTimestamp, seenMs);
  return {
    name: name.value,
    checkValid: raw.IsLastCheckValid,
    recentlyChecked: raw.IsRecentlyChecked,
    readOnly: raw.ReadOnly,
    ...source,
    coMaster: raw.IsCoMaster,
    ioThread: THREADS[raw.ReplicationIOThreadState] ?? "connecting",
    sqlThread: THREADS[raw.ReplicationSQLThreadState] ?? "connecting",
    lagSeconds: raw.ReplicationLagSeconds.Valid ? Math.max(0, raw.ReplicationLagSeconds.Int64) : null,
    clusterName: raw.ClusterName,
    suggestedAlias: raw.SuggestedClusterAlias,
    downtime: raw.IsDowntimed ? downtimeOf(raw, zone) : null,
    errantGtid: errantOf(raw),
    lastSeenAt: zone === null ? null : instantOf(raw.LastSeenTimestamp, zone),
    answeredAtMs: seenMs,
  };
}

/** A source whose name can't be read is one all the same: its replica must not be taken for a root. */
function sourceOf({
  MasterKey,
  IsDetachedMaster,
  IsDetached,
}: RawInstance): Pick<Instance, "source" | "detached"> {
  const { Hostname, Port } = MasterKey;
  // "_" is how a root's empty source is written where it was never set.
  const none = Hostname === "" || Hostname === "_";
  const source = makeServer(Hostname, Port);
  const detached = IsDetachedMaster || IsDetached || (!none && !source.ok);
  return { source: source.ok && !none && !detached ? source.value : null, detached };
}

function downtimeOf(raw: RawInstance, zone: number | null): Instance["downtime"] {
  const reason = raw.DowntimeReason.slice(0, 1000);
  const endless = reason === LOST_IN_RECOVERY || zone === null;
  return { reason, endsAt: endless ? null : instantOf(raw.DowntimeEndTimestamp, zone) };
}

function errantOf(raw: RawInstance): string | null {
  if (raw.GtidErrant !== "") return raw.GtidErrant.slice(0, 1000);
  return raw.Problems.includes("errant_gtid") ? "unknown" : null;
}
