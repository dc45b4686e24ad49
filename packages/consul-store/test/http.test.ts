import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { RequestListener } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import type { ConsulStore } from "../src/store.js";
import type { ConsulOptions } from "../src/types.js";
import { record } from "./support/documents.js";
import { FakeAgent, consulAnswer, emptyFolder, makeStore } from "./support/agent.js";

const SECRET = "b1gs3sam3-0000-1111-2222-333344445555";

describe("a store and what answers it", () => {
  const toClose: (() => Promise<void> | void)[] = [];
  afterEach(async () => {
    for (const close of toClose.splice(0).reverse()) await close();
  });
  const started = async (answer: RequestListener): Promise<FakeAgent> => {
    const agent = await FakeAgent.start(answer);
    toClose.push(() => agent.close());
    return agent;
  };
  const connect = (addresses: readonly string[], options: Partial<ConsulOptions> = {}): ConsulStore => {
    const store = makeStore(addresses, options);
    toClose.push(() => store.close());
    return store;
  };

  describe("a read", () => {
    it.each<[string, string, RequestListener]>([
      [
        "CONSUL_UNEXPECTED_ANSWER",
        "a 200 with a page",
        consulAnswer(200, "<html>", { "content-type": "text/html" }),
      ],
      ["CONSUL_UNEXPECTED_ANSWER", "a 200 with a list of nulls", consulAnswer(200, "[null]")],
      [
        "CONSUL_UNEXPECTED_ANSWER",
        "a 200 with what breaks a method call",
        consulAnswer(200, '[{"hasOwnProperty":1}]'),
      ],
      ["CONSUL_UNEXPECTED_ANSWER", "a 200 with broken JSON", consulAnswer(200, "[{")],
      ["CONSUL_UNEXPECTED_ANSWER", "a 200 without a body", consulAnswer(200, "")],
      ["CONSUL_UNEXPECTED_ANSWER", "a redirect", consulAnswer(301, "", { location: "http://elsewhere/" })],
      ["CONSUL_UNEXPECTED_ANSWER", "no HTTP", (request) => request.socket.end("220 ready\r\n")],
      ["CONSUL_DENIED", "a 403", consulAnswer(403, "Permission denied")],
      ["CONSUL_RATE_LIMITED", "a 429", consulAnswer(429, "slow down")],
      ["CONSUL_NO_LEADER", "no leader", consulAnswer(500, "No cluster leader")],
      ["CONSUL_UNREACHABLE", "a reset", (request) => request.socket.destroy()],
      [
        "CONSUL_UNREACHABLE",
        "half an answer",
        (_, response) => {
          response.writeHead(200, { "content-type": "application/json", "content-length": 100 });
          response.write("[", () => response.destroy());
        },
      ],
      ["CONSUL_TIMEOUT", "nothing", () => undefined],
      [
        "CONSUL_TIMEOUT",
        "a beginning and no end",
        (_, response) => {
          response.writeHead(200, { "content-type": "application/json", "x-consul-index": "7" });
          response.write("[");
        },
      ],
    ])("rejects with %s after %s", async (code, _, answer) => {
      const agent = await started(answer);
      const store = connect([agent.address], { requestTimeoutMs: code === "CONSUL_TIMEOUT" ? 300 : 30_000 });
      await expect(store.readCluster("main")).rejects.toMatchObject({ name: "ConsulError", code });
      await expect(store.watchCluster("main", 0, { waitMs: 100, deadlineMs: 30_000 })).rejects.toMatchObject({
        code,
      });
      await expect(store.readAcknowledgements("main")).rejects.toMatchObject({ code });
      await expect(store.listClusters()).rejects.toMatchObject({ code });
    });

    it("takes no answer without end", async () => {
      const agent = await started((_, response) => {
        response.writeHead(200, { "content-type": "application/json", "x-consul-index": "7" });
        const page = " ".repeat(1024 * 1024);
        const more = (): void => {
          while (response.write(page) && !response.destroyed);
        };
        response.on("drain", more);
        more();
      });
      const store = connect([agent.address], { requestTimeoutMs: 60_000 });
      await expect(store.readCluster("main")).rejects.toMatchObject({
        code: "CONSUL_UNEXPECTED_ANSWER",
        message: expect.stringContaining("more than") as string,
      });
    });

    it("is given up when the caller's signal is aborted, before or while it waits", async () => {
      const stop = new AbortController();
      const agent = await started(() => stop.abort());
      const store = connect([agent.address]);
      const waiting = store.watchCluster("main", 5, { waitMs: 60_000, signal: stop.signal });
      await expect(waiting).rejects.toMatchObject({ code: "CONSUL_ABORTED" });
      await expect(store.readCluster("main", { signal: stop.signal })).rejects.toMatchObject({
        code: "CONSUL_ABORTED",
        notSent: true,
      });
      expect(agent.requests).toHaveLength(1);
    });

    it("waits no longer than its deadline, however many agents there are", async () => {
      const agents = await Promise.all([1, 2, 3].map(() => started(() => undefined)));
      const store = connect(
        agents.map(({ address }) => address),
        { requestTimeoutMs: 60_000 },
      );
      const before = performance.now();
      await expect(store.readCluster("main", { deadlineMs: 400 })).rejects.toMatchObject({
        code: "CONSUL_TIMEOUT",
      });
      // A bound against the time of one request, not a measurement.
      expect(performance.now() - before).toBeLessThan(50_000);
    });

    it("asks the last good agent first, and goes round after a failure", async () => {
      const good = await started(emptyFolder);
      const bad = await started(consulAnswer(500, "rpc error making call: EOF"));
      const store = connect([bad.address, good.address]);
      await store.readCluster("main");
      expect(bad.requests).toHaveLength(1);
      await store.readCluster("main");
      expect(bad.requests).toHaveLength(1);
      good.answer(consulAnswer(500, "No cluster leader"));
      bad.answer(emptyFolder);
      await store.readCluster("main");
      good.answer(emptyFolder);
      expect((await store.readCluster("main")).address).toBe(bad.address);
    });

    it("stays at its agent when a blocking query fails there: the two paths fail apart", async () => {
      const one = await started((request, response) => {
        if (request.url?.includes("index=") === true) request.socket.destroy();
        else emptyFolder(request, response);
      });
      const two = await started(emptyFolder);
      const store = connect([one.address, two.address]);
      await expect(store.watchCluster("main", 1, { waitMs: 1, deadlineMs: 30_000 })).rejects.toMatchObject({
        code: "CONSUL_UNREACHABLE",
      });
      expect((await store.watchCluster("main", 1, { waitMs: 1, deadlineMs: 30_000 })).address).toBe(
        two.address,
      );
      expect((await store.readCluster("main")).address).toBe(one.address);
    });

    it("asks everybody once before it says that all fail, and says what each said", async () => {
      const one = await started(consulAnswer(500, "No cluster leader"));
      const two = await started(consulAnswer(403, "Permission denied"));
      const store = connect([one.address, two.address]);
      const error: unknown = await store.readCluster("main").catch((failure: unknown) => failure);
      expect(error).toMatchObject({ code: "CONSUL_DENIED" });
      expect(String(error)).toContain(one.address);
      expect(String(error)).toContain(two.address);
      expect([one.requests.length, two.requests.length]).toEqual([1, 1]);
    });
  });

  describe("a request", () => {
    it("asks consistently, without an index, for the whole folder", async () => {
      const agent = await started(emptyFolder);
      await connect([agent.address], { datacenter: "dc2", partition: "part" }).readCluster("main");
      expect(agent.requests[0]).toBe(
        "GET /v1/kv/primacy/clusters/main/?recurse=true&dc=dc2&partition=part&consistent=1",
      );
      expect(agent.requests[1]).toBe(
        "GET /v1/kv/primacy/clusters/main/master?dc=dc2&partition=part&consistent=1",
      );
    });

    it("blocks in default mode with its wait", async () => {
      const agent = await started(emptyFolder);
      await connect([agent.address]).watchCluster("main", 42, { waitMs: 30_000 });
      expect(agent.requests).toEqual([
        "GET /v1/kv/primacy/clusters/main/?recurse=true&index=42&wait=30000ms",
      ]);
    });

    it("has the token, the namespace and the password in headers and never in the address", async () => {
      const agent = await started(emptyFolder);
      const store = connect([agent.address], { token: SECRET, namespace: "team", httpAuth: "user:password" });
      await store.readCluster("main");
      await store.watchCluster("main", 1, { waitMs: 1, deadlineMs: 30_000 });
      for (const headers of agent.headers) {
        expect(headers).toMatchObject({
          "x-consul-token": SECRET,
          "x-consul-namespace": "team",
          authorization: `Basic ${Buffer.from("user:password").toString("base64")}`,
        });
      }
      expect(agent.requests.join()).not.toContain(SECRET);
    });

    it("keeps its connection", async () => {
      const agent = await started(emptyFolder);
      let connections = 0;
      agent.server.on("connection", () => connections++);
      const store = connect([agent.address]);
      for (let round = 0; round < 5; round++) await store.readCluster("main");
      expect(connections).toBe(1);
    });

    it("goes to a path below the address, and through a Unix socket", async () => {
      const behind = await started(emptyFolder);
      await connect([`${behind.address}/consul/`]).readCluster("main");
      expect(behind.requests[0]).toContain("GET /consul/v1/kv/primacy/");
      const folder = mkdtempSync(join(tmpdir(), "primacy-socket-"));
      toClose.push(() => rmSync(folder, { recursive: true, force: true }));
      const path = join(folder, "consul.sock");
      const socket = await FakeAgent.start(emptyFolder, { listen: { path } });
      toClose.push(() => socket.close());
      expect((await connect([`unix://${path}`]).readCluster("main")).address).toBe(`unix://${path}`);
      const nobody = connect([`unix://${path}.none`]);
      await expect(nobody.readCluster("main")).rejects.toMatchObject({
        code: "CONSUL_UNREACHABLE",
        notSent: true,
      });
    });

    it("goes to an IPv6 address, which is no name to be looked up", async () => {
      // Port 1 of a machine that may have no IPv6: what counts is where it tried to connect.
      await expect(connect(["http://[::1]:1"]).readCluster("main")).rejects.toMatchObject({
        code: "CONSUL_UNREACHABLE",
        message: expect.stringMatching(/connect E[A-Z]+ ::1:1\b/),
      });
    });
  });

  describe("a commit", () => {
    const first = { expectedIndex: 0, record: record("main", 1) };

    it("that goes out on a kept connection is in doubt when that breaks", async () => {
      const agent = await started(emptyFolder);
      const store = connect([agent.address]);
      await store.readCluster("main");
      agent.answer((request) => {
        // Nobody is there for a further try: all depends on what is known of the first.
        agent.server.close();
        request.socket.destroy();
      });
      expect(await store.commitRecord("main", first, { deadlineMs: 2000 })).toMatchObject({
        outcome: "unknown",
        cause: { code: "CONSUL_UNREACHABLE", notSent: false },
      });
      expect(agent.requests.at(-1)).toBe("PUT /v1/txn");
    });

    it.each([
      [97_000, 2],
      [99_950, 1],
    ])(
      "is tried again where there is time for its outcome: after %i of 100 000 ms, %i tries",
      async (pause, tries) => {
        const agent = await started(consulAnswer(429, "slow down"));
        let now = 0;
        const store = makeStore(
          [agent.address],
          {},
          {
            monotonicNow: () => now,
            random: () => 1,
            sleep: () => {
              now += pause;
              return Promise.resolve();
            },
          },
        );
        toClose.push(() => store.close());
        expect(await store.commitRecord("main", first, { deadlineMs: 100_000 })).toMatchObject({
          outcome: "not-written",
          cause: { code: "CONSUL_RATE_LIMITED" },
        });
        expect(agent.requests).toHaveLength(tries);
      },
    );
  });

  describe("a token", () => {
    const tokenFile = (text: string): { path: string; write: (text: string) => void } => {
      const folder = mkdtempSync(join(tmpdir(), "primacy-token-"));
      toClose.push(() => rmSync(folder, { recursive: true, force: true }));
      const path = join(folder, "token");
      const write = (now: string): void => writeFileSync(path, now);
      write(text);
      return { path, write };
    };
    const onlyFor =
      (token: string): RequestListener =>
      (request, response) => {
        const good = request.headers["x-consul-token"] === token;
        (good ? emptyFolder : consulAnswer(403, "ACL not found"))(request, response);
      };

    it("is read from its file again after a 403, and the request made again", async () => {
      const agent = await started(onlyFor("first"));
      const file = tokenFile("first\n");
      const store = connect([agent.address], { tokenFile: file.path, token: "loses" });
      await store.readCluster("main");
      agent.answer(onlyFor("second"));
      await expect(store.readCluster("main")).rejects.toMatchObject({ code: "CONSUL_DENIED" });
      file.write("second\n");
      await store.readCluster("main");
      expect(new Set(agent.headers.map((headers) => headers["x-consul-token"]))).toEqual(
        new Set(["first", "second"]),
      );
    });

    it("that is refused is told by whence it is, and not by what it is", async () => {
      const agent = await started(consulAnswer(403, "Permission denied"));
      const file = tokenFile(`${SECRET}\n`);
      const refusal = async (options: Partial<ConsulOptions>): Promise<string> => {
        const error: unknown = await connect([agent.address], options)
          .readCluster("main")
          .catch((one: unknown) => one);
        expect(error).toMatchObject({ code: "CONSUL_DENIED" });
        expect(everything(error)).not.toContain(SECRET);
        return error instanceof Error ? error.message : "";
      };
      expect(await refusal({ tokenFile: file.path })).toMatch(
        new RegExp(`HTTP 403: Permission denied \\(the token in ${file.path}\\)$`),
      );
      expect(await refusal({ token: SECRET })).toMatch(/\(the token of CONSUL_HTTP_TOKEN\)$/);
      expect(await refusal({})).toMatch(/\(no token was given\)$/);
    });

    it("that can't be read is an error that says so, and nothing is sent", async () => {
      const agent = await started(emptyFolder);
      const store = connect([agent.address], { tokenFile: "/nowhere/token" });
      await expect(store.readCluster("main", { deadlineMs: 30_000 })).rejects.toMatchObject({
        code: "CONSUL_CONFIGURATION",
      });
      const first = { expectedIndex: 0, record: record("main", 1) };
      expect(await store.commitRecord("main", first, { deadlineMs: 30_000 })).toMatchObject({
        outcome: "not-written",
        cause: { code: "CONSUL_CONFIGURATION" },
      });
      expect(agent.requests).toEqual([]);
    });

    it.each<[string, Partial<ConsulOptions>]>([
      ["token", { token: `${SECRET}\n${SECRET}` }],
      ["namespace", { namespace: "a\nb" }],
    ])("or a %s that no header can hold is an error that says so, without it", async (what, options) => {
      const agent = await started(emptyFolder);
      const store = connect([agent.address], options);
      const first = { expectedIndex: 0, record: record("main", 1) };
      const ended = await store.commitRecord("main", first, { deadlineMs: 1000 });
      expect(ended).toMatchObject({
        outcome: "not-written",
        cause: { code: "CONSUL_CONFIGURATION", notSent: true, message: expect.stringContaining(what) },
      });
      expect(everything(ended)).not.toContain(SECRET);
      await expect(store.readCluster("main")).rejects.toMatchObject({ code: "CONSUL_CONFIGURATION" });
      expect(agent.requests).toEqual([]);
    });

    it("is in no error in part either, where a long text is cut", async () => {
      const agent = await started(consulAnswer(500, `${"x".repeat(60)}${SECRET}`));
      const store = connect([agent.address], { token: SECRET });
      const error = await store.readCluster("main").catch((one: unknown) => one);
      expect(everything(error)).toContain("xxx[secret]");
      expect(everything(error)).not.toContain(SECRET.slice(0, 8));
    });

    it("is in no error, not even when what answers quotes the request", async () => {
      const basic = "user:opensesame";
      const quote: RequestListener = (request, response) => {
        const { authorization, "x-consul-token": token } = request.headers;
        response.writeHead(500, { "content-type": "text/plain" });
        response.end(`${String(token)} ${authorization ?? ""} ${basic}`);
      };
      const answers = [quote, (request) => request.socket.destroy(), () => undefined] as RequestListener[];
      for (const answer of answers) {
        const agent = await started(answer);
        const store = connect([agent.address], { token: SECRET, httpAuth: basic, requestTimeoutMs: 200 });
        const errors = [
          await store.readCluster("main").catch((error: unknown) => error),
          await store
            .createSession({ name: "n", ttlSeconds: 10, behavior: "delete", lockDelaySeconds: 0 })
            .catch((error: unknown) => error),
          await store.commitRecord(
            "main",
            { expectedIndex: 0, record: record("main", 1) },
            { deadlineMs: 300 },
          ),
        ];
        const all = errors.map((error) => everything(error)).join("\n");
        expect(all).toContain("CONSUL_");
        expect(all).not.toContain(SECRET);
        expect(all).not.toContain("opensesame");
        expect(all).not.toContain(Buffer.from(basic).toString("base64"));
      }
    });
  });

  it("an address that is none is refused at once, and so is none at all", () => {
    expect(() => makeStore(["gopher://consul"])).toThrowError(
      expect.objectContaining({ code: "CONSUL_CONFIGURATION" }),
    );
    expect(() => makeStore([])).toThrowError(expect.objectContaining({ code: "CONSUL_CONFIGURATION" }));
  });
});

/** All text that can be got out of an error, its causes and its stack. */
function everything(value: unknown, depth = 0): string {
  if (typeof value !== "object" || value === null || depth > 6) return String(value);
  return Object.getOwnPropertyNames(value)
    .map((name) => `${name}=${everything((value as Record<string, unknown>)[name], depth + 1)}`)
    .join("\n");
}
