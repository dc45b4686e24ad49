import { type KeyValue } from "./types.js";
import { type TxnOperation } from "./npm-consul.js";
import { type Answer } from "./npm-consul.js";
import { throwIfError, unexpected, readJson } from "./answers.js";

export interface TxnError {
  readonly opIndex: number;
  readonly what: string;
}

/** What a transaction came to. A 409 is no error of transport: nothing of the transaction was applied. */
export type TxnResult =
  | { readonly kind: "applied"; readonly indexes: ReadonlyMap<string, number> }
  | { readonly kind: "refused"; readonly errors: readonly TxnError[] };

/**
 * Why a transaction was refused. Consul answers 409 for all of them (1.8.7), so the texts decide:
 *
 * - `stale`: the compare-and-set of operation 0 failed.
 * - `other-stale`: only compare-and-sets of later operations failed.
 * - `session-gone`, `locked`: of a lock.
 * - `denied`: the token.
 * - `other`: anything that isn't known.
 */
export type TxnRefusal = "stale" | "other-stale" | "session-gone" | "locked" | "denied" | "other";

export function classifyTxnErrors(errors: readonly TxnError[]): TxnRefusal {
  const kinds = errors.map((error) => classifyWhat(error.what));
  for (const kind of ["denied", "other", "session-gone", "locked"] as const) {
    if (kinds.includes(kind)) return kind;
  }
  if (kinds.length === 0) return "other";
  return errors.some((error) => error.opIndex === 0) ? "stale" : "other-stale";
}

function classifyWhat(what: string): Exclude<TxnRefusal, "other-stale"> {
  if (/permission denied|acl not found/i.test(what)) return "denied";
  if (/index is stale/.test(what)) return "stale";
  if (/invalid session/.test(what)) return "session-gone";
  if (/lock delay|lock is already held|failed to lock key/.test(what)) return "locked";
  return "other";
}

export function casOperation(key: string, text: string, index: number): TxnOperation {
  return { KV: { Verb: "cas", Key: key, Value: base64(text), Index: index } };
}

export function setOperation(pair: KeyValue): TxnOperation {
  return { KV: { Verb: "set", Key: pair.key, Value: base64(pair.value) } };
}

/** Deletes and locks in one step: between the two nobody sees the key missing, or gets it. */
export function takeOverOperations(key: string, text: string, sessionId: string): TxnOperation[] {
  return [
    { KV: { Verb: "delete", Key: key } },
    { KV: { Verb: "lock", Key: key, Value: base64(text), Session: sessionId } },
  ];
}

/** @throws {ConsulError} for everything but a 200 with results and a 409 with errors */
export function readTxn(answer: Answer, address: string): TxnResult {
  if (answer.status !== 409) throwIfError(answer, address);
  if (answer.status === 404) throw unexpected(answer, address, "no transactions");
  const json = readJson(answer, address);
  const { Results, Errors } = (json ?? {}) as { Results?: unknown; Errors?: unknown };
  if (answer.status === 409) {
    const errors = Array.isArray(Errors) ? Errors.map(txnError) : [];
    if (errors.length === 0) throw unexpected(answer, address, "a conflict without errors");
    return { kind: "refused", errors };
  }
  if (!Array.isArray(Results)) throw unexpected(answer, address, "no results");
  return { kind: "applied", indexes: new Map(Results.flatMap(keyAndIndex)) };
}

function txnError(json: unknown): TxnError {
  const { OpIndex, What } = (json ?? {}) as { OpIndex?: unknown; What?: unknown };
  return { opIndex: typeof OpIndex === "number" ? OpIndex : -1, what: typeof What === "string" ? What : "" };
}

function keyAndIndex(json: unknown): [string, number][] {
  const { KV } = (json ?? {}) as { KV?: { Key?: unknown; ModifyIndex?: unknown } | null };
  if (typeof KV?.Key !== "string" || !Number.isSafeInteger(KV.ModifyIndex)) return [];
  return [[KV.Key, KV.ModifyIndex as number]];
}

function base64(text: string): string {
  return Buffer.from(text, "utf8").toString("base64");
}
