import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ConsulStore } from "@primacy/consul-store";
import { type Acknowledgement, type Layout, type Members, parseLayout } from "@primacy/contract";
import { type Consul, serverForTests, startConsul } from "@primacy/testkit";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { main } from "../../packages/writer/src/main.js";
import { realWorld } from "../../packages/writer/src/world.js";
import { valid } from "./consul-store.support.js";

const consul = serverForTests("consul", "the ACL policies that ship, on a real Consul with default deny");

/** The very file that an operator gives to `consul acl policy create`. */
const policy = (name: string) =>
  readFileSync(new URL(`../../docker/consul/policies/${name}.hcl`, import.meta.url), "utf8");

/** A policy's rules, each as text. */
const rules = (name: string) => policy(name).match(/^\w+ "[^"]*" \{[^}]*\}/gm) ?? [];

const layoutOf = (cluster: string): Layout => {
  const parsed = parseLayout({
    cluster,
    hostgroups: { writer: 10, reader: 20 },
    servers: [{ host: "db1" }, { host: "db2" }],
  });
  if (!parsed.ok) throw new Error(parsed.problem);
  return parsed.value;
};

const membersOf = (cluster: string): Members => ({
  format: 1,
  cluster,
  master: { host: "db1", port: 3306 },
  observedAt: "2026-11-21T09:00:00.000Z",
  observedBy: "agent",
  servers: [],
  removed: [],
  held: null,
  disagreement: null,
});

const failover = {
  ORC_FAILURE_TYPE: "DeadMaster",
  ORC_FAILED_HOST: "db1",
  ORC_FAILED_PORT: "3306",
  ORC_SUCCESSOR_HOST: "db2",
  ORC_SUCCESSOR_PORT: "3306",
  ORC_IS_SUCCESSFUL: "true",
};

describe.skipIf(!consul)("Consul's ACL policies", () => {
  let server: Consul;
  let folder: string;
  let layoutFile: string;
  const stores: ConsulStore[] = [];
  let runs = 0;

  beforeAll(async () => {
    server = await startConsul({ acl: true });
    folder = await mkdtemp(join(tmpdir(), "primacy-acl-"));
    layoutFile = join(folder, "layout.json");
    await writeFile(layoutFile, JSON.stringify(layoutOf("main")));
  });

  afterAll(async () => {
    await server?.close();
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  /** Two clusters, both at generation 1. */
  beforeEach(async () => {
    await request("DELETE", "/v1/kv/primacy/?recurse");
    for (const cluster of ["main", "other"]) {
      await management().writeLayout(cluster, layoutOf(cluster), 0, { deadlineMs: 30_000 });
      await succeed(server.token, "bootstrap", cluster, "--master", "db1", "--yes");
    }
  });

  afterEach(() => {
    for (const store of stores.splice(0)) store.close();
  });

  const request = (method: string, path: string, token = server.token, body?: string) =>
    fetch(`${server.httpAddr}${path}`, {
      method,
      headers: token === undefined ? {} : { "X-Consul-Token": token },
      ...(body === undefined ? {} : { body }),
    }).then(async (response) => ({ status: response.status, text: await response.text() }));

  const storeOf = (token: string | undefined) => {
    const store = new ConsulStore({
      addresses: [server.httpAddr],
      token,
      prefix: "primacy/",
      requestTimeoutMs: 30_000,
    });
    stores.push(store);
    return store;
  };
  const management = () => storeOf(server.token);

  /** The program itself, with this token and a spool of its own. */
  const writer = async (token: string | undefined, ...argv: string[]) => {
    const said: string[] = [];
    const began = performance.now();
    const code = await main({
      argv: [
        ...argv,
        "--consul",
        server.httpAddr,
        "--spool",
        join(folder, `spool-${++runs}`),
        "--deadline",
        "30",
      ],
      environment: { CONSUL_HTTP_TOKEN: token, ...failover, ORC_FAILURE_CLUSTER_ALIAS: "main" },
      terminal: {
        out: (text) => said.push(text),
        err: (text) => said.push(text),
        interactive: false,
        ask: () => Promise.resolve(""),
        paint: (_colour, text) => text,
      },
      world: { ...realWorld, elapsed: () => performance.now() - began },
      signal: new AbortController().signal,
    });
    return { code, said: said.join("\n") };
  };

  const succeed = async (token: string | undefined, ...argv: string[]) => {
    const { code, said } = await writer(token, ...argv);
    if (code !== 0) throw new Error(`${argv.join(" ")} ended with ${String(code)}: ${said}`);
  };

  const acknowledgement = (proxy: string): Acknowledgement => ({
    format: 1,
    proxy,
    cluster: "main",
    generation: 1,
    incarnation: "00000000",
    phase: "open",
    state: "applied",
    appliedGeneration: 1,
    writers: [{ host: "db1", port: 3306 }],
    connectionsInUse: 0,
    at: "2026-11-21T09:14:21.948Z",
    tookMs: 3,
    reason: null,
    watcher: "0.1.0",
  });

  const session = { name: "watcher", ttlSeconds: 60, behavior: "delete", lockDelaySeconds: 0 } as const;

  /** All that a token is for. Throws at the first thing that it may not do. */
  const WORK: Record<string, (token: string) => Promise<void>> = {
    writer: async (token) => {
      await succeed(token, "hook", "PreFailover", "--on-failure", "stop");
      await succeed(token, "hook", "PostMasterFailover");
      const { record } = await management().readCluster("main");
      expect(valid(record)).toMatchObject({ generation: 3, master: { host: "db2" } });
    },
    watcher: async (token) => {
      const store = storeOf(token);
      const first = await store.watchCluster("main", 0, { waitMs: 1000, deadlineMs: 30_000 });
      const { record, layout } = await store.readCluster("main");
      expect([first.record.kind, record.kind, layout.kind]).toEqual(["valid", "valid", "valid"]);
      const [before, now] = [await store.createSession(session), await store.createSession(session)];
      const wanted = acknowledgement("proxysql1");
      const put = (sessionId: string, takeOver: boolean) =>
        store.acknowledge("main", "proxysql1", wanted, { sessionId, takeOver });
      expect(await put(before, false)).toBe("written");
      expect(await put(now, true)).toBe("written");
      expect(await store.renewSession(now)).toBe(true);
      await store.destroySession(before);
      await store.destroySession(now);
    },
    operator: async (token) => {
      await request("DELETE", "/v1/kv/primacy/?recurse");
      await succeed(token, "layout", "apply", layoutFile, "--yes");
      await succeed(token, "bootstrap", "main", "--master", "db1", "--yes");
      await succeed(token, "show");
      await succeed(token, "show", "main");
      await succeed(token, "set", "main", "--master", "db2", "--generation", "1", "--yes");
      await succeed(token, "readmit", "main", "--server", "db1", "--generation", "2", "--yes");
      await putAcknowledgement();
      expect((await storeOf(token).readAcknowledgements("main")).acknowledgements).toHaveLength(1);
      expect(await storeOf(token).readLock("agent/leader")).toBeNull();
    },
    agent: async (token) => {
      const store = storeOf(token);
      const within = { deadlineMs: 30_000 };
      expect(await store.listClusters()).toEqual(["main", "other"]);
      const { record, layout, recordIndex, membersIndex } = await store.readCluster("main");
      expect(layout.kind).toBe("valid");
      const next = { ...valid(record), generation: 2 };
      const commit = { expectedIndex: recordIndex, record: next };
      expect(await store.commitRecord("main", commit, within)).toMatchObject({ outcome: "committed" });
      expect(await store.writeMembers("main", membersOf("main"), membersIndex, within)).toMatchObject({
        outcome: "committed",
      });
      expect(await store.pruneHistory("main", 1)).toBe(1);
      await putAcknowledgement();
      expect((await store.readAcknowledgements("main")).acknowledgements).toHaveLength(1);
      const silent = await store.createSession(session);
      expect(await store.acquireLock("agent/leader", "{}", silent)).toBe("acquired");
      expect(await store.readLock("agent/leader")).toMatchObject({ sessionId: silent });
      await store.destroySession(silent);
    },
  };

  const putAcknowledgement = () =>
    request("PUT", "/v1/kv/primacy/acks/main/proxysql1", server.token, JSON.stringify({ format: 1 }));

  const denied = (outcome: unknown) =>
    expect(outcome).toMatchObject({ outcome: "not-written", cause: { code: "CONSUL_DENIED" } });
  const deniedCall = (call: Promise<unknown>) =>
    expect(call).rejects.toMatchObject({ code: "CONSUL_DENIED" });

  /** Tries to move the record of a cluster by the store itself. */
  const tryToCommit = async (token: string, cluster: string) => {
    const { record, recordIndex } = await management().readCluster(cluster);
    const next = { ...valid(record), generation: 2 };
    return storeOf(token).commitRecord(
      cluster,
      { expectedIndex: recordIndex, record: next },
      { deadlineMs: 30_000 },
    );
  };

  const tryLayout = async (token: string) => {
    const { layoutIndex } = await management().readCluster("main");
    return storeOf(token).writeLayout("main", { ...layoutOf("main"), maxLagSeconds: 5 }, layoutIndex, {
      deadlineMs: 30_000,
    });
  };

  for (const name of Object.keys(WORK)) {
    describe(`${name}.hcl`, () => {
      it("allows all of its work", async () => {
        await WORK[name]!(await server.createToken(policy(name)));
      });

      it.each(rules(name).map((rule) => [rule.replaceAll(/\s+/g, " "), rule]))(
        "and not without %s",
        async (_title, rule) => {
          const rest = rules(name).filter((one) => one !== rule);
          const token = await server.createToken(rest.join("\n"));
          await expect(WORK[name]!(token)).rejects.toThrow();
        },
      );
    });
  }

  it("a writer changes no layout, no members, no acknowledgement and no other cluster", async () => {
    const token = await server.createToken(policy("writer"));
    denied(await tryLayout(token));
    denied(await tryToCommit(token, "other"));
    await deniedCall(storeOf(token).readCluster("other"));
    await deniedCall(storeOf(token).createSession(session));
    for (const key of ["clusters/main/members", "acks/main/proxysql1", "clusters/other/master"]) {
      expect(await request("PUT", `/v1/kv/primacy/${key}`, token, "x")).toMatchObject({ status: 403 });
    }
    expect((await writer(token, "hook", "PostMasterFailover", "--cluster", "other")).code).toBe(17);
  });

  it("an agent changes no layout, no acknowledgement and no other cluster's record", async () => {
    const token = await server.createToken(policy("agent"));
    denied(await tryLayout(token));
    denied(await tryToCommit(token, "other"));
    for (const key of ["acks/main/proxysql1", "clusters/main/layout", "clusters/other/members"]) {
      expect(await request("PUT", `/v1/kv/primacy/${key}`, token, "x")).toMatchObject({ status: 403 });
    }
  });

  it("a watcher changes no record, no layout and no other proxy's acknowledgement, and sees no other cluster", async () => {
    const token = await server.createToken(policy("watcher"));
    const store = storeOf(token);
    denied(await tryToCommit(token, "main"));
    denied(await tryLayout(token));
    await deniedCall(store.readCluster("other"));
    const sessionId = await store.createSession(session);
    await deniedCall(store.acknowledge("main", "proxysql2", acknowledgement("proxysql2"), { sessionId }));
    await store.destroySession(sessionId);
    const elsewhere = JSON.stringify({ Node: "consul2", TTL: "15s", Checks: [] });
    expect(await request("PUT", "/v1/session/create", token, elsewhere)).toMatchObject({ status: 403 });
  });

  it("an operator acknowledges for no proxy, makes no session and writes nothing outside", async () => {
    const token = await server.createToken(policy("operator"));
    await deniedCall(storeOf(token).createSession(session));
    for (const key of ["primacy/acks/main/proxysql1", "mysql/master/main"]) {
      expect(await request("PUT", `/v1/kv/${key}`, token, "x")).toMatchObject({ status: 403 });
    }
  });

  it("nothing is allowed without a token", async () => {
    expect((await writer(undefined, "hook", "PostMasterFailover")).code).toBe(17);
    expect((await writer(undefined, "show", "main")).code).toBe(17);
  });
});
