import {
  type ApiReply,
  type ApiRequest,
  apiResponse,
  nameByAlias,
  nameByHint,
  ok,
  type Route,
} from "./api-reply.js";
import { auditView } from "./recovery.js";
import type { KnownServer } from "./instance-view.js";
import { timestamp } from "./time-text.js";

const AUDIT_PAGE_SIZE = 20;
const YEAR_ONE = "0001-01-01T00:00:00Z";

/** What only reads. */
export const readRoutes: readonly Route[] = [
  ["leader-check", () => ok("OK")],
  ["leader-check/:errorStatusCode", () => ok("OK")],
  ["routed-leader-check", () => ok("OK")],
  ["status", status],
  ["health", status],
  ["clusters", ({ tools }) => ok(tools.backend.clusters().map(({ ClusterName }) => ClusterName))],
  ["clusters-info", ({ tools }) => ok(tools.backend.clusters())],
  [
    "cluster-info/alias/:clusterAlias",
    (request) => ok(request.tools.backend.clusterInfo(nameByAlias(request))),
  ],
  ["cluster-info/:clusterHint", (request) => ok(request.tools.backend.clusterInfo(nameByHint(request)))],
  ["master/:clusterHint", master],
  ["masters", ({ tools }) => instances(tools.backend.writeableMasters(), tools, null)],
  ["cluster/alias/:clusterAlias", (request) => clusterInstances(request, nameByAlias(request))],
  ["cluster/instance/:host/:port", (request) => clusterInstances(request, nameByHint(request))],
  ["cluster/:clusterHint", (request) => clusterInstances(request, nameByHint(request))],
  ["instance/:host/:port", instance],
  ["all-instances", ({ tools }) => instances(tools.backend.servers.sort(rootsFirst), tools, [])],
  ["downtimed", downtimed],
  ["downtimed/:clusterHint", downtimed],
  ["audit-recovery", auditRecovery],
  ["audit-recovery/alias/:clusterAlias", auditRecovery],
  ["audit-recovery/alias/:clusterAlias/:page", auditRecovery],
  ["audit-recovery/cluster/:clusterName", auditRecovery],
  ["audit-recovery/cluster/:clusterName/:page", auditRecovery],
  ["audit-recovery/uid/:uid", auditRecovery],
  ["audit-recovery/id/:id", auditRecovery],
  ["audit-recovery/:page", auditRecovery],
  ["audit-recovery-steps/:uid", auditSteps],
];

/** @param none what an empty list looks like: some lists of Orchestrator are null then */
function instances(servers: readonly KnownServer[], tools: ApiRequest["tools"], none: null | []): ApiReply {
  return ok(servers.length === 0 ? none : servers.map((server) => tools.backend.view(server)));
}

function clusterInstances({ tools }: ApiRequest, name: string): ApiReply {
  return instances(tools.backend.clusterServers(name), tools, []);
}

function master(request: ApiRequest): ApiReply {
  const name = nameByHint(request);
  const [first] = request.tools.backend.clusterMasters(name);
  if (first === undefined) return apiResponse("ERROR", `No masters found for ${name}`);
  return ok(request.tools.backend.view(first));
}

function instance({ params, tools }: ApiRequest): ApiReply {
  const key = { Hostname: params["host"] ?? "", Port: Number(params["port"]) };
  const server = tools.backend.server(key);
  if (server === undefined) return apiResponse("ERROR", `Cannot read instance: ${key.Hostname}:${key.Port}`);
  return ok(tools.backend.view(server));
}

function downtimed(request: ApiRequest): ApiReply {
  const { tools, params } = request;
  const name = params["clusterHint"] === undefined ? undefined : nameByHint(request);
  const found = tools.backend.servers
    .filter(({ instance: one }) => tools.backend.isDowntimed(one.Key))
    .filter(({ instance: one }) => name === undefined || one.ClusterName === name);
  return instances(found, tools, []);
}

/** Roots before replicas, those with more replicas first. */
function rootsFirst(a: KnownServer, b: KnownServer): number {
  return (
    a.instance.ReplicationDepth - b.instance.ReplicationDepth ||
    b.instance.Replicas.length - a.instance.Replicas.length
  );
}

function auditRecovery({ params, query, tools }: ApiRequest): ApiReply {
  const { uid, id, clusterName, clusterAlias, page } = params;
  const first = Math.max(0, Number(page ?? 0) || 0) * AUDIT_PAGE_SIZE;
  const found = tools.recoveries.recoveries
    .filter((one) => uid === undefined || one.uid === uid)
    .filter((one) => id === undefined || one.id === Number(id))
    .filter((one) => clusterName === undefined || one.analysis.ClusterDetails.ClusterName === clusterName)
    .filter((one) => clusterAlias === undefined || one.analysis.ClusterDetails.ClusterAlias === clusterAlias)
    .filter((one) => query.get("unacknowledged") !== "true" || one.acknowledged === null);
  return ok(found.slice(first, first + AUDIT_PAGE_SIZE).map(auditView));
}

function auditSteps({ params, tools }: ApiRequest): ApiReply {
  const recovery = tools.recoveries.recoveries.find(({ uid }) => uid === params["uid"]);
  const steps = (recovery?.steps ?? []).map(({ atMs, message }, index) => ({
    Id: index + 1,
    RecoveryUID: params["uid"],
    AuditAt: timestamp(atMs),
    Message: message,
  }));
  return ok(steps);
}

function status({ tools, startedAtMs }: ApiRequest): ApiReply {
  const { host, token } = tools.backend.identity;
  const node = (AppVersion: string, DBBackend: string) => ({
    Hostname: host,
    Token: token,
    AppVersion,
    FirstSeenActive: timestamp(startedAtMs),
    LastSeenActive: timestamp(tools.now()),
    ExtraInfo: "",
    Command: "",
    DBBackend,
    LastReported: YEAR_ONE,
  });
  return apiResponse("OK", "Application node is healthy", {
    Healthy: true,
    Hostname: host,
    Token: token,
    IsActiveNode: true,
    ActiveNode: node("", ""),
    Error: null,
    AvailableNodes: [node("3.2.6", "memory")],
    RaftLeader: "",
    IsRaftLeader: false,
    RaftLeaderURI: "",
    RaftAdvertise: "",
    RaftHealthyMembers: null,
  });
}
