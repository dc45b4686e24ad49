import { type MasterRecord, type Phase, type Server, formatServer, sameServer } from "@primacy/contract";
import type { Lease } from "./lease.js";

/** Connections in use on one server of the writer hostgroup, as `stats_mysql_connection_pool` has it. */
export interface ConnectionsInUse extends Server {
  readonly status: string;
  readonly used: number;
}

/** What holds here and now, besides the documents. */
export interface Circumstances {
  readonly lease: Lease;
  /** Is the drain of this record over, on our clock? */
  readonly drainIsOver: boolean;
  readonly inUse: readonly ConnectionsInUse[];
}

/** How much of the record this ProxySQL may show now. */
export interface Restraint {
  /** The record's phase, or `fenced` where nobody may take writes here whatever the record says. */
  readonly phase: Phase;
  /** Why an open master takes no writes here; null where the record is followed. */
  readonly withheld: string | null;
  /** Servers of the writer hostgroup whose connections are to be ended now. */
  readonly kill: readonly Server[];
  /** Also by sessions that are at another hostgroup now: their connection keeps the master out. */
  readonly killHidden: boolean;
}

/**
 * May this ProxySQL show the record? Pure. It may not
 *
 * - without a lease, where the cluster asks for one;
 * - past a drain's deadline: what is left of the sessions is killed, and the outgoing master is out;
 * - while connections to the master linger from a time when it was out. ProxySQL keeps a removed server as the same
 *   object until its last connection is gone: put back, its old transactions would come to life again (2.7.1,
 *   MySQL_HostGroups_Manager::commit). They are doomed, so they are killed.
 */
export function restraint(record: MasterRecord, master: Server, now: Circumstances): Restraint {
  const { lease, drainIsOver, inUse } = now;
  if (lease.kind === "lost") {
    const withheld = record.phase === "open" ? `the lease is lost: ${lease.reason}` : null;
    return { phase: "fenced", withheld, kill: [], killHidden: false };
  }
  const its = inUse.filter((one) => one.used > 0 && sameServer(one, master));
  if (record.phase === "draining" && drainIsOver) {
    return { phase: "fenced", withheld: null, kill: its, killHidden: false };
  }
  const lingering = its.filter((one) => one.status === "OFFLINE_HARD");
  if (record.phase === "fenced" || lingering.length === 0) {
    return { phase: record.phase, withheld: null, kill: [], killHidden: false };
  }
  const count = lingering.reduce((sum, one) => sum + one.used, 0);
  const why = `${String(count)} connections to ${formatServer(master)} linger from before it was taken out`;
  const withheld = record.phase === "open" ? why : null;
  return { phase: "fenced", withheld, kill: lingering, killHidden: true };
}
