import { ConsulStore } from "@primacy/consul-store";
import { clusterKeys } from "@primacy/contract";
import { type Consul, freePort, serverForTests, startConsul, waitUntil } from "@primacy/testkit";
import { afterEach, describe, expect, it } from "vitest";
import { acknowledgement, layout, record } from "../../packages/consul-store/test/support/documents.js";
import { getRaw, putRaw, valid } from "./consul-store.support.js";
import { watching } from "./consul-store.watching.js";

const consul = serverForTests("consul", "the store when Consul's own servers fail");
const PREFIX = "primacy/";
const WITHIN = { deadlineMs: 60_000 };

describe.skipIf(!consul)("the store when Consul's own servers fail", { timeout: 240_000 }, () => {
  const toClose: (() => Promise<void> | void)[] = [];
  afterEach(async () => {
    for (const close of toClose.splice(0).reverse()) await close();
  });

  const started = async (options: Parameters<typeof startConsul>[0]): Promise<Consul> => {
    const servers = await startConsul(options);
    toClose.push(() => servers.close());
    return servers;
  };
  const connect = (
    addresses: string[],
    options: { token?: string; requestTimeoutMs?: number } = {},
  ): ConsulStore => {
    const store = new ConsulStore({ addresses, prefix: PREFIX, requestTimeoutMs: 30_000, ...options });
    toClose.push(() => store.close());
    return store;
  };
  const commit = async (store: ConsulStore, expectedIndex: number, generation: number): Promise<number> => {
    const outcome = await store.commitRecord(
      "main",
      { expectedIndex, record: record("main", generation) },
      WITHIN,
    );
    if (outcome.outcome !== "committed") throw new Error(JSON.stringify(outcome));
    return outcome.index;
  };

  it("does not let a write that its client gave up on overwrite a newer one", async () => {
    const servers = await started({ servers: 3 });
    const leader = await servers.leader();
    const others = servers.servers.filter((server) => server !== leader).map((server) => server.httpAddr);
    const first = await commit(connect(others), 0, 1);
    const stuck = connect([leader.httpAddr], { requestTimeoutMs: 700 });
    leader.suspend();
    const late = record("main", 2);
    const control = fetch(`${leader.httpAddr}/v1/kv/control`, { method: "PUT", body: "late" });
    expect(
      await stuck.commitRecord("main", { expectedIndex: first, record: late }, { deadlineMs: 1500 }),
    ).toMatchObject({ outcome: "unknown" });
    const winner = connect(others, { requestTimeoutMs: 1000 });
    await commit(winner, first, 2);
    await putRaw(others[0] ?? "", "control", "newer");
    const won = await winner.readCluster("main", WITHIN);
    leader.resume();
    // The control, a plain PUT sent beside the commit, arrives now: so the commit's transaction has had its chance.
    const answer = await control;
    // A server that was asked before it knew that it leads no more says so; else it asks the new leader.
    if (answer.status === 500) expect(await answer.text()).toMatch(/leader/i);
    else expect(await getRaw(others[0] ?? "", "control")).toMatchObject({ text: "late" });
    const after = await winner.readCluster("main", WITHIN);
    expect(valid(after.record).writeId).toBe(valid(won.record).writeId);
    expect(valid(after.record).writeId).not.toBe(late.writeId);
    expect((await winner.readHistory("main", WITHIN)).length).toBe(2);
  });

  it("goes on watching and writing when the leader is killed, and never shows an older record", async () => {
    const servers = await started({ servers: 3 });
    const store = connect(servers.httpAddrs, { requestTimeoutMs: 1000 });
    const first = await commit(store, 0, 1);
    const watch = watching(store, "main", { verifyIntervalMs: 300 });
    await watch.until((seen) => seen.generations.at(-1) === 1);
    const leader = await servers.leader();
    await leader.kill9();
    await commit(store, first, 2);
    await watch.until((seen) => seen.generations.at(-1) === 2);
    await watch.until(
      () => watch.state.truth.kind === "following" && watch.state.wakeUp.kind === "following",
    );
    await watch.stop();
    expect(watch.seen.generations).toEqual([1, 2]);
  });

  it("learns of a change while its own agent's leader hangs", async () => {
    const servers = await started({ servers: 3 });
    const leader = await servers.leader();
    const others = servers.servers.filter((server) => server !== leader).map((server) => server.httpAddr);
    const writer = connect(others, { requestTimeoutMs: 1000 });
    const first = await commit(writer, 0, 1);
    const watcher = connect([leader.httpAddr, ...others], { requestTimeoutMs: 1000 });
    const watch = watching(watcher, "main", { verifyIntervalMs: 300, waitMs: 60_000 });
    await watch.until((seen) => seen.generations.at(-1) === 1);
    leader.suspend();
    await commit(writer, first, 2);
    // The blocking query hangs for a minute yet; the truth path finds it.
    await watch.until((seen) => seen.generations.at(-1) === 2);
    leader.resume();
    await watch.stop();
    expect(watch.seen.generations).toEqual([1, 2]);
    expect(watch.seen.delivered.some(({ wentBack }) => wentBack)).toBe(false);
  });

  it("watches on through a restart of Consul, with the record that it kept", async () => {
    const servers = await started({});
    const store = connect([servers.httpAddr], { requestTimeoutMs: 1000 });
    const first = await commit(store, 0, 1);
    const watch = watching(store, "main", { verifyIntervalMs: 200 });
    await watch.until((seen) => seen.generations.at(-1) === 1);
    await servers.stop();
    await watch.until(() => watch.state.truth.kind === "holding" && watch.state.wakeUp.kind === "holding");
    await servers.start();
    await watch.until(
      () => watch.state.truth.kind === "following" && watch.state.wakeUp.kind === "following",
    );
    await commit(store, first, 2);
    await watch.until((seen) => seen.generations.at(-1) === 2);
    await watch.stop();
    expect(watch.seen.generations).toEqual([1, 2]);
  });

  it("says that Consul was wiped, and is not blind afterwards", async () => {
    const servers = await started({});
    const store = connect([servers.httpAddr], { requestTimeoutMs: 1000 });
    let index = await commit(store, 0, 1);
    for (let generation = 2; generation <= 5; generation++) index = await commit(store, index, generation);
    const watch = watching(store, "main", { verifyIntervalMs: 300, waitMs: 600_000 });
    await watch.until((seen) => seen.generations.at(-1) === 5);
    await servers.stop();
    await servers.wipe();
    await servers.start();
    await watch.until(
      (seen) =>
        seen.generations.at(-1) === 0 &&
        watch.state.truth.kind === "holding" &&
        watch.state.truth.reason === "absent",
    );
    expect(watch.seen.delivered.at(-1)).toMatchObject({ source: "truth", wentBack: true });
    const anew = { expectedIndex: 0, record: record("main", 1, { incarnation: "incarnation-2" }) };
    expect(await store.commitRecord("main", anew, WITHIN)).toMatchObject({ outcome: "committed" });
    await watch.until((seen) => seen.generations.at(-1) === 1);
    expect(watch.seen.delivered.at(-1)).toMatchObject({ wentBack: true });
    await watch.stop();
  });

  it("says that Consul was restored from a snapshot, though the blocking query does not", async () => {
    const servers = await started({});
    const store = connect([servers.httpAddr], { requestTimeoutMs: 2000 });
    let index = await commit(store, 0, 1);
    const saved = await (await fetch(`${servers.httpAddr}/v1/snapshot`)).arrayBuffer();
    for (let generation = 2; generation <= 4; generation++) index = await commit(store, index, generation);
    const watch = watching(store, "main", { verifyIntervalMs: 200, waitMs: 600_000 });
    await watch.until((seen) => seen.generations.at(-1) === 4);
    const restored = await fetch(`${servers.httpAddr}/v1/snapshot`, { method: "PUT", body: saved });
    expect(restored.status).toBe(200);
    await watch.until((seen) => seen.generations.at(-1) === 1);
    expect(watch.seen.delivered.at(-1)).toMatchObject({ source: "truth", wentBack: true });
    const stale = { expectedIndex: index, record: record("main", 5) };
    expect(await store.commitRecord("main", stale, WITHIN)).toEqual({ outcome: "lost-race" });
    await watch.stop();
  });

  it("tells an absent record from a denied one", async () => {
    const servers = await started({ acl: true });
    const { httpAddr, token = "" } = servers;
    const all = connect([httpAddr], { token });
    await commit(all, 0, 1);
    await all.writeLayout("main", layout("main"), 0, WITHIN);
    const asToken = async (rules: string): Promise<ConsulStore> =>
      connect([httpAddr], { token: await servers.createToken(rules) });

    const reader = await asToken('key_prefix "primacy/clusters/" { policy = "read" }');
    expect(valid((await reader.readCluster("main")).record).generation).toBe(1);
    expect((await reader.readCluster("nobody")).record).toEqual({ kind: "absent" });
    await expect(reader.readAcknowledgements("main")).rejects.toMatchObject({ code: "CONSUL_DENIED" });
    expect(await reader.listClusters()).toEqual(["main"]);

    const stranger = await asToken('key_prefix "elsewhere/" { policy = "read" }');
    await expect(stranger.readCluster("main")).rejects.toMatchObject({ code: "CONSUL_DENIED", status: 403 });
    await expect(stranger.readCluster("nobody")).rejects.toMatchObject({ code: "CONSUL_DENIED" });
    await expect(stranger.listClusters()).rejects.toMatchObject({ code: "CONSUL_DENIED" });
    const denied = watching(stranger, "main", { verifyIntervalMs: 100 });
    await denied.until(() => denied.state.truth.kind === "holding" && denied.state.truth.reason === "denied");
    await denied.stop();
    expect(denied.seen.delivered).toEqual([]);

    const noLayout = await asToken('key "primacy/clusters/main/master" { policy = "read" }');
    expect(await noLayout.readCluster("main")).toMatchObject({
      record: { kind: "valid" },
      layout: { kind: "unusable", problem: "the token may not read primacy/clusters/main/layout" },
    });
    const half = watching(noLayout, "main", { verifyIntervalMs: 50 });
    await half.until((seen) => seen.verified > 3);
    await half.stop();
    expect(half.seen.delivered.length).toBeLessThanOrEqual(2);
  });

  it("names the key that may not be written, and a token that Consul does not know", async () => {
    const servers = await started({ acl: true });
    const { httpAddr, token = "" } = servers;
    const first = { expectedIndex: 0, record: record("main", 1) };
    const reader = connect([httpAddr], {
      token: await servers.createToken('key_prefix "primacy/" { policy = "read" }'),
    });
    expect(await reader.commitRecord("main", first, WITHIN)).toMatchObject({
      outcome: "not-written",
      cause: {
        code: "CONSUL_DENIED",
        message: expect.stringContaining(clusterKeys(PREFIX, "main").master) as string,
      },
    });
    const noHistory = connect([httpAddr], {
      token: await servers.createToken('key_prefix "primacy/clusters/" { policy = "write" }'),
    });
    expect(await noHistory.commitRecord("main", first, WITHIN)).toMatchObject({
      outcome: "not-written",
      cause: { message: expect.stringMatching(/write primacy\/history\/main\/0{11}1:/) as string },
    });
    expect((await connect([httpAddr], { token }).readCluster("main")).recordIndex).toBe(0);
    const secret = "11111111-2222-3333-4444-555555555555";
    const unknown = connect([httpAddr], { token: secret });
    const outcome = await unknown.commitRecord("main", first, WITHIN);
    expect(outcome).toMatchObject({ outcome: "not-written", cause: { code: "CONSUL_DENIED" } });
    expect(JSON.stringify(outcome)).not.toContain(secret);
    await expect(unknown.readCluster("main")).rejects.toMatchObject({ code: "CONSUL_DENIED", status: 403 });
  });

  it("lives with the least that the documented policies give", async () => {
    const servers = await started({ acl: true, sessionTtlMin: "1s" });
    const { httpAddr } = servers;
    const writer = connect([httpAddr], {
      token: await servers.createToken(`
        key_prefix "primacy/clusters/" { policy = "write" }
        key_prefix "primacy/history/" { policy = "write" }
        key_prefix "primacy/acks/" { policy = "read" }`),
    });
    await commit(writer, 0, 1);
    const watcher = connect([httpAddr], {
      token: await servers.createToken(`
        key_prefix "primacy/clusters/" { policy = "read" }
        key_prefix "primacy/acks/" { policy = "write" }
        session_prefix "" { policy = "write" }`),
    });
    expect(valid((await watcher.readCluster("main")).record).generation).toBe(1);
    const sessionId = await watcher.createSession({
      name: "w",
      ttlSeconds: 60,
      behavior: "delete",
      lockDelaySeconds: 0,
    });
    const said = acknowledgement("main", "p1", 1);
    expect(await watcher.acknowledge("main", "p1", said, { sessionId })).toBe("written");
    expect(await watcher.renewSession(sessionId)).toBe(true);
    expect((await writer.readAcknowledgements("main")).acknowledgements).toMatchObject([
      { proxy: "p1", sessionId },
    ]);
    const overwrite = { expectedIndex: 0, record: record("main", 1) };
    expect(await watcher.commitRecord("main", overwrite, WITHIN)).toMatchObject({ outcome: "not-written" });
  });

  it("makes sessions that live by their TTL alone, not by the health of a node", async () => {
    const servers = await started({});
    const store = connect([servers.httpAddr]);
    const id = await store.createSession({
      name: "w",
      ttlSeconds: 10,
      behavior: "delete",
      lockDelaySeconds: 0,
    });
    const info = await (await fetch(`${servers.httpAddr}/v1/session/info/${id}`)).text();
    expect(JSON.parse(info)).toMatchObject([{ ID: id, TTL: "10s", Behavior: "delete", LockDelay: 0 }]);
    expect(info).not.toContain("serfHealth");
  });

  it("speaks of a Consul without a leader as such", async () => {
    const servers = await started({ servers: 3 });
    const [one, two, three] = servers.servers;
    await Promise.all([two?.kill9(), three?.kill9()]);
    const store = connect([one?.httpAddr ?? ""], { requestTimeoutMs: 15_000 });
    await waitUntil(
      async () => {
        const error: unknown = await store.readCluster("main").catch((failure: unknown) => failure);
        if ((error as { code?: string }).code === "CONSUL_NO_LEADER") return true;
        throw error instanceof Error ? error : new Error("it answered");
      },
      { timeoutMs: 60_000, what: "Consul to say that it has no leader" },
    );
  });

  it("goes on to the next address when nobody listens at the first", async () => {
    const servers = await started({});
    const store = connect([`127.0.0.1:${String(await freePort())}`, servers.httpAddr]);
    expect((await store.readCluster("main")).address).toBe(servers.httpAddr);
  });
});
