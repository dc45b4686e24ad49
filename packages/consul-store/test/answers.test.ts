import { describe, expect, it } from "vitest";
import { answerError, readBoolean, readKeys, readKv } from "../src/answers.js";
import { ConsulError, type ConsulErrorCode, combineErrors } from "../src/errors.js";
import type { Answer } from "../src/npm-consul.js";

const answer = (
  status: number,
  text: string,
  headers: Record<string, string> = { "content-type": "application/json", "x-consul-index": "7" },
): Answer => ({ status, text, header: (name) => headers[name] });
const plain = (status: number, text: string): Answer =>
  answer(status, text, { "content-type": "text/plain" });

describe("what an answer is", () => {
  it.each<[Answer, ConsulErrorCode]>([
    [plain(403, "Permission denied"), "CONSUL_DENIED"],
    [plain(403, "ACL not found"), "CONSUL_DENIED"],
    [plain(500, "rpc error making call: Permission denied"), "CONSUL_DENIED"],
    [plain(500, "rpc error making call: ACL not found"), "CONSUL_DENIED"],
    [plain(401, ""), "CONSUL_DENIED"],
    [
      plain(429, "Your IP is issuing too many concurrent connections, please rate limit your calls"),
      "CONSUL_RATE_LIMITED",
    ],
    [plain(503, "rate limit exceeded, try again later"), "CONSUL_RATE_LIMITED"],
    [plain(503, "upstream connect error"), "CONSUL_SERVER_ERROR"],
    [plain(500, "No cluster leader"), "CONSUL_NO_LEADER"],
    [plain(500, "rpc error making call: No cluster leader"), "CONSUL_NO_LEADER"],
    [plain(500, "rpc error making call: EOF"), "CONSUL_SERVER_ERROR"],
    [plain(500, "No path to datacenter"), "CONSUL_SERVER_ERROR"],
    [plain(400, "Invalid index"), "CONSUL_REFUSED"],
    [plain(413, "Value exceeds 524288 byte limit"), "CONSUL_REFUSED"],
    [answer(301, "", { location: "/v1/kv/x" }), "CONSUL_UNEXPECTED_ANSWER"],
    [answer(200, "<html>", { "content-type": "text/html; charset=utf-8" }), "CONSUL_UNEXPECTED_ANSWER"],
    [answer(404, "<html>", { "content-type": "text/html" }), "CONSUL_UNEXPECTED_ANSWER"],
    [answer(403, "<html>", { "content-type": "text/html" }), "CONSUL_UNEXPECTED_ANSWER"],
    [answer(502, "<html>", { "content-type": "text/html" }), "CONSUL_UNEXPECTED_ANSWER"],
  ])("%j is %s", (given, code) => {
    expect(answerError(given, "http://agent")).toMatchObject({
      code,
      status: given.status,
      address: "http://agent",
    });
  });

  it.each([answer(200, "[]"), answer(404, "")])("%j is no error", (given) => {
    expect(answerError(given, "http://agent")).toBeUndefined();
  });
});

describe("a read of keys", () => {
  const item = { Key: "k", Value: "eA==", ModifyIndex: 5, Flags: 0, LockIndex: 1, CreateIndex: 4 };

  it("is the keys, the index and whether ACLs hid something", () => {
    const held = { ...item, Session: "s1" };
    const headers = {
      "content-type": "application/json",
      "x-consul-index": "9",
      "x-consul-results-filtered-by-acls": "true",
    };
    expect(readKv(answer(200, JSON.stringify([held]), headers), "a")).toEqual({
      items: [{ key: "k", value: "eA==", modifyIndex: 5, session: "s1" }],
      index: 9,
      missing: false,
      filteredByAcls: true,
    });
    expect(readKv(answer(404, ""), "a")).toEqual({
      items: [],
      index: 7,
      missing: true,
      filteredByAcls: false,
    });
  });

  it.each<[string, Answer]>([
    [
      "a 404 without Consul's index: another server's",
      answer(404, "not found", { "content-type": "text/plain" }),
    ],
    ["a 200 without Consul's index", answer(200, "[]", { "content-type": "application/json" })],
    [
      "an index that is no number",
      answer(200, "[]", { "content-type": "application/json", "x-consul-index": "7a" }),
    ],
    [
      "an index that JavaScript can't hold",
      answer(200, "[]", { "content-type": "application/json", "x-consul-index": "9007199254740993" }),
    ],
    ["no content type", answer(200, "[]", { "x-consul-index": "7" })],
    ["plain text", answer(200, "[]", { "content-type": "text/plain", "x-consul-index": "7" })],
    ["half of a list", answer(200, '[{"Key":"k"')],
    ["no list", answer(200, '{"Key":"k"}')],
    ["null", answer(200, "null")],
    ["a list of nulls", answer(200, "[null]")],
    ["a key without an index", answer(200, JSON.stringify([{ ...item, ModifyIndex: undefined }]))],
    ["a value that is no text", answer(200, JSON.stringify([{ ...item, Value: 5 }]))],
    ["an empty body", answer(200, "")],
  ])("with %s is not Consul's", (_, given) => {
    expect(() => readKv(given, "a")).toThrowError(
      expect.objectContaining({ code: "CONSUL_UNEXPECTED_ANSWER" }),
    );
  });

  it("of names is a list of names", () => {
    expect(readKeys(answer(200, '["a/","b/"]'), "a")).toEqual({ keys: ["a/", "b/"], missing: false });
    expect(readKeys(answer(404, ""), "a")).toEqual({ keys: [], missing: true });
    expect(() => readKeys(answer(200, "[1]"), "a")).toThrow(ConsulError);
  });
});

it("a PUT says true or false, and nothing else is either", () => {
  expect([readBoolean(answer(200, "true\n"), "a"), readBoolean(answer(200, "false"), "a")]).toEqual([
    true,
    false,
  ]);
  for (const text of ["", "null", "1", '"true"', "[]"]) {
    expect(() => readBoolean(answer(200, text), "a")).toThrow(ConsulError);
  }
  expect(() => readBoolean(answer(404, ""), "a")).toThrow(ConsulError);
});

describe("errors of several agents", () => {
  const error = (code: ConsulErrorCode, address: string, notSent = false): ConsulError =>
    new ConsulError(code, `${address}: ${code}`, { address, notSent });

  it("are one error: the most telling, with what the others said", () => {
    const combined = combineErrors([
      error("CONSUL_UNREACHABLE", "a", true),
      error("CONSUL_DENIED", "b"),
      error("CONSUL_UNREACHABLE", "a", true),
    ]);
    expect(combined).toMatchObject({ code: "CONSUL_DENIED", address: "b", notSent: false });
    expect(combined.message).toBe("b: CONSUL_DENIED; a: CONSUL_UNREACHABLE");
  });

  it("were not sent only where none was", () => {
    const all = [error("CONSUL_UNREACHABLE", "a", true), error("CONSUL_UNREACHABLE", "b", true)];
    expect(combineErrors(all).notSent).toBe(true);
    expect(combineErrors([...all, error("CONSUL_TIMEOUT", "c")]).notSent).toBe(false);
  });

  it("are a time-out where there was no time to ask anybody", () => {
    expect(combineErrors([])).toMatchObject({ code: "CONSUL_TIMEOUT", notSent: true });
  });
});
