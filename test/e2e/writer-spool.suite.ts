import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { WriterBench } from "./writer.bench.js";
import { ended, runWithoutRoomForAByte } from "./writer.support.js";

/** What becomes of events while Consul is away. */
export function spoolSuite(bench: WriterBench): void {
  describe("while Consul can't be reached", () => {
    it("a change of master waits on disk, once for all hooks of its recovery, until flush delivers it", async () => {
      const recovery = bench.dead(3311, 3312);
      const away = await bench.nobody();
      const spooled = await bench.open(recovery, away);
      expect(spooled).toMatchObject({ code: 15, out: "" });
      expect(spooled.err).toContain('"127.0.0.1:3312 follows 127.0.0.1:3311" waits in');
      const again = await bench.host.hook("PostFailover", {
        ...recovery.environment("PostFailover"),
        ...away,
      });
      expect(again.code).toBe(15);
      expect(again.err).toContain("waits already");
      expect(bench.host.spooled()).toHaveLength(1);
      expect(await bench.host.run(["flush"], away)).toMatchObject({ code: 15 });
      expect(bench.host.spooled()).toHaveLength(1);
      const flushed = await bench.host.run(["flush"]);
      expect(flushed).toMatchObject({ code: 0 });
      expect(flushed.out).toContain("1 delivered, 0 refused, 0 unreadable, 0 still waiting");
      expect(await bench.record()).toMatchObject({ generation: 2, master: { port: 3312 } });
      expect(bench.host.spooled()).toEqual([]);
      expect(await bench.host.run(["flush"])).toMatchObject({ code: 0 });
    });

    it("a drain and a fence do not wait: late they would be wrong", async () => {
      const fence = { ...bench.dead(3311, 3312).environment("PreFailover"), ...(await bench.nobody()) };
      const dropped = await bench.host.hook("PreFailover", fence);
      expect(dropped).toMatchObject({ code: 0 });
      expect(dropped.out).toContain(
        "can't wait and is dropped; the failover goes on without it (undelivered)",
      );
      expect(await bench.host.hook("PreFailover", fence, ["--on-failure=stop"])).toMatchObject({ code: 16 });
      expect(bench.host.spooled()).toEqual([]);
    });

    it("an event that has become stale is refused at flush, and kept for people", async () => {
      const lost = bench.dead(3311, 3312);
      expect((await bench.open(lost, await bench.nobody())).code).toBe(15);
      const elsewhere = bench.anotherHost();
      expect((await bench.open(bench.dead(3311, 3313), {}, elsewhere)).code).toBe(0);
      expect((await bench.open(bench.dead(3313, 3311), {}, elsewhere)).code).toBe(0);
      const flushed = await bench.host.run(["flush"]);
      expect(flushed).toMatchObject({ code: 13 });
      expect(flushed.err).toContain("(moved to refused/)");
      expect(bench.host.spooled()).toEqual([]);
      const [file = ""] = bench.host.spooled("refused");
      expect(bench.host.read(`spool/refused/${file}`)).toContain("[open-refused-stale]");
      expect(await bench.record()).toMatchObject({ generation: 3, master: { port: 3311 } });
      elsewhere.remove();
    });

    it("the next hook of the cluster delivers the older event first", async () => {
      expect((await bench.open(bench.dead(3311, 3312), await bench.nobody())).code).toBe(15);
      const next = await bench.open(bench.dead(3312, 3313));
      expect(next).toMatchObject({ code: 0 });
      expect(next.err).toContain("spooled event: main generation 2: 127.0.0.1:3312 follows 127.0.0.1:3311");
      expect(await bench.record()).toMatchObject({
        generation: 3,
        master: { port: 3313 },
        previous: { port: 3312 },
      });
      expect(bench.host.spooled()).toEqual([]);
      expect(await bench.brokenHistory(3)).toBeUndefined();
    });

    it("a spool that takes nothing is a code of its own", async () => {
      const away = await bench.nobody();
      const noFolder = { ...away, PRIMACY_SPOOL: join(bench.host.file("file", ""), "spool") };
      expect(await bench.open(bench.dead(3311, 3312), noFolder)).toMatchObject({ code: 16 });
      expect((await bench.open(bench.dead(3311, 3312), { ...away, PRIMACY_SPOOL_LIMIT: "1" })).code).toBe(15);
      const full = await bench.open(bench.dead(3311, 3313), { ...away, PRIMACY_SPOOL_LIMIT: "1" });
      expect(full).toMatchObject({ code: 16 });
      expect(full.err).toContain("the limit");
    });

    it("a disk that takes no byte more leaves nothing half-written", async () => {
      // A limit on the size of files stands for a full disk: the same call fails, at the same place.
      const environment = {
        ...bench.host.variables,
        ...bench.dead(3311, 3312).environment("PostMasterFailover"),
        ...(await bench.nobody()),
      };
      const full = await runWithoutRoomForAByte(bench.program, environment);
      expect(full.code).toBe(16);
      expect(full.text).toMatch(/could not be kept on disk: EFBIG/);
      expect(existsSync(join(bench.host.folder, "spool")) && bench.host.spooled().length).toBe(0);
    });

    it("a file that is no event is moved aside and told", async () => {
      expect((await bench.open(bench.dead(3311, 3312), await bench.nobody())).code).toBe(15);
      const name = "20261121T091900000Z-main-open-0000beef.json";
      writeFileSync(join(bench.host.folder, "spool", name), "garbage");
      const flushed = await bench.host.run(["flush"]);
      expect(flushed).toMatchObject({ code: 18 });
      expect(flushed.err).toContain(`${name}: it is not JSON (moved to unreadable/)`);
      expect(bench.host.spooled("unreadable")).toEqual([name]);
      expect((await bench.record()).generation).toBe(2);
    });

    it("two deliveries at once deliver each event once, in order", async () => {
      const away = await bench.nobody();
      const ports = [3311, 3312, 3313];
      for (let i = 0; i < 6; i++) {
        expect((await bench.open(bench.dead(ports[i % 3]!, ports[(i + 1) % 3]!), away)).code).toBe(15);
      }
      const runs = await Promise.all([1, 2, 3].map(() => bench.host.run(["flush"])));
      expect(runs.map((run) => run.code)).toEqual([0, 0, 0]);
      expect(await bench.record()).toMatchObject({ generation: 7, master: { port: 3311 } });
      expect(bench.host.spooled()).toEqual([]);
      expect(bench.host.spooled("refused")).toEqual([]);
    });

    it("the lock of a delivery that was killed is taken over", async () => {
      expect((await bench.open(bench.dead(3311, 3312), await bench.nobody())).code).toBe(15);
      const killed = bench.host.start(["show"]);
      await ended(killed);
      writeFileSync(join(bench.host.folder, "spool", "lock"), String(killed.pid));
      expect(await bench.host.run(["flush"])).toMatchObject({ code: 0 });
      expect((await bench.record()).generation).toBe(2);
    });

    it("a delivery that another one holds up gives up in time, and takes nothing away", async () => {
      expect((await bench.open(bench.dead(3311, 3312), await bench.nobody())).code).toBe(15);
      writeFileSync(join(bench.host.folder, "spool", "lock"), String(process.pid));
      const held = await bench.host.run(["flush"], { PRIMACY_DEADLINE: "0.4" });
      expect(held).toMatchObject({ code: 15 });
      expect(held.err).toContain("another delivery holds");
      expect(bench.host.spooled()).toHaveLength(1);
    });

    it("commands that don't wait in the spool say so", async () => {
      const away = await bench.nobody();
      for (const args of [
        ["show"],
        ["show", "main"],
        ["layout", "show", "main"],
        ["layout", "apply", "main.yaml"],
      ]) {
        expect(await bench.host.run(args, away)).toMatchObject({ code: 19 });
      }
    });
  });
}
