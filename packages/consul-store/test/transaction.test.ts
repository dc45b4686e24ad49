import { describe, expect, it } from "vitest";
import type { Answer } from "../src/npm-consul.js";
import { type TxnRefusal, classifyTxnErrors, readTxn } from "../src/transaction.js";

const answer = (status: number, json: unknown): Answer => ({
  status,
  text: JSON.stringify(json),
  header: (name) => (name === "content-type" ? "application/json" : undefined),
});

describe("why a transaction was refused (texts of Consul 1.8.7)", () => {
  it.each<[TxnRefusal, [number, string][]]>([
    ["stale", [[0, 'failed to set key "p/master", index is stale']]],
    [
      "stale",
      [
        [0, 'failed to set key "p/master", index is stale'],
        [1, 'failed to set key "p/1", index is stale'],
      ],
    ],
    ["other-stale", [[1, 'failed to set key "p/1", index is stale']]],
    ["denied", [[0, "Permission denied"]]],
    [
      "denied",
      [
        [0, 'failed to set key "p/master", index is stale'],
        [1, "Permission denied"],
      ],
    ],
    ["denied", [[0, "Permission denied: token with AccessorID 'x' lacks permission 'key:write' on \"p\""]]],
    ["session-gone", [[1, 'invalid session "1234"']]],
    ["locked", [[1, 'failed to lock key "p", lock is already held']]],
    ["locked", [[1, 'failed to lock key "p" due to lock delay']]],
    ["other", [[0, "something new"]]],
    [
      "other",
      [
        [0, 'failed to set key "p/master", index is stale'],
        [1, "something new"],
      ],
    ],
    ["other", []],
  ])("%s: %j", (kind, errors) => {
    expect(classifyTxnErrors(errors.map(([opIndex, what]) => ({ opIndex, what })))).toBe(kind);
  });
});

describe("a transaction's answer", () => {
  it("has the index of each key", () => {
    const results = { Results: [{ KV: { Key: "p/master", ModifyIndex: 12 } }, { Node: {} }], Errors: null };
    expect(readTxn(answer(200, results), "a")).toEqual({
      kind: "applied",
      indexes: new Map([["p/master", 12]]),
    });
  });

  it("has its errors with a 409", () => {
    const refused = { Results: null, Errors: [{ OpIndex: 1, What: "Permission denied" }] };
    expect(readTxn(answer(409, refused), "a")).toEqual({
      kind: "refused",
      errors: [{ opIndex: 1, what: "Permission denied" }],
    });
  });

  it.each([
    answer(409, { Errors: [] }),
    answer(409, null),
    answer(200, null),
    answer(200, { Results: null }),
    answer(404, {}),
  ])("%j is not Consul's", (given) => {
    expect(() => readTxn(given, "a")).toThrowError(
      expect.objectContaining({ code: "CONSUL_UNEXPECTED_ANSWER" }),
    );
  });
});
