import { type Consul, startConsul } from "@primacy/testkit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { getRaw } from "../conformance/consul-store.support.js";
import { LAYOUT, Recovery, WriterHost, bundleWriter } from "./writer.support.js";

/** All that the writer ever needs. */
const WRITER_POLICY = `
key_prefix "primacy/clusters/" { policy = "write" }
key_prefix "primacy/history/" { policy = "write" }
`;

/** What only a real Consul does: tokens, hangs, restarts. */
export function realConsulSuite(): void {
  let consul: Consul;
  let host: WriterHost;
  let bundle: Awaited<ReturnType<typeof bundleWriter>>;

  async function begin(options: { acl: boolean }): Promise<void> {
    [consul, bundle] = await Promise.all([startConsul(options), bundleWriter()]);
    const token =
      consul.token === undefined ? {} : { CONSUL_HTTP_TOKEN: await consul.createToken(WRITER_POLICY) };
    host = new WriterHost(bundle.program, consul.httpAddr, token);
    const args = [
      "bootstrap",
      "main",
      "--master",
      "127.0.0.1:3311",
      "--layout",
      host.file("main.yaml", LAYOUT),
    ];
    expect(await host.run([...args, "--yes"])).toMatchObject({ code: 0 });
  }

  afterEach(async () => {
    host?.remove();
    bundle?.remove();
    await consul?.close();
  });

  const open = (variables: Record<string, string>) => {
    const recovery = new Recovery("dead-master", Date.now(), [3311, 3312]);
    return host.hook("PostMasterFailover", { ...recovery.environment("PostMasterFailover"), ...variables });
  };
  const generation = async () => (await show()).generation;
  const show = async () => {
    const raw = await getRaw(consul.httpAddr, "primacy/clusters/main/master", consul.token);
    return JSON.parse(raw?.text ?? "{}") as { generation: number; master: { port: number } };
  };

  describe("a Consul with ACLs", () => {
    beforeEach(() => begin({ acl: true }));

    it("takes the writer with a policy of two lines, and a token that may only read is told apart", async () => {
      const reader = await consul.createToken(WRITER_POLICY.replaceAll('"write"', '"read"'));
      const denied = await open({ CONSUL_HTTP_TOKEN: reader });
      expect(denied).toMatchObject({ code: 17 });
      expect(denied.err).toContain("Consul refuses the token");
      expect(host.spooled()).toHaveLength(1);
      expect(await generation()).toBe(1);
      expect(await host.run(["flush"], { CONSUL_HTTP_TOKEN: reader })).toMatchObject({ code: 17 });
      expect(await host.run(["flush"])).toMatchObject({ code: 0 });
      expect(await show()).toMatchObject({ generation: 2, master: { port: 3312 } });
    });

    it.each([
      ["no token", ""],
      ["a token that Consul doesn't know", "00000000-0000-4000-8000-00000000dead"],
    ])("%s is denied, never taken for an unknown cluster", async (_what, token) => {
      const denied = await open({ CONSUL_HTTP_TOKEN: token });
      expect(denied).toMatchObject({ code: 17 });
      expect(denied.out + denied.err).not.toContain(token === "" ? "X-Consul-Token" : token);
      expect(host.spooled()).toHaveLength(1);
      expect(await host.run(["show", "main"], { CONSUL_HTTP_TOKEN: token })).toMatchObject({ code: 17 });
    });

    it("a token in a file is read, and never shown", async () => {
      const secret = host.variables["CONSUL_HTTP_TOKEN"] ?? "";
      const file = host.file("token", `${secret}\n`);
      const opened = await open({
        CONSUL_HTTP_TOKEN: "",
        CONSUL_HTTP_TOKEN_FILE: file,
        PRIMACY_LOG: "stderr",
      });
      expect(opened).toMatchObject({ code: 0 });
      expect(opened.out + opened.err).not.toContain(secret);
    });
  });

  describe("a Consul that hangs or restarts", () => {
    beforeEach(() => begin({ acl: false }));

    it("hangs: the event waits on disk, and is there once when Consul goes on", async () => {
      consul.servers[0]?.suspend();
      const hung = await open({ PRIMACY_DEADLINE: "1.5" });
      consul.servers[0]?.resume();
      expect(hung).toMatchObject({ code: 15 });
      await consul.waitReady();
      expect(await host.run(["flush"])).toMatchObject({ code: 0 });
      expect(await show()).toMatchObject({ generation: 2, master: { port: 3312 } });
      expect(host.spooled()).toEqual([]);
    });

    it("stops and starts again: so does the delivery", async () => {
      await consul.stop();
      expect(await open({ PRIMACY_DEADLINE: "0.4" })).toMatchObject({ code: 15 });
      await consul.start();
      expect(await host.run(["flush"])).toMatchObject({ code: 0 });
      expect(await generation()).toBe(2);
    });

    it("comes back within the hook's deadline: nothing needs to wait", async () => {
      await consul.stop();
      const [opened] = await Promise.all([open({ PRIMACY_DEADLINE: "60" }), consul.start()]);
      expect(opened).toMatchObject({ code: 0 });
      expect(await generation()).toBe(2);
    });
  });
}
