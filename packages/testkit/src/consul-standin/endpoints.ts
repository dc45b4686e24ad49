import { type Answer, json, type Request, text } from "./answer.js";
import type { ConsulState } from "./consul-state.js";
import { deleteKv, lookAtKv, putKv } from "./kv-endpoint.js";
import { answerRead, type Look } from "./query.js";
import { createSession, destroySession, lookAtSessions, NODE, renewSession } from "./session-endpoint.js";
import { runTxn } from "./txn-endpoint.js";

/** The one datacenter that the stand-in is. */
export const DATACENTER = "dc1";

const LEADER = "127.0.0.1:8300";

/** What the endpoints work with. */
export interface Context {
  state: ConsulState;
  /** Numbers in [0, 1), for the jitter of waiting reads. */
  random: () => number;
  /** The smallest TTL that a session may have. */
  minTtlMs: number;
}

type Endpoint = (context: Context, request: Request) => Answer | Promise<Answer>;

/** By path, or by the path's beginning where it ends in a slash, and by method. */
const ENDPOINTS: Record<string, Record<string, Endpoint>> = {
  "/v1/kv/": {
    GET: (context, request) => read(context, request, lookAtKv),
    PUT: ({ state }, request) => putKv(state, request),
    DELETE: ({ state }, request) => deleteKv(state, request),
  },
  "/v1/txn": { PUT: ({ state }, request) => runTxn(state, request) },
  "/v1/session/create": { PUT: ({ state, minTtlMs }, { body }) => createSession(state, body, minTtlMs) },
  "/v1/session/renew/": { PUT: ({ state }, { path }) => renewSession(state, lastWord(path)) },
  "/v1/session/destroy/": { PUT: ({ state }, { path }) => destroySession(state, lastWord(path)) },
  "/v1/session/info/": { GET: (context, request) => read(context, request, lookAtSessions) },
  "/v1/session/list": { GET: (context, request) => read(context, request, lookAtSessions) },
  "/v1/status/leader": { GET: () => json(LEADER) },
  "/v1/status/peers": { GET: () => json([LEADER]) },
  "/v1/agent/self": { GET: () => json(self()) },
};

/** Finds the endpoint and asks it. */
export function route(context: Context, request: Request): Answer | Promise<Answer> {
  const { method, path } = request;
  const place = Object.keys(ENDPOINTS).find(
    (each) => path === each || (each.endsWith("/") && path.startsWith(each)),
  );
  const methods = place === undefined ? undefined : ENDPOINTS[place];
  if (methods === undefined) return text(404, `the stand-in does not know ${method} ${path}`);
  const endpoint = methods[method];
  if (endpoint !== undefined) return endpoint(context, request);
  const allow = { Allow: ["OPTIONS", ...Object.keys(methods)].join(",") };
  if (method === "OPTIONS") return { status: 200, headers: allow, body: "" };
  const answer = text(405, `method ${method} not allowed`);
  return { ...answer, headers: { ...answer.headers, ...allow } };
}

async function read(
  context: Context,
  request: Request,
  look: (state: ConsulState, request: Request) => Look | Answer,
): Promise<Answer> {
  const first = look(context.state, request);
  if ("status" in first) return first;
  return answerRead(context, request, () => look(context.state, request) as Look);
}

function lastWord(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function self(): unknown {
  const config = {
    Datacenter: DATACENTER,
    NodeName: NODE,
    Server: true,
    Revision: "stand-in",
    Version: "1.8.7",
  };
  return { Config: config, Member: { Name: NODE, Addr: "127.0.0.1", Port: 8301, Status: 1 } };
}
