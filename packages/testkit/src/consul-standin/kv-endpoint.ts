import { type Answer, json, type Request, readHeaders, text } from "./answer.js";
import type { ConsulState } from "./consul-state.js";
import type { KvEntry, KvWrite } from "./kv-table.js";
import type { Look } from "./query.js";
import { refuseSession } from "./session-ids.js";

/** Consul's kv_max_value_size and txn_max_req_len: raft's suggested size of an entry. */
export const MAX_VALUE_BYTES = 512 * 1024;

/** An entry as Consul's JSON has it; an empty value is null, a session is there only while a lock is held. */
export function entryJson(entry: KvEntry, withValue = true): Record<string, unknown> {
  return {
    LockIndex: entry.lockIndex,
    Key: entry.key,
    Flags: entry.flags,
    Value: withValue && entry.value.length > 0 ? entry.value.toString("base64") : null,
    ...(entry.session === "" ? {} : { Session: entry.session }),
    CreateIndex: entry.createIndex,
    ModifyIndex: entry.modifyIndex,
  };
}

/** GET /v1/kv/<key>: one entry, a list (recurse), names (keys), or the bytes (raw). */
export function lookAtKv(state: ConsulState, { path, params }: Request): Look | Answer {
  const key = keyOf(path);
  if (params.has("keys")) return lookAtNames(state, key, params.get("separator") ?? "");
  if (params.has("recurse")) {
    const entries = state.kv.list(key);
    return found(
      state.kv.indexOfPrefix(key),
      entries.map((entry) => entryJson(entry)),
    );
  }
  if (key === "") return text(400, "Missing key name");
  const entry = state.kv.get(key);
  // A missing key has the index of the whole table, so any write moves it.
  if (!entry) return found(state.kv.index, []);
  return params.has("raw") ? raw(entry) : found(entry.modifyIndex, [entryJson(entry)]);
}

/** PUT /v1/kv/<key>, also with cas, acquire or release. */
export function putKv(state: ConsulState, { path, params, body }: Request): Answer {
  const write = parseWrite(path, params, body);
  if ("status" in write) return write;
  const condition = ["cas", "acquire", "release"].find((name) => params.has(name)) ?? "none";
  const value = params.get(condition) ?? "";
  switch (condition) {
    case "cas":
      return parseUint(value) ?? answerWrite(state, (at, kv) => kv.setCas(at, write, Number(value)));
    case "acquire":
      return acquire(state, write, value);
    case "release":
      if (value === "") return text(500, "missing session");
      return answerWrite(state, (at, kv) => kv.unlock(at, write, value));
    default:
      return answerWrite(state, (at, kv) => kv.set(at, write));
  }
}

/** DELETE /v1/kv/<key>, also with cas or recurse. */
export function deleteKv(state: ConsulState, { path, params }: Request): Answer {
  const key = keyOf(path);
  if (params.has("recurse") && params.has("cas")) return text(400, `Conflicting flags: ${params.toString()}`);
  if (params.has("recurse")) {
    return answerWrite(state, (at, kv) => {
      kv.deleteTree(at, key);
      return true;
    });
  }
  if (key === "") return text(400, "Missing key name");
  const cas = params.get("cas");
  return (
    (cas === null ? undefined : parseUint(cas)) ??
    answerWrite(state, (at, kv) => {
      if (cas !== null) return kv.deleteCas(at, key, Number(cas));
      kv.delete(at, key);
      return true;
    })
  );
}

/** The text for a request whose body is larger than {@link MAX_VALUE_BYTES}. */
export function tooLarge(bytes: number, setting: string): Answer {
  return text(
    413,
    `Request body(${bytes} bytes) too large, max size: ${MAX_VALUE_BYTES} bytes. ` +
      `See https://www.consul.io/docs/agent/options.html#${setting}.`,
  );
}

function lookAtNames(state: ConsulState, prefix: string, separator: string): Look {
  const names = state.kv.list(prefix).map(({ key }) => {
    const end = separator === "" ? -1 : key.indexOf(separator, prefix.length);
    return end === -1 ? key : key.slice(0, end + separator.length);
  });
  const look = found(state.kv.indexOfPrefix(prefix), [...new Set(names)]);
  // Only the root may be empty without being missing.
  return prefix === "" && names.length === 0 ? { ...look, answer: json([], readHeaders(look.index)) } : look;
}

/** 200 with the list, or 404 with an index where it is empty. */
function found(index: number, list: unknown[]): Look {
  const headers = readHeaders(index);
  return { index, answer: list.length === 0 ? { status: 404, headers, body: "" } : json(list, headers) };
}

function raw(entry: KvEntry): Look {
  const headers = {
    ...readHeaders(entry.modifyIndex),
    "Content-Type": "text/plain",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox",
  };
  return { index: entry.modifyIndex, answer: { status: 200, headers, body: entry.value } };
}

function parseWrite(path: string, params: URLSearchParams, body: Buffer): KvWrite | Answer {
  const key = keyOf(path);
  if (key === "") return text(400, "Missing key name");
  if (["cas", "acquire", "release"].filter((name) => params.has(name)).length > 1) {
    return text(400, `Conflicting flags: ${params.toString()}`);
  }
  const flags = params.get("flags") ?? "0";
  return parseUint(flags) ?? { key, value: body, flags: Number(flags) };
}

function acquire(state: ConsulState, write: KvWrite, session: string): Answer {
  if (state.isLockDelayed(write.key)) return json(false);
  const refusal = refuseSession(state, session);
  if (refusal !== undefined) return text(500, refusal);
  return answerWrite(state, (at, kv) => kv.lock(at, write, session));
}

function answerWrite(state: ConsulState, write: (at: number, kv: ConsulState["kv"]) => unknown): Answer {
  return json(state.apply((kv, at) => ({ result: Boolean(write(at, kv)), keep: true })));
}

/** The answer for what is no unsigned number of 64 bits, in Go's words. */
function parseUint(value: string): Answer | undefined {
  const refusal = (why: string) => text(500, `strconv.ParseUint: parsing ${JSON.stringify(value)}: ${why}`);
  if (!/^\d+$/.test(value)) return refusal("invalid syntax");
  return BigInt(value) < 2n ** 64n ? undefined : refusal("value out of range");
}

function keyOf(path: string): string {
  return path.slice("/v1/kv/".length);
}
