import {
  type ApiReply,
  type ApiRequest,
  apiResponse,
  nameByAlias,
  nameByHint,
  type Route,
} from "./api-reply.js";
import { failOver } from "./failover.js";
import { forcedAnalysis, gracefulTakeover, onlyMaster } from "./graceful-takeover.js";
import { type InstanceKey, keyText, sameKey } from "./instance.js";
import { type Recovery, recoveryView } from "./recovery.js";
import { dateTime } from "./time-text.js";

/** What changes something. */
export const actionRoutes: readonly Route[] = [
  ["graceful-master-takeover/:clusterHint", (request) => takeOver(request, false)],
  [
    "graceful-master-takeover/:clusterHint/:designatedHost/:designatedPort",
    (request) => takeOver(request, false),
  ],
  ["graceful-master-takeover-auto/:clusterHint", (request) => takeOver(request, true)],
  [
    "graceful-master-takeover-auto/:clusterHint/:designatedHost/:designatedPort",
    (request) => takeOver(request, true),
  ],
  ["force-master-failover/:clusterHint", forceFailover],
  ["discover/:host/:port", discover],
  ["forget/:host/:port", forget],
  ["begin-downtime/:host/:port/:owner/:reason", beginDowntime],
  ["begin-downtime/:host/:port/:owner/:reason/:duration", beginDowntime],
  ["end-downtime/:host/:port", endDowntime],
  [
    "ack-recovery/cluster/alias/:clusterAlias",
    (request) => acknowledgeCluster(request, nameByAlias(request)),
  ],
  ["ack-recovery/cluster/:clusterHint", (request) => acknowledgeCluster(request, nameByHint(request))],
  ["ack-recovery/instance/:host/:port", acknowledgeInstance],
  [
    "ack-recovery/uid/:uid",
    (request) => acknowledge(request, "recovery", request.params["uid"], byUid(request)),
  ],
  [
    "ack-recovery/:recoveryId",
    (request) => acknowledge(request, "recovery", request.params["recoveryId"], byId(request)),
  ],
  [
    "ack-all-recoveries",
    (request) => acknowledge(request, "all recoveries", request.query.get("comment"), () => true),
  ],
  ["disable-global-recoveries", ({ tools }) => switchRecoveries(tools, true)],
  ["enable-global-recoveries", ({ tools }) => switchRecoveries(tools, false)],
  ["check-global-recoveries", ({ tools }) => recoverySwitch(tools.recoveries.disabled)],
  ["submit-masters-to-kv-stores", (request) => submitMasters(request, undefined)],
  ["submit-masters-to-kv-stores/:clusterHint", (request) => submitMasters(request, nameByHint(request))],
];

async function takeOver(request: ApiRequest, auto: boolean): Promise<ApiReply> {
  const { params, tools } = request;
  const host = params["designatedHost"];
  const to = host === undefined ? undefined : { Hostname: host, Port: Number(params["designatedPort"]) };
  const recovery = await gracefulTakeover(tools, { clusterName: nameByHint(request), to, auto });
  return apiResponse("OK", "graceful-master-takeover: successor promoted", recoveryView(recovery));
}

async function forceFailover(request: ApiRequest): Promise<ApiReply> {
  const { tools } = request;
  const master = onlyMaster(tools, nameByHint(request));
  const analysis = forcedAnalysis(tools, master.Key, "force-master-failover");
  const { attempted, recovery, problem } = await failOver(tools, {
    analysis,
    forced: true,
    designated: null,
  });
  if (problem !== null) return apiResponse("ERROR", problem);
  if (!attempted || recovery === null) {
    return apiResponse("ERROR", "Unexpected error: recovery not attempted. This should not happen");
  }
  if (recovery.successor === null) return apiResponse("ERROR", "Recovery attempted yet no replica promoted");
  return apiResponse("OK", "Master failed over", recoveryView(recovery));
}

async function discover({ params, tools }: ApiRequest): Promise<ApiReply> {
  const key = keyOf(params);
  await tools.topology.read(key);
  const server = tools.backend.server(key);
  return apiResponse("OK", `Instance discovered: ${keyText(key)}`, server && tools.backend.view(server));
}

/** A server that still answers, and that a seed or its master names, is found again. */
function forget({ params, tools }: ApiRequest): ApiReply {
  const key = keyOf(params);
  if (tools.backend.forget(key)) return apiResponse("OK", `Forgot instance: ${keyText(key)}`, key);
  // The very line of its log.
  throw new Error(`${dateTime(tools.now())} ERROR ForgetInstance(): instance ${keyText(key)} not found`);
}

function beginDowntime({ params, tools }: ApiRequest): ApiReply {
  const key = keyOf(params);
  const seconds = params["duration"] === undefined ? 0 : durationSeconds(params["duration"]);
  // Zero is Orchestrator's MaintenanceExpireMinutes.
  const durationMs = seconds === 0 ? 10 * 60_000 : seconds * 1000;
  tools.backend.beginDowntime(key, params["owner"] ?? "", params["reason"] ?? "", durationMs);
  return apiResponse("OK", `Downtime begun: ${keyText(key)}`, key);
}

function endDowntime({ params, tools }: ApiRequest): ApiReply {
  const key = keyOf(params);
  tools.backend.endDowntime(key);
  return apiResponse("OK", `Downtime ended: ${keyText(key)}`, key);
}

/** A number of seconds, or one with a unit: 30s, 5m, 2h, 1d, 1w. */
function durationSeconds(text: string): number {
  const match = /^(\d+)([smhdw]?)$/.exec(text);
  if (match === null) throw new Error(`Cannot parse simple time: ${text}`);
  const units: Record<string, number> = { "": 1, s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };
  return Number(match[1]) * (units[match[2] ?? ""] ?? 1);
}

function acknowledgeCluster(request: ApiRequest, name: string): ApiReply {
  const alias = request.tools.backend.aliases.alias(name);
  const ofCluster = ({ analysis }: Recovery) =>
    analysis.ClusterDetails.ClusterName === name || analysis.ClusterDetails.ClusterAlias === alias;
  return acknowledge(request, "cluster recoveries", name, ofCluster);
}

function acknowledgeInstance(request: ApiRequest): ApiReply {
  const key = keyOf(request.params);
  const ofServer = ({ analysis }: Recovery) => sameKey(analysis.AnalyzedInstanceKey, key);
  return acknowledge(request, "instance recoveries", key, ofServer);
}

function acknowledge(
  { query, tools }: ApiRequest,
  what: string,
  details: unknown,
  which: (recovery: Recovery) => boolean,
): ApiReply {
  const comment = (query.get("comment") ?? "").trim();
  if (comment === "") return apiResponse("ERROR", "No acknowledge comment given");
  for (const one of tools.recoveries.recoveries.filter(which)) {
    tools.recoveries.acknowledgeDetections(one.analysis.AnalyzedInstanceKey);
  }
  tools.recoveries.acknowledge(which, tools.backend.identity.host, comment);
  return apiResponse("OK", `Acknowledged ${what}`, details);
}

function byUid({ params }: ApiRequest): (recovery: Recovery) => boolean {
  return ({ uid }) => uid === params["uid"];
}

function byId({ params }: ApiRequest): (recovery: Recovery) => boolean {
  return ({ id }) => id === Number(params["recoveryId"]);
}

function switchRecoveries(tools: ApiRequest["tools"], disabled: boolean): ApiReply {
  tools.recoveries.disabled = disabled;
  const state = disabled ? "disabled" : "enabled";
  return apiResponse("OK", `Globally ${state} recoveries`, state);
}

function recoverySwitch(disabled: boolean): ApiReply {
  const state = disabled ? "disabled" : "enabled";
  return apiResponse("OK", `Global recoveries ${state}`, state);
}

async function submitMasters({ tools }: ApiRequest, name: string | undefined): Promise<ApiReply> {
  const pairs = tools.stores.masters(name);
  await tools.stores.put(pairs);
  const details = pairs.map(([Key, Value]) => ({ Key, Value }));
  return apiResponse("OK", `Submitted ${pairs.length} masters`, details);
}

function keyOf(params: Record<string, string>): InstanceKey {
  return { Hostname: params["host"] ?? "", Port: Number(params["port"]) };
}
