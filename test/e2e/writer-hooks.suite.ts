import { describe, expect, it } from "vitest";
import { deleteRaw, getRaw, putRaw } from "../conformance/consul-store.support.js";
import type { WriterBench } from "./writer.bench.js";
import type { Ended } from "./writer.support.js";

/** What Orchestrator's hooks do to the record, in order and out of it. */
export function hooksSuite(bench: WriterBench): void {
  describe("the hooks of one takeover", () => {
    it("graceful: drain, fence, open; and all of it again changes nothing", async () => {
      const recovery = bench.graceful();
      const generations: number[] = [];
      for (const { name: hook, environment } of recovery.hooks()) {
        expect(await bench.host.hook(hook, environment)).toMatchObject({ code: 0 });
        generations.push((await bench.record()).generation);
      }
      // PreGracefulTakeover, OnFailureDetection, PreFailover, PostMasterFailover, PostFailover, PostGracefulTakeover
      expect(generations).toEqual([2, 2, 3, 4, 4, 4]);
      expect(await bench.record()).toMatchObject({
        phase: "open",
        master: { port: 3312 },
        previous: { port: 3311 },
        quarantined: [{ port: 3311 }],
        cause: { kind: "graceful-takeover", rule: "open-new-master" },
      });
      for (const { name: hook, environment } of recovery.hooks()) {
        expect(await bench.host.hook(hook, environment)).toMatchObject({ code: 0 });
      }
      expect((await bench.record()).generation).toBe(4);
      expect(await bench.brokenHistory(4)).toBeUndefined();
    });

    it("dead master: fence, open; the line says which generation, who follows whom, by which rule", async () => {
      const recovery = bench.dead(3311, 3313);
      const ends: Ended[] = [];
      for (const { name: hook, environment } of recovery.hooks())
        ends.push(await bench.host.hook(hook, environment));
      expect(ends.map((one) => one.code)).toEqual([0, 0, 0, 0]);
      expect(ends[2]?.out).toBe(
        "primacy: main generation 3: 127.0.0.1:3313 follows 127.0.0.1:3311 as the master [open-new-master]\n",
      );
      expect(ends[3]?.out).toBe(
        "primacy: main generation 3: 127.0.0.1:3313 is already the master [open-already]\n",
      );
    });

    it("a failover without a candidate: the master opens again, one generation up", async () => {
      const recovery = bench.dead(3311, 3312);
      await bench.host.hook("PreFailover", recovery.environment("PreFailover"));
      const failed = await bench.host.hook("PostUnsuccessfulFailover", recovery.environment("PreFailover"));
      expect(failed).toMatchObject({ code: 0 });
      expect(await bench.record()).toMatchObject({
        generation: 3,
        phase: "open",
        master: { port: 3311 },
        cause: { kind: "failover-failed" },
      });
    });

    it("Orchestrator's own keys come in the same transaction where they are asked for", async () => {
      await bench.open(bench.dead(3311, 3312), { PRIMACY_ORCHESTRATOR_KEYS: "mysql/master" });
      const keys = ["mysql/master/main", "mysql/master/main/hostname", "mysql/master/main/port"];
      const raws = await Promise.all(
        [...keys, "primacy/clusters/main/master"].map((key) => getRaw(bench.consul.address, key)),
      );
      expect(raws.slice(0, 3).map((raw) => raw?.text)).toEqual(["127.0.0.1:3312", "127.0.0.1", "3312"]);
      expect(new Set(raws.map((raw) => raw?.modifyIndex)).size).toBe(1);
      await deleteRaw(bench.consul.address, "mysql/master/main?recurse");
    });

    it("placeholders do as well as variables", async () => {
      const args = ["--failure-type", "DeadMaster", "--failed-host", "127.0.0.1", "--failed-port", "3311"];
      args.push("--successor-host", "127.0.0.1", "--successor-port", "3312", "--cluster-alias", "main");
      args.push(
        "--command",
        "",
        "--recovery-uid",
        `${String(Date.now())}000000:x`,
        "--is-successful",
        "true",
      );
      expect(await bench.host.hook("PostMasterFailover", {}, args)).toMatchObject({ code: 0 });
      expect(await bench.record()).toMatchObject({ generation: 2, master: { port: 3312 } });
      const standing = ["--successor-host", "{successorHost}", "--successor-port", "{successorPort}"];
      expect(await bench.host.hook("PostMasterFailover", {}, [...args, ...standing])).toMatchObject({
        code: 11,
      });
    });
  });

  describe("hooks that come late, out of order, or make no sense", () => {
    it("after A, B, A a late 'B follows A' does not win", async () => {
      const first = bench.dead(3311, 3312);
      expect((await bench.open(first)).code).toBe(0);
      expect((await bench.open(bench.dead(3312, 3311))).code).toBe(0);
      const late = await bench.open(first);
      expect(late).toMatchObject({ code: 13, out: "" });
      expect(late.err).toContain("[open-refused-stale]");
      expect(await bench.record()).toMatchObject({ generation: 3, master: { port: 3311 } });
    });

    it("a fence that comes after its own failover is over fences nobody, and lets Orchestrator go on", async () => {
      const recovery = bench.dead(3311, 3312);
      await bench.open(recovery);
      const late = await bench.host.hook("PreFailover", recovery.environment("PreFailover"));
      expect(late).toMatchObject({ code: 0 });
      expect(late.out).toContain("[fence-refused-stale]; the failover goes on without it");
      expect(await bench.record()).toMatchObject({ generation: 2, phase: "open" });
    });

    it("a contradiction is refused, and a Pre hook's only where the operator wants it to stop", async () => {
      const wrong = bench.dead(3313, 3312);
      expect(await bench.open(wrong)).toMatchObject({ code: 14 });
      const fence = wrong.environment("PreFailover");
      expect(await bench.host.hook("PreFailover", fence)).toMatchObject({ code: 0 });
      expect(await bench.host.hook("PreFailover", fence, ["--on-failure", "stop"])).toMatchObject({
        code: 14,
      });
      expect(
        await bench.host.hook("PreFailover", { ...fence, PRIMACY_ON_FENCE_FAILURE: "stop" }),
      ).toMatchObject({
        code: 14,
      });
      expect((await bench.record()).generation).toBe(1);
    });

    it("an environment that says too little is named, and stops no failover", async () => {
      const environment = bench.dead(3311, 3312).environment("PostMasterFailover");
      const alias = { ...environment, ORC_FAILURE_CLUSTER_ALIAS: "127.0.0.1:3311" };
      const bad = await bench.host.hook("PostMasterFailover", alias);
      expect(bad).toMatchObject({ code: 11 });
      expect(bad.err).toContain("no cluster alias");
      expect(await bench.host.hook("PreFailover", alias)).toMatchObject({ code: 0 });
      expect(await bench.host.hook("PostMasterFailover", alias, ["--cluster", "main"])).toMatchObject({
        code: 0,
      });
    });

    it("a cluster that nobody set up is left alone", async () => {
      expect(
        await bench.open(bench.dead(3311, 3312), { ORC_FAILURE_CLUSTER_ALIAS: "strangers" }),
      ).toMatchObject({
        code: 12,
      });
      expect(bench.host.spooled()).toEqual([]);
    });

    it("a wrong flag is a usage error, and stops no failover either", async () => {
      expect(await bench.host.run(["hook", "PostMasterFailover", "--bogus"])).toMatchObject({ code: 10 });
      expect(await bench.host.run(["hook", "PreFailover", "--bogus"])).toMatchObject({ code: 0 });
      expect(await bench.host.run(["hook", "PreFailover", "--bogus", "--on-failure", "stop"])).toMatchObject({
        code: 10,
      });
      expect(await bench.host.run(["hook", "PreFailover"], { PRIMACY_DEADLINE: "soon" })).toMatchObject({
        code: 0,
      });
      expect(await bench.host.run(["hook", "NoSuchHook"])).toMatchObject({ code: 10 });
      expect(await bench.host.run(["nonsense"])).toMatchObject({ code: 10 });
      expect(await bench.host.run([])).toMatchObject({ code: 10 });
    });

    it("a record that can't be read is left alone, and the event is kept", async () => {
      await putRaw(bench.consul.address, "primacy/clusters/main/master", '{"format": 7}');
      expect(await bench.open(bench.dead(3311, 3312))).toMatchObject({ code: 18 });
      expect((await getRaw(bench.consul.address, "primacy/clusters/main/master"))?.text).toBe(
        '{"format": 7}',
      );
      expect(bench.host.spooled()).toHaveLength(1);
      expect((await bench.host.run(["show", "main"])).code).toBe(18);
    });
  });
}
