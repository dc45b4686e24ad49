import { printable } from "@primacy/contract";
import { ConsulError, type ConsulErrorCode } from "./errors.js";
import type { Answer } from "./npm-consul.js";

/** One key as `GET /v1/kv` gives it. */
export interface KvItem {
  readonly key: string;
  /** Base64 as it came; null for an empty value. */
  readonly value: string | null;
  readonly modifyIndex: number;
  readonly session: string | null;
}

/** What a read of keys found, and the index from which a blocking query goes on. */
export interface KvAnswer {
  readonly items: readonly KvItem[];
  readonly index: number;
  /** 404. */
  readonly missing: boolean;
  readonly filteredByAcls: boolean;
}

/**
 * The error that an answer is, or undefined for a 2xx and a 404 of Consul's own.
 *
 * Consul's errors are plain text (1.8.7 and later); an HTML page of any status is somebody else's.
 */
export function answerError(answer: Answer, address: string): ConsulError | undefined {
  const { status } = answer;
  if (isHtml(answer)) return unexpected(answer, address, "an HTML page");
  if ((status >= 200 && status < 300) || status === 404) return undefined;
  const [code, what] = classify(status, answer.text);
  return makeError(code, answer, address, what);
}

/** The keys of a `GET /v1/kv`. @throws {ConsulError} for everything that isn't Consul's list of keys */
export function readKv(answer: Answer, address: string): KvAnswer {
  throwIfError(answer, address);
  const index = indexHeader(answer);
  // A 404 without an index is another server's: believing it would make the record look absent.
  if (index === undefined) throw unexpected(answer, address, "no X-Consul-Index");
  const filteredByAcls = answer.header("x-consul-results-filtered-by-acls") === "true";
  if (answer.status === 404) return { items: [], index, missing: true, filteredByAcls };
  const list = readJson(answer, address);
  const items = Array.isArray(list) ? list.map(kvItem) : [undefined];
  if (!items.every((item) => item !== undefined)) throw unexpected(answer, address, "no list of keys");
  return { items, index, missing: items.length === 0, filteredByAcls };
}

/** The names of a `GET /v1/kv?keys`. @throws {ConsulError} */
export function readKeys(answer: Answer, address: string): { keys: string[]; missing: boolean } {
  throwIfError(answer, address);
  if (indexHeader(answer) === undefined) throw unexpected(answer, address, "no X-Consul-Index");
  if (answer.status === 404) return { keys: [], missing: true };
  const list = readJson(answer, address);
  if (!Array.isArray(list) || !list.every((key) => typeof key === "string")) {
    throw unexpected(answer, address, "no list of names");
  }
  return { keys: list, missing: list.length === 0 };
}

/** `true` or `false`: what a PUT says. @throws {ConsulError} */
export function readBoolean(answer: Answer, address: string): boolean {
  throwIfError(answer, address);
  const json = answer.status === 404 ? undefined : readJson(answer, address);
  if (typeof json !== "boolean") throw unexpected(answer, address, "neither true nor false");
  return json;
}

/** The JSON of a 2xx. @throws {ConsulError} */
export function readJson(answer: Answer, address: string): unknown {
  if (!isJson(answer)) throw unexpected(answer, address, "no JSON");
  try {
    return JSON.parse(answer.text) as unknown;
  } catch {
    throw unexpected(answer, address, "broken JSON");
  }
}

export function throwIfError(answer: Answer, address: string): void {
  const error = answerError(answer, address);
  if (error !== undefined) throw error;
}

export function unexpected(answer: Answer, address: string, what: string): ConsulError {
  return makeError("CONSUL_UNEXPECTED_ANSWER", answer, address, `does not answer as Consul does (${what})`);
}

/** The text is what Consul says; its newer versions name a token's public AccessorID there, none its secret. */
function makeError(code: ConsulErrorCode, answer: Answer, address: string, what: string): ConsulError {
  const text = isHtml(answer) ? "" : printable(answer.text.trim());
  const said = text === "" ? `HTTP ${String(answer.status)}` : `HTTP ${String(answer.status)}: ${text}`;
  return new ConsulError(code, `Consul at ${address} ${what}: ${said}`, { address, status: answer.status });
}

function classify(status: number, text: string): [ConsulErrorCode, string] {
  if (/acl not found/i.test(text)) return ["CONSUL_DENIED", "does not know this token"];
  if (status === 401 || status === 403 || /permission denied/i.test(text)) {
    return ["CONSUL_DENIED", "denies this to the token"];
  }
  if (status === 429 || (status === 503 && /rate limit/i.test(text))) {
    return ["CONSUL_RATE_LIMITED", "limits the rate of requests"];
  }
  if (/no cluster leader/i.test(text)) return ["CONSUL_NO_LEADER", "has no leader"];
  if (status >= 500) return ["CONSUL_SERVER_ERROR", "has an error of its own"];
  if (status >= 400) return ["CONSUL_REFUSED", "calls the request wrong"];
  return ["CONSUL_UNEXPECTED_ANSWER", "does not answer as Consul does"];
}

export function isJson(answer: Answer): boolean {
  return /^application\/json\b/.test(answer.header("content-type") ?? "");
}

function isHtml(answer: Answer): boolean {
  return /^text\/html\b/.test(answer.header("content-type") ?? "");
}

function indexHeader(answer: Answer): number | undefined {
  const text = answer.header("x-consul-index") ?? "";
  const index = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(index) ? index : undefined;
}

function kvItem(json: unknown): KvItem | undefined {
  if (typeof json !== "object" || json === null) return undefined;
  const { Key, Value, ModifyIndex, Session } = json as Record<string, unknown>;
  if (typeof Key !== "string" || !Number.isSafeInteger(ModifyIndex)) return undefined;
  if (typeof Value !== "string" && Value !== null) return undefined;
  const session = typeof Session === "string" && Session !== "" ? Session : null;
  return { key: Key, value: Value, modifyIndex: ModifyIndex as number, session };
}
