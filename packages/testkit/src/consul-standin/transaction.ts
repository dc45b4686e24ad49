import type { ConsulState } from "./consul-state.js";
import { refuseSession } from "./session-ids.js";
import type { KvEntry, KvTable, KvWrite } from "./kv-table.js";

/** One operation of a transaction. */
export interface Operation extends KvWrite {
  verb: string;
  index: number;
  session: string;
}

/** An entry of the answer; only `get` and `get-tree` show values (get-tree of Consul 1.8.7 does). */
export interface OperationResult {
  entry: KvEntry;
  withValue: boolean;
}

/** Why the operation at `opIndex` can't be done, in Consul's words. */
export interface OperationError {
  opIndex: number;
  what: string;
}

/** All results, or all errors and nothing changed. */
export type TransactionAnswer = { results: OperationResult[] } | { errors: OperationError[] };

class Refused extends Error {}

const WRITES = new Set(["set", "delete", "delete-cas", "delete-tree", "cas", "lock", "unlock"]);

/** True for a transaction that goes through raft. */
export function isWriting(operations: readonly Operation[]): boolean {
  return operations.some(({ verb }) => WRITES.has(verb));
}

/**
 * Runs all operations or none.
 *
 * Texts and order are those of Consul 1.8.7, agent/consul/state/txn.go and agent/consul/txn_endpoint.go: what can
 * be said without looking at the data is said first, and then only that.
 */
export function runTransaction(state: ConsulState, operations: readonly Operation[]): TransactionAnswer {
  const early = collect(operations, (operation) => check(state, operation));
  if ("errors" in early) return early;
  const run = (kv: KvTable, at: number) => {
    const answer = collect(operations, (operation) => runOperation({ state, kv, at }, operation));
    return { result: answer, keep: !("errors" in answer) };
  };
  return isWriting(operations) ? state.apply(run) : run(state.kv, 0).result;
}

function collect(
  operations: readonly Operation[],
  each: (operation: Operation) => OperationResult[],
): TransactionAnswer {
  const results: OperationResult[] = [];
  const errors: OperationError[] = [];
  for (const [opIndex, operation] of operations.entries()) {
    try {
      results.push(...each(operation));
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      errors.push({ opIndex, what: error.message });
    }
  }
  return errors.length > 0 ? { errors } : { results };
}

function check(state: ConsulState, { verb, key }: Operation): OperationResult[] {
  if (key === "" && verb !== "delete-tree") throw new Refused("Must provide key");
  if (verb === "lock" && state.isLockDelayed(key))
    throw new Refused(`failed to lock key ${quote(key)} due to lock delay`);
  return [];
}

interface Context {
  state: ConsulState;
  kv: KvTable;
  at: number;
}

function runOperation({ state, kv, at }: Context, operation: Operation): OperationResult[] {
  const { verb, key, index, session } = operation;
  switch (verb) {
    case "set":
      return written(kv.set(at, operation));
    case "cas":
      return written(
        kv.setCas(at, operation, index) ?? refuse(`failed to set key ${quote(key)}, index is stale`),
      );
    case "lock":
      checkSession(state, session);
      return written(
        kv.lock(at, operation, session) ?? refuse(`failed to lock key ${quote(key)}, lock is already held`),
      );
    case "unlock":
      if (session === "") throw new Refused("missing session");
      return written(
        kv.unlock(at, operation, session) ??
          refuse(`failed to unlock key ${quote(key)}, lock isn't held, or is held by another session`),
      );
    case "delete":
      kv.delete(at, key);
      return [];
    case "delete-cas":
      if (!kv.deleteCas(at, key, index))
        throw new Refused(`failed to delete key ${quote(key)}, index is stale`);
      return [];
    case "delete-tree":
      kv.deleteTree(at, key);
      return [];
    default:
      return readOperation(kv, operation);
  }
}

function readOperation(kv: KvTable, { verb, key, index, session }: Operation): OperationResult[] {
  const entry = kv.get(key);
  switch (verb) {
    case "get":
      return [{ entry: entry ?? refuse(`key ${quote(key)} doesn't exist`), withValue: true }];
    case "get-tree":
      return kv.list(key).map((each) => ({ entry: each, withValue: true }));
    case "check-index":
      if (!entry) throw new Refused(`failed to check index, key ${quote(key)} doesn't exist`);
      if (entry.modifyIndex === index) return written(entry);
      return refuse(
        `failed index check for key ${quote(key)}, current modify index ${entry.modifyIndex} != ${index}`,
      );
    case "check-session":
      if (!entry) throw new Refused(`failed to check session, key ${quote(key)} doesn't exist`);
      if (entry.session === session) return written(entry);
      return refuse(
        `failed session check for key ${quote(key)}, current session ${quote(entry.session)} != ${quote(session)}`,
      );
    case "check-not-exists":
      if (entry) throw new Refused(`key ${quote(key)} exists`);
      return [];
    default:
      return refuse(`unknown KV verb ${quote(verb)}`);
  }
}

function checkSession(state: ConsulState, session: string): void {
  const refusal = refuseSession(state, session);
  if (refusal !== undefined) throw new Refused(refusal);
}

function written(entry: KvEntry): OperationResult[] {
  return [{ entry, withValue: false }];
}

function refuse(what: string): never {
  throw new Refused(what);
}

/** As Go's %q. */
function quote(text: string): string {
  return JSON.stringify(text);
}
