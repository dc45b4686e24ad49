import {
  type Layout,
  type MasterRecord,
  type Server,
  canonicalServer,
  formatServer,
  includesServer,
  sameServer,
} from "@primacy/contract";
import type { Finding } from "./rules.js";
import { type ClusterView, type SeenServer, isReachable, serverIn } from "./view.js";

/** Who the master is by Orchestrator's word, against the record. */
export type Claim =
  /** The record's master is a valid one. `findings`: what people should know all the same. */
  | { readonly kind: "agrees"; readonly findings: readonly Finding[] }
  /** Another server is, and it is one that the record could be changed to. */
  | { readonly kind: "another"; readonly server: Server; readonly findings: readonly Finding[] }
  /** Nobody that could be believed. */
  | { readonly kind: "nobody"; readonly findings: readonly Finding[] };

/**
 * A master is what was checked validly and recently, is not read-only, and replicates from nobody (or is one of two
 * co-masters). A server of which one is not known is none: `/api/masters` lists the dead old master as a master by the
 * read_only that it last had, and that was copied to Consul once (openark/orchestrator#1462). Orchestrator's own depth
 * is no help: a replica of a server that it doesn't know has depth 0 too (3.2.6, go/inst/instance_dao.go).
 */
export function isValidMaster(seen: SeenServer): boolean {
  return isReachable(seen) && !seen.readOnly && isRoot(seen);
}

/** An alias that has moved leads to another cluster's list: its master is nobody's rival here. */
function isOfCluster(seen: SeenServer, view: ClusterView): boolean {
  if (seen.known !== undefined) return true;
  return view.servers.some(
    (one) => one.known !== undefined && one.listed && one.clusterName === seen.clusterName,
  );
}

function isRoot(seen: SeenServer): boolean {
  return !seen.detached && (seen.source === null || seen.coMaster);
}

/** Compares the record with what Orchestrator sees. Pure. */
export function claimOf(view: ClusterView, record: MasterRecord, layout: Layout): Claim {
  const master = canonicalServer(layout, record.master);
  const recorded = serverIn(view, master);
  const others = view.servers.filter(
    (seen) => isValidMaster(seen) && !sameServer(seen.server, master) && isOfCluster(seen, view),
  );
  const alias = aliasFindings(view, master);
  if (recorded !== undefined && isValidMaster(recorded)) {
    const rivals = others.map((seen) => rivalFinding(seen, record, layout));
    return { kind: "agrees", findings: [...rivals, ...alias] };
  }
  const [other, second] = others;
  if (other === undefined) return { kind: "nobody", findings: [masterFinding(master, recorded), ...alias] };
  if (second !== undefined) {
    const names = others.map((seen) => formatServer(seen.server)).join(", ");
    const reason = `${formatServer(master)} is no valid master, and ${names} are all writable`;
    return { kind: "nobody", findings: [{ rule: "several-claim", reason }, ...alias] };
  }
  const objection = objectionTo(other, record, layout);
  if (objection !== null) return { kind: "nobody", findings: [objection, ...alias] };
  const reason = `Orchestrator names ${formatServer(other.server)}, and the record ${formatServer(master)}`;
  return { kind: "another", server: other.server, findings: [{ rule: "another-master", reason }, ...alias] };
}

function rivalFinding(seen: SeenServer, record: MasterRecord, layout: Layout): Finding {
  const name = formatServer(seen.server);
  if (isFormerMaster(seen.server, record, layout)) {
    const reason = `${name}, a former master, is back and writable beside the master`;
    return { rule: "former-master-writable", reason };
  }
  // Of two co-masters each has the other one as its source.
  const reason =
    seen.source === null
      ? `${name} is writable and replicates from nobody, beside the master`
      : `${name} is writable beside the master, as its co-master`;
  return { rule: "second-writable-master", reason };
}

/** Why the one valid master must not be believed. */
function objectionTo(seen: SeenServer, record: MasterRecord, layout: Layout): Finding | null {
  const name = formatServer(seen.server);
  if (isFormerMaster(seen.server, record, layout)) {
    return { rule: "former-master-claims", reason: `${name}, a former master, is the only writable server` };
  }
  if (seen.known === undefined) {
    return {
      rule: "unknown-server-claims",
      reason: `${name}, which the layout doesn't name, is the only writable server`,
    };
  }
  if (!seen.known.candidate) {
    return { rule: "no-candidate-claims", reason: `${name} is the only writable server, and no candidate` };
  }
  if (seen.downtime !== null) {
    return {
      rule: "downtimed-server-claims",
      reason: `${name} is the only writable server, and downtimed: ${seen.downtime.reason}`,
    };
  }
  return null;
}

function masterFinding(master: Server, recorded: SeenServer | undefined): Finding {
  const name = formatServer(master);
  if (recorded === undefined)
    return { rule: "master-unreachable", reason: `Orchestrator doesn't know ${name}` };
  if (!isReachable(recorded)) {
    const since = recorded.lastSeenAt === null ? "" : `, last seen at ${recorded.lastSeenAt}`;
    return { rule: "master-unreachable", reason: `Orchestrator can't reach ${name}${since}` };
  }
  if (!isRoot(recorded)) {
    const source =
      recorded.source === null ? "a server that it was cut off from" : formatServer(recorded.source);
    return { rule: "master-replicates", reason: `${name} replicates from ${source}` };
  }
  return { rule: "master-read-only", reason: `${name} is read-only` };
}

function aliasFindings(view: ClusterView, master: Server): readonly Finding[] {
  if (!view.aliasKnown) {
    return [{ rule: "alias-unknown", reason: "Orchestrator knows no cluster of this alias" }];
  }
  const listed = view.servers.some((seen) => seen.listed && sameServer(seen.server, master));
  // A dead master leaves the alias to its successor: that is how it should be.
  const alive = serverIn(view, master);
  if (listed || alive === undefined || !isValidMaster(alive)) return [];
  return [
    {
      rule: "alias-elsewhere",
      reason: `${formatServer(master)} is not in the cluster that Orchestrator's alias leads to`,
    },
  ];
}

export function isFormerMaster(server: Server, record: MasterRecord, layout: Layout): boolean {
  return includesServer(
    record.quarantined.map((one) => canonicalServer(layout, one)),
    server,
  );
}
