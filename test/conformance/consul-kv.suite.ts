import { waitUntil } from "@primacy/testkit";
import { beforeAll, describe, expect, it } from "vitest";
import type { Call, HttpAnswer } from "./consul-http.js";

interface Entry {
  Key: string;
  Value: string | null;
  Flags: number;
  Session?: string;
  LockIndex: number;
  CreateIndex: number;
  ModifyIndex: number;
}

const base64 = (text: string) => Buffer.from(text).toString("base64");
const parse = (answer: HttpAnswer) => JSON.parse(answer.text) as unknown;

/**
 * What Primacy takes for granted about Consul's keys, transactions and sessions: asked of the stand-in and of real
 * servers. `connect` is called once; the server's smallest session TTL must be 1 s.
 */
export function consulKvSuite(connect: () => Promise<Call>): void {
  let call: Call;
  let folders = 0;

  beforeAll(async () => {
    call = await connect();
  });

  /** A prefix that no other test uses. */
  const newPrefix = () => `suite/${++folders}/`;
  const put = async (path: string, value: string | Buffer = "") =>
    parse(await call("PUT", `/v1/kv/${path}`, value));
  const entries = async (path: string) => parse(await call("GET", `/v1/kv/${path}`)) as Entry[];
  const entry = async (key: string) => {
    const [only] = await entries(key);
    return only!;
  };
  const txn = async (...operations: Record<string, unknown>[]) => {
    const answer = await call("PUT", "/v1/txn", JSON.stringify(operations.map((KV) => ({ KV }))));
    return {
      status: answer.status,
      ...(parse(answer) as { Results: { KV: Entry }[] | null; Errors: unknown }),
    };
  };
  const refused = (...whats: [number, string][]) => ({
    status: 409,
    Results: null,
    Errors: whats.map(([OpIndex, What]) => expect.objectContaining({ OpIndex, What })),
  });
  const newSession = async (more: Record<string, unknown> = {}) => {
    const body = JSON.stringify({ LockDelay: "0s", Checks: [], ...more });
    return (parse(await call("PUT", "/v1/session/create", body)) as { ID: string }).ID;
  };

  describe("reading a key", () => {
    it("answers one entry with its value in base64 and its ModifyIndex as X-Consul-Index", async () => {
      const key = `${newPrefix()}a`;
      expect(await put(`${key}?flags=42`, "välue")).toBe(true);
      const answer = await call("GET", `/v1/kv/${key}`);
      const [found] = parse(answer) as Entry[];
      expect(found).toEqual({
        LockIndex: 0,
        Key: key,
        Flags: 42,
        Value: base64("välue"),
        CreateIndex: answer.index,
        ModifyIndex: answer.index,
      });
      expect(answer.headers).toMatchObject({
        "content-type": "application/json",
        "x-consul-knownleader": "true",
        "x-consul-lastcontact": "0",
      });
    });

    it("answers an empty value as null", async () => {
      const key = `${newPrefix()}empty`;
      await put(key, "");
      expect(await entry(key)).toMatchObject({ Value: null });
      await txn({ Verb: "set", Key: key, Value: "" });
      expect(await entry(key)).toMatchObject({ Value: null });
    });

    it("answers 404 with the index of the whole table and no body for a missing key", async () => {
      const prefix = newPrefix();
      await put(`${prefix}a`, "1");
      const missing = await call("GET", `/v1/kv/${prefix}missing`);
      expect(missing).toMatchObject({
        status: 404,
        text: "",
        index: (await entry(`${prefix}a`)).ModifyIndex,
      });
      await put(`${prefix}b`, "1");
      expect((await call("GET", `/v1/kv/${prefix}missing`)).index).toBe(
        (await entry(`${prefix}b`)).ModifyIndex,
      );
    });

    it("answers the bytes alone with raw", async () => {
      const key = `${newPrefix()}a`;
      await put(key, "plain");
      expect(await call("GET", `/v1/kv/${key}?raw`)).toMatchObject({
        status: 200,
        text: "plain",
        headers: { "content-type": "text/plain" },
      });
    });

    it("takes consistent and stale, but not both", async () => {
      const key = `${newPrefix()}a`;
      await put(key, "1");
      expect((await call("GET", `/v1/kv/${key}?consistent`)).status).toBe(200);
      expect((await call("GET", `/v1/kv/${key}?stale`)).status).toBe(200);
      expect(await call("GET", `/v1/kv/${key}?stale&consistent`)).toMatchObject({
        status: 400,
        text: expect.stringContaining("conflicting semantics"),
      });
    });

    it("refuses a wait without a unit and an index that is no number", async () => {
      expect(await call("GET", "/v1/kv/a?index=1&wait=5")).toMatchObject({
        status: 400,
        text: "Invalid wait time",
      });
      expect(await call("GET", "/v1/kv/a?index=-1")).toMatchObject({ status: 400, text: "Invalid index" });
    });

    it("knows its own datacenter only", async () => {
      const key = `${newPrefix()}a`;
      await put(key, "1");
      expect((await call("GET", `/v1/kv/${key}?dc=dc1`)).status).toBe(200);
      expect(await call("GET", `/v1/kv/${key}?dc=nosuch`)).toMatchObject({
        status: 500,
        text: "No path to datacenter",
      });
    });

    it("needs the name of a key", async () => {
      expect(await call("GET", "/v1/kv/")).toMatchObject({ status: 400, text: "Missing key name" });
      expect(await call("PUT", "/v1/kv/", "x")).toMatchObject({ status: 400, text: "Missing key name" });
      expect(await call("DELETE", "/v1/kv/")).toMatchObject({ status: 400, text: "Missing key name" });
    });

    it("takes %2F for a slash and redirects a double slash", async () => {
      const prefix = newPrefix();
      await put(`${prefix}a`, "1");
      expect((await call("GET", `/v1/kv/${prefix.replaceAll("/", "%2F")}a`)).status).toBe(200);
      expect((await call("PUT", `/v1/kv//${prefix}b`, "1")).status).toBe(301);
      expect((await call("GET", `/v1/kv/${prefix}b`)).status).toBe(404);
    });
  });

  describe("reading a prefix", () => {
    it("lists entries with recurse, by name, with the highest index among them", async () => {
      const prefix = newPrefix();
      for (const name of ["b", "a/2", "a/1"]) await put(`${prefix}${name}`, name);
      const answer = await call("GET", `/v1/kv/${prefix}?recurse`);
      const found = parse(answer) as Entry[];
      expect(found.map(({ Key }) => Key)).toEqual([`${prefix}a/1`, `${prefix}a/2`, `${prefix}b`]);
      expect(answer.index).toBe(Math.max(...found.map(({ ModifyIndex }) => ModifyIndex)));
      await put(`${newPrefix()}elsewhere`, "1");
      expect((await call("GET", `/v1/kv/${prefix}?recurse`)).index).toBe(answer.index);
    });

    it("lists names with keys, cut at the separator where one is given", async () => {
      const prefix = newPrefix();
      for (const name of ["a/1", "a/2", "b"]) await put(`${prefix}${name}`, name);
      expect(await entries(`${prefix}?keys`)).toEqual([`${prefix}a/1`, `${prefix}a/2`, `${prefix}b`]);
      expect(await entries(`${prefix}?keys&separator=/`)).toEqual([`${prefix}a/`, `${prefix}b`]);
    });

    it("answers 404 with the table's index for a prefix that never was", async () => {
      const prefix = newPrefix();
      await put(`${prefix}a`, "1");
      const { ModifyIndex } = await entry(`${prefix}a`);
      for (const query of ["recurse", "keys"]) {
        const answer = await call("GET", `/v1/kv/${prefix}nothing/?${query}`);
        expect(answer).toMatchObject({ status: 404, text: "", index: ModifyIndex });
      }
    });

    it("raises the index when a key is deleted, and keeps it when the last one is", async () => {
      const prefix = newPrefix();
      await put(`${prefix}a`, "1");
      await put(`${prefix}b`, "1");
      const before = await call("GET", `/v1/kv/${prefix}?recurse`);
      await call("DELETE", `/v1/kv/${prefix}a`);
      const after = await call("GET", `/v1/kv/${prefix}?recurse`);
      expect(after.index).toBeGreaterThan(before.index);
      await call("DELETE", `/v1/kv/${prefix}?recurse`);
      const empty = await call("GET", `/v1/kv/${prefix}?recurse`);
      expect(empty.index).toBeGreaterThan(after.index);
      await put(`${newPrefix()}elsewhere`, "1");
      expect(await call("GET", `/v1/kv/${prefix}?recurse`)).toMatchObject({
        status: 404,
        index: empty.index,
      });
    });
  });

  describe("writing a key", () => {
    it("keeps CreateIndex and raises ModifyIndex", async () => {
      const key = `${newPrefix()}a`;
      await put(key, "1");
      const first = await entry(key);
      await put(key, "2");
      const second = await entry(key);
      expect(second).toMatchObject({ CreateIndex: first.CreateIndex, Value: base64("2") });
      expect(second.ModifyIndex).toBeGreaterThan(first.ModifyIndex);
    });

    it("changes nothing when it writes what is there, but flags count", async () => {
      const key = `${newPrefix()}a`;
      await put(key, "same");
      const first = await entry(key);
      expect(await put(key, "same")).toBe(true);
      expect(await put(`${key}?cas=${first.ModifyIndex}`, "same")).toBe(true);
      expect(await entry(key)).toEqual(first);
      await put(`${key}?flags=7`, "same");
      expect((await entry(key)).ModifyIndex).toBeGreaterThan(first.ModifyIndex);
    });

    it("with cas=0, creates and never overwrites", async () => {
      const key = `${newPrefix()}a`;
      expect(await put(`${key}?cas=0`, "first")).toBe(true);
      expect(await put(`${key}?cas=0`, "second")).toBe(false);
      expect(await entry(key)).toMatchObject({ Value: base64("first") });
    });

    it("with cas=N, writes only on that ModifyIndex", async () => {
      const key = `${newPrefix()}a`;
      expect(await put(`${key}?cas=5`, "x")).toBe(false);
      await put(key, "1");
      const { ModifyIndex } = await entry(key);
      expect(await put(`${key}?cas=${ModifyIndex}`, "2")).toBe(true);
      expect(await put(`${key}?cas=${ModifyIndex}`, "3")).toBe(false);
      expect(await entry(key)).toMatchObject({ Value: base64("2") });
    });

    it("refuses two conditions, and numbers that are none", async () => {
      expect(await call("PUT", "/v1/kv/suite/a?cas=0&acquire=x", "1")).toMatchObject({
        status: 400,
        text: expect.stringContaining("Conflicting flags"),
      });
      expect(await call("DELETE", "/v1/kv/suite/a?cas=0&recurse")).toMatchObject({ status: 400 });
      expect(await call("PUT", "/v1/kv/suite/a?cas=x", "1")).toMatchObject({ status: 500 });
      expect(await call("PUT", "/v1/kv/suite/a?flags=-1", "1")).toMatchObject({ status: 500 });
    });

    it("takes 512 KiB and not a byte more", async () => {
      const key = `${newPrefix()}large`;
      const limit = 512 * 1024;
      expect(await put(key, Buffer.alloc(limit, "x"))).toBe(true);
      const answer = await call("PUT", `/v1/kv/${key}`, Buffer.alloc(limit + 1, "y"));
      expect(answer).toMatchObject({
        status: 413,
        text: expect.stringContaining("too large, max size: 524288"),
      });
      expect((await call("GET", `/v1/kv/${key}?raw`)).text).toHaveLength(limit);
    });
  });

  describe("deleting a key", () => {
    it("answers true, also for a missing key", async () => {
      const key = `${newPrefix()}a`;
      await put(key, "1");
      expect(parse(await call("DELETE", `/v1/kv/${key}`))).toBe(true);
      expect(parse(await call("DELETE", `/v1/kv/${key}`))).toBe(true);
      expect((await call("GET", `/v1/kv/${key}`)).status).toBe(404);
    });

    it("with cas, deletes only on that ModifyIndex; a missing key counts as deleted", async () => {
      const key = `${newPrefix()}a`;
      await put(key, "1");
      const { ModifyIndex } = await entry(key);
      expect(parse(await call("DELETE", `/v1/kv/${key}?cas=0`))).toBe(false);
      expect(parse(await call("DELETE", `/v1/kv/${key}?cas=${ModifyIndex - 1}`))).toBe(false);
      expect(parse(await call("DELETE", `/v1/kv/${key}?cas=${ModifyIndex}`))).toBe(true);
      expect(parse(await call("DELETE", `/v1/kv/${key}?cas=${ModifyIndex}`))).toBe(true);
    });

    it("with recurse, deletes all below the prefix and nothing beside it", async () => {
      const prefix = newPrefix();
      for (const name of ["a/1", "a/2", "b"]) await put(`${prefix}${name}`, "1");
      expect(parse(await call("DELETE", `/v1/kv/${prefix}a/?recurse`))).toBe(true);
      expect(await entries(`${prefix}?keys`)).toEqual([`${prefix}b`]);
    });
  });

  describe("waiting for a change", () => {
    const read = (path: string, index: number, wait: string) =>
      call("GET", `/v1/kv/${path}${path.includes("?") ? "&" : "?"}index=${index}&wait=${wait}`);

    /** True once `waiting` can no longer be answered with what was there before it. */
    const isBlocked = async (waiting: Promise<HttpAnswer>) => {
      let answered = false;
      void waiting.then(() => (answered = true));
      // One more round trip gives the blocked request time to arrive; if it arrives later, it reads news at once.
      await call("GET", "/v1/status/leader");
      return !answered;
    };

    it("answers at once without index, and when the index is older", async () => {
      const key = `${newPrefix()}a`;
      await put(key, "1");
      expect((await read(key, 0, "30s")).tookMs).toBeLessThan(30_000);
      expect((await read(key, 1, "30s")).tookMs).toBeLessThan(30_000);
    });

    it("answers with the new value as soon as the key changes", async () => {
      const key = `${newPrefix()}a`;
      await put(key, "old");
      const { ModifyIndex } = await entry(key);
      const waiting = read(key, ModifyIndex, "30s");
      expect(await isBlocked(waiting)).toBe(true);
      await put(key, "new");
      const answer = await waiting;
      expect(parse(answer)).toMatchObject([{ Value: base64("new") }]);
      expect(answer.index).toBeGreaterThan(ModifyIndex);
    });

    it("answers 404 as soon as the key is deleted", async () => {
      const key = `${newPrefix()}a`;
      await put(key, "old");
      const waiting = read(key, (await entry(key)).ModifyIndex, "30s");
      await call("DELETE", `/v1/kv/${key}`);
      expect(await waiting).toMatchObject({ status: 404 });
    });

    it("waits all the time, and then answers the same, when only other keys or nothing changed", async () => {
      const prefix = newPrefix();
      await put(`${prefix}a`, "1");
      const { ModifyIndex } = await entry(`${prefix}a`);
      const waiting = read(`${prefix}a`, ModifyIndex, "600ms");
      await put(`${prefix}ab`, "a sibling");
      await put(`${newPrefix()}x`, "unrelated");
      await put(`${prefix}a`, "1");
      const answer = await waiting;
      expect(answer).toMatchObject({ status: 200, index: ModifyIndex });
      expect(answer.tookMs).toBeGreaterThanOrEqual(600);
    });

    it("waits on a prefix: an unrelated write does not wake, one below it does", async () => {
      const prefix = newPrefix();
      await put(`${prefix}a`, "1");
      const before = await call("GET", `/v1/kv/${prefix}?recurse`);
      const asleep = read(`${prefix}?recurse`, before.index, "600ms");
      await put(`${newPrefix()}x`, "unrelated");
      expect(await asleep).toMatchObject({ index: before.index });
      const waiting = read(`${prefix}?recurse`, before.index, "30s");
      await put(`${prefix}b`, "2");
      expect(parse(await waiting)).toHaveLength(2);
      const names = read(`${prefix}?keys`, (await call("GET", `/v1/kv/${prefix}?keys`)).index, "30s");
      await put(`${prefix}b`, "only the value changes");
      expect(parse(await names)).toEqual([`${prefix}a`, `${prefix}b`]);
    });

    it("wakes for a key that comes into being", async () => {
      const prefix = newPrefix();
      await put(`${prefix}a`, "1");
      const missing = await call("GET", `/v1/kv/${prefix}later`);
      const waiting = read(`${prefix}later`, missing.index, "30s");
      await put(`${prefix}later`, "here");
      expect(parse(await waiting)).toMatchObject([{ Value: base64("here") }]);
    });

    it("wakes on any write below or beside a missing prefix", async () => {
      const prefix = newPrefix();
      await put(`${prefix}a`, "1");
      const missing = await call("GET", `/v1/kv/${prefix}nothing/?recurse`);
      const waiting = read(`${prefix}nothing/?recurse`, missing.index, "30s");
      await put(`${prefix}b`, "1");
      const answer = await waiting;
      expect(answer.status).toBe(404);
      expect(answer.index).toBeGreaterThan(missing.index);
    });

    it("with an index from the future, waits all the time although the key changes", async () => {
      const key = `${newPrefix()}a`;
      await put(key, "old");
      const waiting = read(key, 1_000_000_000, "600ms");
      await put(key, "new");
      const answer = await waiting;
      expect(answer.tookMs).toBeGreaterThanOrEqual(600);
      expect(answer.index).toBeLessThan(1_000_000_000);
    });
  });

  describe("transactions", () => {
    it("write all keys at one index and say it", async () => {
      const prefix = newPrefix();
      const answer = await txn(
        { Verb: "cas", Key: `${prefix}a`, Value: base64("1"), Index: 0 },
        { Verb: "set", Key: `${prefix}b`, Value: base64("2"), Flags: 3 },
      );
      expect(answer).toMatchObject({ status: 200, Errors: null });
      const [a, b] = answer.Results!.map(({ KV }) => KV);
      expect(a).toMatchObject({ Key: `${prefix}a`, Value: null, LockIndex: 0 });
      expect(b).toMatchObject({ Flags: 3, ModifyIndex: a!.ModifyIndex, CreateIndex: a!.ModifyIndex });
      expect(await entry(`${prefix}a`)).toMatchObject({ ModifyIndex: a!.ModifyIndex, Value: base64("1") });
    });

    it("change nothing when one operation is refused, and name every one that is", async () => {
      const prefix = newPrefix();
      await put(`${prefix}a`, "1");
      const { ModifyIndex } = await entry(`${prefix}a`);
      const answer = await txn(
        { Verb: "set", Key: `${prefix}new`, Value: base64("x") },
        { Verb: "cas", Key: `${prefix}a`, Value: base64("2"), Index: ModifyIndex + 1 },
        { Verb: "check-not-exists", Key: `${prefix}a` },
        { Verb: "check-index", Key: `${prefix}a`, Index: 1 },
        { Verb: "get", Key: `${prefix}none` },
        { Verb: "delete-cas", Key: `${prefix}a`, Index: 1 },
        { Verb: "nosuch", Key: `${prefix}a` },
      );
      expect(answer).toEqual(
        refused(
          [1, `failed to set key "${prefix}a", index is stale`],
          [2, `key "${prefix}a" exists`],
          [3, `failed index check for key "${prefix}a", current modify index ${ModifyIndex} != 1`],
          [4, `key "${prefix}none" doesn't exist`],
          [5, `failed to delete key "${prefix}a", index is stale`],
          [6, `unknown KV verb "nosuch"`],
        ),
      );
      expect((await call("GET", `/v1/kv/${prefix}new`)).status).toBe(404);
      expect(await entry(`${prefix}a`)).toMatchObject({ ModifyIndex });
    });

    it("see their own writes in order", async () => {
      const key = `${newPrefix()}a`;
      const answer = await txn(
        { Verb: "set", Key: key, Value: base64("1") },
        { Verb: "get", Key: key },
        { Verb: "delete", Key: key },
        { Verb: "check-not-exists", Key: key },
      );
      expect(answer.Results!.map(({ KV }) => KV.Value)).toEqual([null, base64("1")]);
    });

    it("read several keys at once, with values for get and get-tree only", async () => {
      const prefix = newPrefix();
      await put(`${prefix}a`, "1");
      await put(`${prefix}b`, "2");
      const { ModifyIndex } = await entry(`${prefix}a`);
      const answer = await txn(
        { Verb: "get", Key: `${prefix}a` },
        { Verb: "get-tree", Key: prefix },
        { Verb: "check-index", Key: `${prefix}a`, Index: ModifyIndex },
        { Verb: "check-not-exists", Key: `${prefix}c` },
      );
      expect(answer.Results!.map(({ KV }) => [KV.Key, KV.Value])).toEqual([
        [`${prefix}a`, base64("1")],
        [`${prefix}a`, base64("1")],
        [`${prefix}b`, base64("2")],
        [`${prefix}a`, null],
      ]);
    });

    it("have no index, and leader headers only where nothing is written", async () => {
      const key = `${newPrefix()}a`;
      const write = await call(
        "PUT",
        "/v1/txn",
        JSON.stringify([{ KV: { Verb: "set", Key: key, Value: base64("1") } }]),
      );
      expect(write.headers).not.toHaveProperty("x-consul-index");
      expect(write.headers).not.toHaveProperty("x-consul-knownleader");
      const read = await call(
        "PUT",
        "/v1/txn?consistent",
        JSON.stringify([{ KV: { Verb: "get", Key: key } }]),
      );
      expect(read).toMatchObject({ status: 200, headers: { "x-consul-knownleader": "true" } });
      expect(read.headers).not.toHaveProperty("x-consul-index");
    });

    it("write what is there already without an index of its own", async () => {
      const key = `${newPrefix()}a`;
      await put(key, "same");
      const { ModifyIndex } = await entry(key);
      const answer = await txn({ Verb: "cas", Key: key, Value: base64("same"), Index: ModifyIndex });
      expect(answer.Results![0]!.KV.ModifyIndex).toBe(ModifyIndex);
    });

    it("delete a tree", async () => {
      const prefix = newPrefix();
      await put(`${prefix}a/1`, "1");
      await put(`${prefix}b`, "1");
      expect(await txn({ Verb: "delete-tree", Key: `${prefix}a/` })).toMatchObject({ status: 200 });
      expect(await entries(`${prefix}?keys`)).toEqual([`${prefix}b`]);
    });

    it("say what is wrong without the data first: a key must have a name", async () => {
      const key = `${newPrefix()}a`;
      const answer = await txn({ Verb: "get", Key: key }, { Verb: "set", Key: "", Value: base64("1") });
      expect(answer).toEqual(refused([1, "Must provide key"]));
    });

    it("take 64 operations and not one more", async () => {
      const prefix = newPrefix();
      const sets = (count: number) =>
        JSON.stringify(
          Array.from({ length: count }, (_, i) => ({
            KV: { Verb: "set", Key: `${prefix}${i}`, Value: base64("1") },
          })),
        );
      expect(await call("PUT", "/v1/txn", sets(65))).toMatchObject({
        status: 413,
        text: "Transaction contains too many operations (65 > 64)",
      });
      expect((await call("GET", `/v1/kv/${prefix}?keys`)).status).toBe(404);
      expect(await call("PUT", "/v1/txn", sets(64))).toMatchObject({ status: 200 });
      expect(await entries(`${prefix}?keys`)).toHaveLength(64);
    });

    it("take field names in any case, and no others", async () => {
      const key = `${newPrefix()}a`;
      const send = async (KV: unknown) => (await call("PUT", "/v1/txn", JSON.stringify([{ KV }]))).status;
      expect(await send({ verb: "set", KEY: key, value: base64("1") })).toBe(200);
      expect(await send({ Verb: "set", Key: key, Value: base64("2"), Cas: 0 })).toBe(400);
      expect(await send({ Verb: "cas", Key: key, Value: base64("3"), Index: "0" })).toBe(400);
      expect(await entry(key)).toMatchObject({ Value: base64("1") });
    });

    it("refuse what is no JSON or no base64", async () => {
      expect((await call("PUT", "/v1/txn", "{")).status).toBe(400);
      const bad = JSON.stringify([{ KV: { Verb: "set", Key: "suite/a", Value: "%%%" } }]);
      expect(await call("PUT", "/v1/txn", bad)).toMatchObject({ status: 400 });
    });
  });

  describe("sessions and locks", () => {
    const info = async (id: string) => parse(await call("GET", `/v1/session/info/${id}`)) as unknown[];
    const destroy = async (id: string) => parse(await call("PUT", `/v1/session/destroy/${id}`));

    it("are made, shown, listed, renewed and destroyed", async () => {
      const id = await newSession({ Name: "watcher", TTL: "15s", Behavior: "delete", LockDelay: "5s" });
      expect(id).toMatch(/^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/);
      const expected = {
        ID: id,
        Name: "watcher",
        TTL: "15s",
        Behavior: "delete",
        LockDelay: 5e9,
        NodeChecks: [],
      };
      expect(await info(id)).toMatchObject([expected]);
      expect(parse(await call("GET", "/v1/session/list"))).toContainEqual(
        expect.objectContaining({ ID: id }),
      );
      expect(parse(await call("PUT", `/v1/session/renew/${id}`))).toMatchObject([expected]);
      expect(await destroy(id)).toBe(true);
      expect(await info(id)).toEqual([]);
      expect(await call("PUT", `/v1/session/renew/${id}`)).toMatchObject({
        status: 404,
        text: `Session id '${id}' not found`,
      });
      expect(await destroy(id)).toBe(true);
    });

    it("are by default bound to their node's health, with release and a lock delay of 15 s", async () => {
      const { ID } = parse(await call("PUT", "/v1/session/create")) as { ID: string };
      const expected = { Behavior: "release", LockDelay: 15e9, TTL: "", NodeChecks: ["serfHealth"] };
      expect(await info(ID)).toMatchObject([expected]);
      await destroy(ID);
    });

    it("refuse a TTL below the smallest, above a day, or without a unit", async () => {
      for (const TTL of ["500ms", "25h", "15"]) {
        const answer = await call("PUT", "/v1/session/create", JSON.stringify({ TTL, Checks: [] }));
        expect(answer).toMatchObject({ status: 500, text: expect.stringMatching(/Session TTL '/) });
      }
    });

    it("hold a key's lock: one session at a time, and plain writes go through", async () => {
      const key = `${newPrefix()}lock`;
      const [first, second] = [await newSession(), await newSession()];
      expect(await put(`${key}?acquire=${first}`, "1")).toBe(true);
      expect(await put(`${key}?acquire=${second}`, "2")).toBe(false);
      expect(await entry(key)).toMatchObject({ Session: first, LockIndex: 1, Value: base64("1") });
      expect(await put(`${key}?acquire=${first}`, "3")).toBe(true);
      expect(await entry(key)).toMatchObject({ Session: first, LockIndex: 1, Value: base64("3") });
      expect(await put(key, "locks are advice")).toBe(true);
      expect(await entry(key)).toMatchObject({ Session: first, LockIndex: 0 });
      expect(await put(`${key}?release=${second}`, "4")).toBe(false);
      expect(await put(`${key}?release=${first}`, "5")).toBe(true);
      expect(await entry(key)).not.toHaveProperty("Session");
      expect(await put(`${key}?acquire=${second}`, "6")).toBe(true);
      expect(await entry(key)).toMatchObject({ Session: second, LockIndex: 1, Value: base64("6") });
    });

    it("must exist to take a lock", async () => {
      const key = `${newPrefix()}lock`;
      const unknown = "00000000-0000-0000-0000-000000000000";
      expect(await call("PUT", `/v1/kv/${key}?acquire=${unknown}`, "1")).toMatchObject({
        status: 500,
        text: expect.stringContaining(`invalid session "${unknown}"`),
      });
      expect(await call("PUT", `/v1/kv/${key}?acquire=`, "1")).toMatchObject({
        status: 500,
        text: expect.stringContaining("missing session"),
      });
    });

    it("must have an id of 36 characters even to be looked for", async () => {
      for (const [method, path] of [
        ["GET", "/v1/session/info/nosuch"],
        ["PUT", "/v1/session/renew/nosuch"],
        ["PUT", "/v1/session/destroy/nosuch"],
        ["PUT", "/v1/kv/suite/a?acquire=nosuch"],
      ] as const) {
        const text = "failed session lookup: index error: UUID must be 36 characters";
        expect(await call(method, path)).toMatchObject({ status: 500, text });
      }
    });

    it("must be of a node and with checks that exist", async () => {
      for (const [body, text] of [
        [{ Node: "nosuch" }, "Missing node registration"],
        [{ Checks: ["nosuch"] }, "Missing check 'nosuch' registration"],
        [{ Behavior: "nosuch" }, "Invalid Behavior setting 'nosuch'"],
      ] as const) {
        expect(await call("PUT", "/v1/session/create", JSON.stringify(body))).toMatchObject({
          status: 500,
          text,
        });
      }
      expect((await call("PUT", "/v1/session/create", '{"TTL":15}')).status).toBe(400);
      expect((await call("PUT", "/v1/session/create", "{")).status).toBe(400);
    });

    it("in transactions: lock, check-session, unlock", async () => {
      const key = `${newPrefix()}lock`;
      const [first, second] = [await newSession(), await newSession()];
      const value = base64("1");
      expect(await txn({ Verb: "lock", Key: key, Value: value, Session: first })).toMatchObject({
        Results: [{ KV: { Session: first, LockIndex: 1 } }],
      });
      expect(await txn({ Verb: "lock", Key: key, Value: value, Session: second })).toEqual(
        refused([0, `failed to lock key "${key}", lock is already held`]),
      );
      expect(await txn({ Verb: "check-session", Key: key, Session: first })).toMatchObject({ status: 200 });
      expect(
        await txn(
          { Verb: "check-session", Key: key, Session: second },
          { Verb: "check-session", Key: `${key}x`, Session: second },
          { Verb: "unlock", Key: key, Value: value, Session: second },
          { Verb: "lock", Key: key, Value: value, Session: "nosuch" },
        ),
      ).toEqual(
        refused(
          [0, `failed session check for key "${key}", current session "${first}" != "${second}"`],
          [1, `failed to check session, key "${key}x" doesn't exist`],
          [2, `failed to unlock key "${key}", lock isn't held, or is held by another session`],
          [3, "failed session lookup: index error: UUID must be 36 characters"],
        ),
      );
      expect(await txn({ Verb: "unlock", Key: key, Value: value, Session: first })).toMatchObject({
        status: 200,
      });
      expect(await entry(key)).not.toHaveProperty("Session");
    });

    it("release their keys, or delete them, when they are destroyed", async () => {
      const prefix = newPrefix();
      const [releasing, deleting] = [await newSession(), await newSession({ Behavior: "delete" })];
      await put(`${prefix}kept?acquire=${releasing}`, "1");
      await put(`${prefix}gone?acquire=${deleting}`, "1");
      const { ModifyIndex } = await entry(`${prefix}kept`);
      await destroy(releasing);
      await destroy(deleting);
      const kept = await entry(`${prefix}kept`);
      expect(kept).not.toHaveProperty("Session");
      expect(kept.ModifyIndex).toBeGreaterThan(ModifyIndex);
      expect((await call("GET", `/v1/kv/${prefix}gone`)).status).toBe(404);
    });

    it("wake who waits for a key that they lose", async () => {
      const key = `${newPrefix()}a`;
      const session = await newSession({ Behavior: "delete" });
      await put(`${key}?acquire=${session}`, "1");
      const waiting = call("GET", `/v1/kv/${key}?index=${(await entry(key)).ModifyIndex}&wait=30s`);
      await destroy(session);
      expect(await waiting).toMatchObject({ status: 404 });
    });

    it("leave a lock delay behind", async () => {
      const key = `${newPrefix()}lock`;
      const second = await newSession();
      // A long one to be refused in, and a short one to wait for: whoever is slow must not find it over.
      const first = await newSession({ LockDelay: "60s" });
      await put(`${key}?acquire=${first}`, "1");
      await destroy(first);
      expect(await put(`${key}?acquire=${second}`, "2")).toBe(false);
      expect(await txn({ Verb: "lock", Key: key, Value: base64("2"), Session: second })).toEqual(
        refused([0, `failed to lock key "${key}" due to lock delay`]),
      );
      const brief = `${newPrefix()}lock`;
      const third = await newSession({ LockDelay: "2s" });
      await put(`${brief}?acquire=${third}`, "1");
      const destroyed = performance.now();
      await destroy(third);
      await waitUntil(() => put(`${brief}?acquire=${second}`, "2"), { timeoutMs: 30_000, what: "the lock" });
      expect(performance.now() - destroyed).toBeGreaterThanOrEqual(2_000);
    });

    it("live for twice their TTL after the last renewal, then their keys go", async () => {
      const key = `${newPrefix()}ack`;
      const session = await newSession({ TTL: "3s", Behavior: "delete" });
      await put(`${key}?acquire=${session}`, "1");
      const { ModifyIndex } = await entry(key);
      const renewed = performance.now();
      expect((await call("PUT", `/v1/session/renew/${session}`)).status).toBe(200);
      expect(await call("GET", `/v1/kv/${key}?index=${ModifyIndex}&wait=30s`)).toMatchObject({ status: 404 });
      expect(performance.now() - renewed).toBeGreaterThanOrEqual(6_000);
      expect(await info(session)).toEqual([]);
    });
  });

  describe("the agent", () => {
    it("names the leader and itself", async () => {
      expect(parse(await call("GET", "/v1/status/leader"))).toMatch(/^[\d.]+:\d+$/);
      expect(parse(await call("GET", "/v1/agent/self"))).toMatchObject({
        Config: { Datacenter: "dc1", NodeName: expect.any(String), Version: expect.stringMatching(/^1\./) },
      });
    });

    it("refuses methods that it does not have", async () => {
      for (const path of ["/v1/kv/suite/a", "/v1/txn", "/v1/session/create"]) {
        expect(await call("POST", path, "x")).toMatchObject({
          status: 405,
          headers: { allow: expect.any(String) },
        });
      }
    });
  });
}
