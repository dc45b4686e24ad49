import { type Consul, serverForTests, startConsul, waitUntil } from "@primacy/testkit";
import { afterEach, describe, expect, it } from "vitest";

const consul = serverForTests("consul", "Consul servers, alone and as a cluster of three");

describe.skipIf(!consul)("Consul as the tests use it", () => {
  let cluster: Consul | undefined;

  afterEach(async () => {
    await cluster?.close();
    cluster = undefined;
  });

  it("keeps its data through a restart", async () => {
    cluster = await startConsul();
    const [server] = cluster.servers;
    await server!.request("PUT", "/v1/kv/kept", "value");
    await cluster.restart();
    expect((await server!.request("GET", "/v1/kv/kept?raw")).body).toBe("value");
  });

  it("with ACLs, allows nothing without a token and what a token's rules say with it", async () => {
    cluster = await startConsul({ acl: true });
    const token = await cluster.createToken('key_prefix "a/" { policy = "write" }');
    const put = async (key: string, headers: Record<string, string>) =>
      (await fetch(`${cluster!.httpAddr}/v1/kv/${key}`, { method: "PUT", body: "x", headers })).status;
    expect(await put("a/1", {})).toBe(403);
    expect(await put("a/1", { "X-Consul-Token": token })).toBe(200);
    expect(await put("b/1", { "X-Consul-Token": token })).toBe(403);
    expect(await put("b/1", { "X-Consul-Token": cluster.token! })).toBe(200);
  });

  it("elects another leader when a cluster of three loses its own", async () => {
    cluster = await startConsul({ servers: 3 });
    const former = await cluster.leader();
    const others = cluster.servers.filter((server) => server !== former);
    await former.kill9();
    const leader = await waitUntil(
      async () => {
        const now = await cluster!.leader(others[0]);
        return now === former ? undefined : now;
      },
      { timeoutMs: 30_000, intervalMs: 100, what: "another leader" },
    );
    expect(others).toContain(leader);
    await waitUntil(async () => (await leader.request("PUT", "/v1/kv/after", "x")).body === "true", {
      timeoutMs: 30_000,
      intervalMs: 100,
      what: "a write on the new leader",
    });
    await former.start();
    await cluster.waitReady();
    expect((await former.request("GET", "/v1/kv/after?raw")).body).toBe("x");
  });
});
