import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { type Consul, serverForTests, startConsul } from "@primacy/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const consul = serverForTests("consul", "docker/setup.mjs on a real Consul");

interface Access {
  address: string;
  management: string;
  policies: Record<string, string>;
  tokens: Record<string, string>;
}

const url = new URL("../../docker/setup.mjs", import.meta.url).href;
const policy = (role: string) =>
  readFileSync(new URL(`../../docker/consul/policies/${role}.hcl`, import.meta.url), "utf8");

describe.skipIf(!consul)("the compose file's set-up", () => {
  const roles = ["writer", "watcher", "operator"];
  let server: Consul;
  let access: Access;
  let setUpAccess: (access: Access) => Promise<void>;

  beforeAll(async () => {
    server = await startConsul({ acl: true });
    ({ setUpAccess } = (await import(url)) as { setUpAccess: typeof setUpAccess });
    access = {
      address: server.httpAddr,
      management: server.token ?? "",
      policies: Object.fromEntries(roles.map((role) => [role, policy(role)])),
      tokens: Object.fromEntries(roles.map((role) => [role, randomUUID()])),
    };
  });

  afterAll(async () => {
    await server?.close();
  });

  const put = (role: string, key: string) =>
    fetch(`${server.httpAddr}/v1/kv/primacy/${key}`, {
      method: "PUT",
      body: "x",
      headers: { "X-Consul-Token": access.tokens[role] ?? "" },
    }).then(({ status }) => status);

  it("makes tokens of which each may do its own part", async () => {
    await setUpAccess(access);
    expect(await put("writer", "clusters/main/master")).toBe(200);
    expect(await put("writer", "clusters/main/layout")).toBe(403);
    expect(await put("watcher", "acks/main/proxysql1")).toBe(200);
    expect(await put("watcher", "clusters/main/master")).toBe(403);
    expect(await put("operator", "clusters/main/layout")).toBe(200);
    expect(await put("operator", "acks/main/proxysql1")).toBe(403);
  });

  it("may be run again, and then takes the policies as they are now", async () => {
    await setUpAccess({ ...access, policies: { ...access.policies, writer: policy("watcher") } });
    expect(await put("writer", "clusters/main/master")).toBe(403);
    await setUpAccess(access);
    expect(await put("writer", "clusters/main/master")).toBe(200);
  });

  it("says what Consul refuses", async () => {
    await expect(setUpAccess({ ...access, management: randomUUID() })).rejects.toThrow(/403/);
  });
});
