import { type AddressInfo, createServer } from "node:net";
import { waitUntil } from "@primacy/testkit";
import { describe, expect, it } from "vitest";
import { FaultProxy } from "../conformance/consul-store.fault-proxy.js";
import type { WriterBench } from "./writer.bench.js";
import { ended } from "./writer.support.js";

/** A Consul that fails in the middle, and writers that get in each other's way. */
export function faultsSuite(bench: WriterBench): void {
  describe("a Consul that is slow or silent", () => {
    it("accepts and never answers: the hook ends by its own deadline", async () => {
      const silent = await silentServer();
      // Counted from the start of the process, which must get as far as to ask.
      const variables = { CONSUL_HTTP_ADDR: silent.address, PRIMACY_DEADLINE: "4" };
      expect(await bench.open(bench.dead(3311, 3312), variables)).toMatchObject({ code: 15 });
      expect(silent.connections()).toBeGreaterThan(0);
      const fence = bench.dead(3311, 3312).environment("PreFailover");
      expect(await bench.host.hook("PreFailover", { ...fence, ...variables })).toMatchObject({ code: 0 });
      silent.close();
    });

    it("told to end meanwhile, the hook keeps its event and ends", async () => {
      const silent = await silentServer();
      const run = bench.host.start(["hook", "PostMasterFailover"], {
        ...bench.dead(3311, 3312).environment("PostMasterFailover"),
        CONSUL_HTTP_ADDR: silent.address,
        PRIMACY_DEADLINE: "600",
      });
      await waitUntil(() => silent.connections() > 0, {
        timeoutMs: 30_000,
        what: "the hook to ask Consul",
      });
      run.signal("SIGTERM");
      expect(await ended(run)).toMatchObject({ code: 15 });
      expect(bench.host.spooled()).toHaveLength(1);
      silent.close();
    });

    it("is looked up by its name with little patience: the process ends no sooner than its lookups", async () => {
      const preload = bench.host.file(
        "preload.cjs",
        `const dns = require("node:dns");
         const { lookup } = dns;
         dns.lookup = (...all) => {
           console.error("looked up with " + process.env.RES_OPTIONS);
           return lookup(...all);
         };`,
      );
      const nobody = await bench.nobody();
      const named = {
        ...nobody,
        CONSUL_HTTP_ADDR: nobody["CONSUL_HTTP_ADDR"]!.replace("127.0.0.1", "localhost"),
        NODE_OPTIONS: `--require=${preload}`,
      };
      const usual = await bench.open(bench.dead(3311, 3312), named);
      expect(usual).toMatchObject({ code: 15, err: expect.stringContaining("with timeout:1 attempts:1") });
      const own = await bench.open(bench.dead(3311, 3312), { ...named, RES_OPTIONS: "timeout:3" });
      expect(own).toMatchObject({ code: 15, err: expect.stringContaining("with timeout:3\n") });
    });

    it("another agent is asked where the first is silent", async () => {
      const silent = await silentServer();
      const variables = {
        CONSUL_HTTP_ADDR: `${silent.address},${bench.consul.address}`,
      };
      expect(await bench.open(bench.dead(3311, 3312), variables)).toMatchObject({ code: 0 });
      silent.close();
    });

    it("a write whose answer is lost was applied or not, and is there once in the end", async () => {
      const proxy = await FaultProxy.start(bench.consul.address);
      proxy.next(/^PUT .*\/v1\/txn/, "lose-answer");
      expect(await bench.open(bench.dead(3311, 3312), { CONSUL_HTTP_ADDR: proxy.address })).toMatchObject({
        code: 0,
      });
      expect((await bench.record()).generation).toBe(2);
      await proxy.close();
    });

    it("a write that is held past the deadline and applied after it changes nothing twice", async () => {
      const proxy = await FaultProxy.start(bench.consul.address);
      let asked = false;
      proxy.decide = (request) => {
        asked ||= /^PUT .*\/v1\/txn/.test(request);
        if (!asked) return "pass";
        return /^PUT .*\/v1\/txn/.test(request) ? "hold" : "silent";
      };
      const variables = { CONSUL_HTTP_ADDR: proxy.address, PRIMACY_DEADLINE: "5" };
      const ambiguous = await bench.open(bench.dead(3311, 3312), variables);
      expect(ambiguous).toMatchObject({ code: 15 });
      expect(proxy.held).toBeGreaterThan(0);
      expect(bench.host.spooled()).toHaveLength(1);
      expect(await bench.host.run(["flush"])).toMatchObject({ code: 0 });
      expect(await bench.record()).toMatchObject({ generation: 2, master: { port: 3312 } });
      await proxy.release();
      expect(await bench.record()).toMatchObject({ generation: 2, master: { port: 3312 } });
      expect(await bench.brokenHistory(2)).toBeUndefined();
      await proxy.close();
    });
  });

  describe("several writers at once", () => {
    it("with the same event write it once", async () => {
      const recovery = bench.dead(3311, 3312);
      const runs = await Promise.all(Array.from({ length: 6 }, () => bench.open(recovery)));
      expect(runs.map((run) => run.code)).toEqual([0, 0, 0, 0, 0, 0]);
      expect(runs.filter((run) => run.out.includes("[open-new-master]"))).toHaveLength(1);
      expect((await bench.record()).generation).toBe(2);
      expect(await bench.brokenHistory(2)).toBeUndefined();
    });

    it("with events that exclude each other: one is written, the others are refused", async () => {
      const beganAt = Date.now();
      const events = [3312, 3313, 3312, 3313].map((to) => bench.dead(3311, to, beganAt));
      const runs = await Promise.all(events.map((event) => bench.open(event)));
      const { generation, master } = await bench.record();
      expect(generation).toBe(2);
      const expected = [3312, 3313, 3312, 3313].map((to) => (to === master.port ? 0 : 14));
      expect(runs.map((run) => run.code)).toEqual(expected);
      expect(runs.filter((run) => run.out.includes("[open-new-master]"))).toHaveLength(1);
    });
  });
}

/** Accepts connections and never says a word. */
async function silentServer() {
  let count = 0;
  const server = createServer((socket) => {
    count++;
    socket.on("error", () => undefined);
    server.once("close", () => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    address: `http://127.0.0.1:${String(port)}`,
    connections: () => count,
    close: () => {
      server.close();
      server.emit("close");
    },
  };
}
