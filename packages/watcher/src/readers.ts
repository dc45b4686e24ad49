import {
  type Layout,
  type LayoutServer,
  type MasterRecord,
  type Member,
  type Members,
  canonicalServer,
  includesServer,
  layoutServer,
  sameServer,
} from "@primacy/contract";
import type { Status } from "./rows.js";

/** What a replica may do in the reader hostgroup, and why in a few words. */
export interface ReaderVerdict {
  readonly status: Extract<Status, "ONLINE" | "OFFLINE_SOFT" | "OFFLINE_HARD">;
  readonly why: string;
}

const online = (why: string): ReaderVerdict => ({ status: "ONLINE", why });
const soft = (why: string): ReaderVerdict => ({ status: "OFFLINE_SOFT", why });
const hard = (why: string): ReaderVerdict => ({ status: "OFFLINE_HARD", why });

/** The servers that may have a row in the reader hostgroup: the layout's, and what was discovered where it wants that. */
export function readerServers(layout: Layout, members: Members | null): readonly LayoutServer[] {
  if (!layout.discover || members === null) return layout.servers;
  const found = members.servers
    .filter((one) => one.discovered && layoutServer(layout, one) === undefined)
    .map((one): LayoutServer => ({
      host: one.host,
      port: one.port,
      candidate: false,
      reads: true,
      alsoKnownAs: [],
    }));
  return [...layout.servers, ...found];
}

/**
 * May this replica serve reads? Until the agent has written `members`, every replica may but a quarantined one; so may
 * one that `members` doesn't speak of (not knowing is no reason to take a server out). Pure.
 */
export function readerVerdict(
  server: LayoutServer,
  record: MasterRecord,
  layout: Layout,
  members: Members | null,
): ReaderVerdict {
  if (!server.reads) return hard("the layout gives it no reads");
  const member = members?.servers.find((one) => sameServer(canonicalServer(layout, one), server));
  if (isQuarantined(server, record, layout)) {
    const problem = stillQuarantined(member, members, record, layout);
    if (problem !== null) return hard(problem);
  }
  if (member === undefined) return online("replica");
  // It may replicate happily from a former master that is alive and writable: another history.
  if (member.followsMaster === false && members !== null && judgedAgainstMaster(members, record, layout)) {
    return hard("not replicating from the present master");
  }
  return replicaVerdict(member, layout);
}

function judgedAgainstMaster(members: Members, record: MasterRecord, layout: Layout): boolean {
  return sameServer(canonicalServer(layout, members.master), canonicalServer(layout, record.master));
}

function isQuarantined(server: LayoutServer, record: MasterRecord, layout: Layout): boolean {
  return includesServer(
    record.quarantined.map((one) => canonicalServer(layout, one)),
    server,
  );
}

/** A former master serves nothing until it has been seen following the present one for the layout's time. */
function stillQuarantined(
  member: Member | undefined,
  members: Members | null,
  record: MasterRecord,
  layout: Layout,
): string | null {
  if (members === null || member === undefined) return "former master, not seen replicating";
  if (!judgedAgainstMaster(members, record, layout)) {
    return "former master, not yet judged against the present one";
  }
  if (member.followsMasterSince === null || member.readOnly !== true) {
    return "former master, not read-only and replicating from the present one";
  }
  const seconds = (Date.parse(members.observedAt) - Date.parse(member.followsMasterSince)) / 1000;
  return seconds >= layout.quarantineSeconds ? null : "former master, replicating again only a short while";
}

function replicaVerdict(member: Member, layout: Layout): ReaderVerdict {
  if (member.downtime !== null) return soft(`downtimed: ${member.downtime.reason}`);
  if (!member.reachable) return hard("Orchestrator cannot reach it");
  if (!member.replicating || member.replicatesFrom === null) return hard("not replicating");
  if (member.lagSeconds === null) return hard("its replication lag is not known");
  if (member.lagSeconds > layout.maxLagSeconds) return soft(`${String(member.lagSeconds)} s behind`);
  return online("replica");
}
