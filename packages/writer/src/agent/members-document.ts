import {
  type Layout,
  type MasterRecord,
  type Member,
  type Members,
  canonicalServer,
  compareServers,
  formatServer,
  includesServer,
  sameServer,
} from "@primacy/contract";
import { memberState } from "./judge.js";
import type { Membership, Tracked } from "./membership.js";
import { UNKNOWN } from "./steady.js";

/**
 * What another agent believed when it wrote the document. The beliefs are taken over, so that a change of leader moves
 * nobody's readers; a quarantine that was not over begins anew, because nobody has watched in between.
 *
 * @param nowMs on the clock that the membership will be observed with
 */
export function membershipFrom(
  members: Members,
  record: MasterRecord,
  layout: Layout,
  nowMs: number,
): Membership {
  const servers = members.servers.map((member): Tracked => {
    const { followsMasterSince, ...facts } = member;
    const over = quarantineIsOver(member, members.observedAt, record, layout);
    return {
      server: { host: member.host, port: member.port },
      belief: { ...UNKNOWN, state: memberState(member, sameServer(member, members.master), layout) },
      facts,
      followsSinceMs:
        followsMasterSince === null || !over ? null : nowMs - heldMs(followsMasterSince, members.observedAt),
      thereSinceMs: null,
      awaySinceMs: null,
      joined: member.discovered,
    };
  });
  return { master: members.master, servers, removed: members.removed };
}

export interface DocumentContext {
  readonly cluster: string;
  /** Milliseconds since 1970, for people. */
  readonly nowMs: number;
  /** The same moment on the clock that the membership was observed with. */
  readonly observedMs: number;
  readonly observedBy: string;
  readonly held: Members["held"];
  readonly disagreement: Members["disagreement"];
}

/** The document that says what is believed; servers of which nothing is believed yet are left out. Pure. */
export function membersDocument(membership: Membership, context: DocumentContext): Members {
  const { cluster, nowMs, observedMs, observedBy, held, disagreement } = context;
  const servers = membership.servers.flatMap((one): Member[] => {
    if (one.facts === null || one.belief.state === "unknown") return [];
    if (one.facts.discovered && !one.joined) return [];
    const { followsSinceMs } = one;
    const since =
      followsSinceMs === null ? null : new Date(nowMs - (observedMs - followsSinceMs)).toISOString();
    return [{ ...one.facts, discovered: one.joined, followsMasterSince: since }];
  });
  return {
    format: 1,
    cluster,
    master: membership.master,
    observedAt: new Date(nowMs).toISOString(),
    observedBy,
    servers: servers.sort(compareServers),
    removed: membership.removed,
    held,
    disagreement,
  };
}

/**
 * What a document means to whoever reads it: two with the same meaning need not both be written. Lag counts by whether
 * it is too much, following by whether it ends a quarantine; who looked and when does not count. Pure.
 */
export function meaningOf(members: Members, record: MasterRecord, layout: Layout): string {
  const servers = members.servers.map((member) => {
    const { host, port, readOnly, ioThread, sqlThread, replicatesFrom, followsMaster, downtime, discovered } =
      member;
    return {
      host,
      port,
      state: memberState(member, sameServer(member, members.master), layout),
      readOnly,
      ioThread,
      sqlThread,
      replicatesFrom,
      followsMaster,
      downtime,
      discovered,
      errant: member.errantGtid !== null,
      mayLeaveQuarantine: quarantineIsOver(member, members.observedAt, record, layout),
    };
  });
  return JSON.stringify({
    master: formatServer(members.master),
    servers,
    removed: members.removed,
    held: members.held?.rule ?? null,
    disagreement:
      members.disagreement === null ? null : [members.disagreement.rule, members.disagreement.reason],
  });
}

/** True for whoever is not in quarantine. The watchers compute the same from the document. */
function quarantineIsOver(member: Member, observedAt: string, record: MasterRecord, layout: Layout): boolean {
  const quarantined = record.quarantined.map((one) => canonicalServer(layout, one));
  if (!includesServer(quarantined, member)) return true;
  if (member.followsMasterSince === null) return false;
  return heldMs(member.followsMasterSince, observedAt) >= layout.quarantineSeconds * 1000;
}

/** Both are of one document, so of one clock at one moment. */
function heldMs(since: string, observedAt: string): number {
  return Date.parse(observedAt) - Date.parse(since);
}
