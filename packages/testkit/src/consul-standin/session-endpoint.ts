import { type Answer, json, type Request, readHeaders, text } from "./answer.js";
import type { ConsulState } from "./consul-state.js";
import { parseDuration } from "./duration.js";
import { type Fields, fieldsOf, stringField, UnexpectedJson } from "./json-fields.js";
import type { Look } from "./query.js";
import { refuseSessionId } from "./session-ids.js";
import { refuseTtl, type Session, type SessionRequest } from "./sessions.js";

/** The name of the one node that the stand-in has. */
export const NODE = "consul-standin";

const DEFAULT_LOCK_DELAY_MS = 15_000;
/** The health of the session's node. */
const DEFAULT_CHECK = "serfHealth";

/** A session as Consul's JSON has it; LockDelay is in nanoseconds. */
function sessionJson(session: Session): Record<string, unknown> {
  return {
    ID: session.id,
    Name: session.name,
    Node: NODE,
    LockDelay: session.lockDelayMs * 1e6,
    Behavior: session.behavior,
    TTL: session.ttl,
    NodeChecks: session.nodeChecks,
    ServiceChecks: null,
    CreateIndex: session.createIndex,
    ModifyIndex: session.createIndex,
  };
}

/** PUT /v1/session/create */
export function createSession(state: ConsulState, body: Buffer, minTtlMs: number): Answer {
  try {
    const fields = fieldsOf(body.length === 0 ? null : JSON.parse(body.toString("utf8")));
    const request = parseRequest(fields);
    const refusal = refuseRequest(fields, request) ?? refuseTtl(request.ttl, minTtlMs);
    return refusal === undefined ? json({ ID: state.createSession(request).id }) : text(500, refusal);
  } catch (error) {
    if (!(error instanceof UnexpectedJson) && !(error instanceof SyntaxError)) throw error;
    return text(400, `Request decode failed: ${error.message}`);
  }
}

/** PUT /v1/session/renew/<id> */
export function renewSession(state: ConsulState, id: string): Answer {
  const refusal = refuseId(id);
  if (refusal) return refusal;
  const session = state.sessions.renew(id);
  return session ? json([sessionJson(session)]) : text(404, `Session id '${id}' not found`);
}

/** PUT /v1/session/destroy/<id>: true, whether there was such a session or not. */
export function destroySession(state: ConsulState, id: string): Answer {
  const refusal = refuseId(id);
  if (refusal) return refusal;
  state.destroySession(id);
  return json(true);
}

/** GET /v1/session/info/<id> and GET /v1/session/list */
export function lookAtSessions(state: ConsulState, { path }: Request): Look | Answer {
  const index = Math.max(1, state.sessions.index);
  if (path === "/v1/session/list") {
    return { index, answer: json(state.sessions.list().map(sessionJson), readHeaders(index)) };
  }
  const id = path.slice("/v1/session/info/".length);
  const refusal = refuseId(id);
  if (refusal) return refusal;
  const session = state.sessions.get(id);
  return { index, answer: json(session ? [sessionJson(session)] : [], readHeaders(index)) };
}

function refuseId(id: string): Answer | undefined {
  if (id === "") return text(400, "Missing session");
  const refusal = refuseSessionId(id);
  return refusal === undefined ? undefined : text(500, refusal);
}

function parseRequest(fields: Fields): SessionRequest {
  return {
    name: stringField(fields, "Name"),
    ttl: stringField(fields, "TTL"),
    behavior: stringField(fields, "Behavior") === "delete" ? "delete" : "release",
    lockDelayMs: parseLockDelay(fields.get("lockdelay")),
    nodeChecks: parseChecks(fields),
  };
}

function refuseRequest(fields: Fields, { nodeChecks }: SessionRequest): string | undefined {
  const behavior = stringField(fields, "Behavior");
  if (!["", "release", "delete"].includes(behavior)) return `Invalid Behavior setting '${behavior}'`;
  if (!["", NODE].includes(stringField(fields, "Node"))) return "Missing node registration";
  const unknown = nodeChecks.find((check) => check !== DEFAULT_CHECK);
  return unknown === undefined ? undefined : `Missing check '${unknown}' registration`;
}

/** A Go duration, or a number: of seconds where it is below 1000, of nanoseconds otherwise. */
function parseLockDelay(value: unknown): number {
  if (value === undefined || value === null) return DEFAULT_LOCK_DELAY_MS;
  if (typeof value === "number") return value < 1_000 ? value * 1_000 : value / 1e6;
  const milliseconds = typeof value === "string" ? parseDuration(value) : undefined;
  if (milliseconds === undefined) throw new UnexpectedJson(`time: invalid duration ${JSON.stringify(value)}`);
  return milliseconds;
}

/** Without a word about checks a session also dies with its node; an empty list in either field stops that. */
function parseChecks(fields: Fields): string[] {
  const lists = [fields.get("nodechecks"), fields.get("checks")].filter((list) => Array.isArray(list));
  if (lists.some((list) => list.length === 0)) return [];
  return (lists[0] as string[] | undefined) ?? [DEFAULT_CHECK];
}
