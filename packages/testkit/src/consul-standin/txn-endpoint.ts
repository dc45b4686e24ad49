import { type Answer, json, leaderHeaders, type Request, text } from "./answer.js";
import type { ConsulState } from "./consul-state.js";
import { fieldsOf, numberField, stringField, UnexpectedJson } from "./json-fields.js";
import { entryJson } from "./kv-endpoint.js";
import { parseQuery } from "./query.js";
import { isWriting, type Operation, runTransaction } from "./transaction.js";

/** Consul 1.8.7; newer ones allow 128. */
const MAX_OPERATIONS = 64;

const KV_FIELDS = new Set(["verb", "key", "value", "flags", "index", "session", "namespace"]);

/** PUT /v1/txn with key operations. */
export function runTxn(state: ConsulState, request: Request): Answer {
  const operations = parseOperations(request.body);
  if ("status" in operations) return operations;
  if (operations.length > MAX_OPERATIONS) {
    return text(413, `Transaction contains too many operations (${operations.length} > ${MAX_OPERATIONS})`);
  }
  if (isWriting(operations)) return answerTo(state, operations, { headers: {}, more: {} });
  const query = parseQuery(request.params);
  if ("status" in query) return query;
  // What only reads does not go through raft, and says how fresh it is twice.
  const more = { Index: 0, LastContact: 0, KnownLeader: true, ConsistencyLevel: "" };
  return answerTo(state, operations, { headers: leaderHeaders(), more });
}

interface Extras {
  headers: Record<string, string>;
  more: Record<string, unknown>;
}

function answerTo(state: ConsulState, operations: readonly Operation[], { headers, more }: Extras): Answer {
  const answer = runTransaction(state, operations);
  if ("errors" in answer) {
    const errors = answer.errors.map(({ opIndex, what }) => ({ OpIndex: opIndex, What: what }));
    return json({ Results: null, Errors: errors, ...more }, headers, 409);
  }
  const results = answer.results.map(({ entry, withValue }) => ({ KV: entryJson(entry, withValue) }));
  return json({ Results: results, Errors: null, ...more }, headers);
}

function parseOperations(body: Buffer): Operation[] | Answer {
  try {
    const items = JSON.parse(body.toString("utf8")) as unknown;
    if (items === null) return [];
    if (!Array.isArray(items))
      throw new UnexpectedJson("json: cannot unmarshal into Go value of type api.TxnOps");
    return (items as unknown[]).flatMap(parseOperation);
  } catch (error) {
    if (!(error instanceof UnexpectedJson) && !(error instanceof SyntaxError)) throw error;
    return text(400, `Failed to parse body: ${error.message}`);
  }
}

/** An operation without KV (on a node, a service or a check) is not known here. */
function parseOperation(item: unknown): Operation[] {
  const operation = fieldsOf(item).get("kv");
  if (operation === undefined || operation === null) return [];
  const fields = fieldsOf(operation);
  const unknown = [...fields.keys()].find((name) => !KV_FIELDS.has(name));
  if (unknown !== undefined) throw new UnexpectedJson(`json: unknown field ${JSON.stringify(unknown)}`);
  const value = stringField(fields, "Value");
  const bytes = Buffer.from(value, "base64");
  if (bytes.toString("base64") !== value) throw new UnexpectedJson("illegal base64 data");
  return [
    {
      verb: stringField(fields, "Verb"),
      key: stringField(fields, "Key"),
      value: bytes,
      flags: numberField(fields, "Flags"),
      index: numberField(fields, "Index"),
      session: stringField(fields, "Session"),
    },
  ];
}
