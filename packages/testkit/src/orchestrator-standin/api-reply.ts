import type { FailoverTools } from "./failover-run.js";
import { dateTime } from "./time-text.js";

/** An answer: what stands in it is sent as JSON. */
export interface ApiReply {
  status: number;
  body: unknown;
}

/** What a route gets: the parts of the path that it names, and the query. */
export interface ApiRequest {
  params: Record<string, string>;
  query: URLSearchParams;
  tools: FailoverTools;
  startedAtMs: number;
}

export type Handler = (request: ApiRequest) => ApiReply | Promise<ApiReply>;
export type Route = readonly [pattern: string, handle: Handler];

/** Data as it is. */
export function ok(body: unknown): ApiReply {
  return { status: 200, body };
}

/** The envelope of everything that does something (3.2.6, go/http/api.go APIResponse): an error is status 500. */
export function apiResponse(code: "OK" | "ERROR", message: string, details: unknown = null): ApiReply {
  return { status: code === "OK" ? 200 : 500, body: { Code: code, Message: message, Details: details } };
}

/** The cluster that the path means by `clusterHint`, or by host and port. @throws where there is none */
export function nameByHint({ params, tools }: ApiRequest): string {
  const hint = params["clusterHint"] ?? `${params["host"]}:${params["port"]}`;
  const name = tools.backend.clusterName(hint);
  // Orchestrator answers the very line of its log here.
  if (name === undefined) {
    throw new Error(`${dateTime(tools.now())} ERROR Unable to determine cluster name. clusterHint=${hint}`);
  }
  return name;
}

/** @throws where no cluster has the alias */
export function nameByAlias({ params, tools }: ApiRequest): string {
  const alias = params["clusterAlias"] ?? "";
  const named = tools.backend.servers.some(({ instance }) => instance.ClusterName === alias);
  const name = tools.backend.aliases.clusterName(alias) ?? (named ? alias : undefined);
  if (name === undefined) throw new Error(`No cluster found for alias ${alias}`);
  return name;
}
