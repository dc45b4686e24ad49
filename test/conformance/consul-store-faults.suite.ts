import { ConsulStore } from "@primacy/consul-store";
import { clusterKeys, historyKey } from "@primacy/contract";
import { waitUntil } from "@primacy/testkit";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { layout, record } from "../../packages/consul-store/test/support/documents.js";
import { FaultProxy } from "./consul-store.fault-proxy.js";
import type { ConsulUnderTest } from "./consul-store.suite.js";
import { deleteRaw, valid } from "./consul-store.support.js";
import { watching } from "./consul-store.watching.js";

const PREFIX = "primacy/";
const TXN = /^PUT \/v1\/txn/;
const READ = /^GET \/v1\/kv/;
/** For what must be answered, by however slow a machine. Milliseconds. */
const LONG = 30_000;

/** What the store promises when what is between it and Consul fails: run on the stand-in and on the real one. */
export function consulStoreFaultSuite(name: string, start: () => Promise<ConsulUnderTest>): void {
  describe(`the store, badly connected with ${name}`, () => {
    let consul: ConsulUnderTest;
    let proxy: FaultProxy;
    let direct: ConsulStore;
    const stores: ConsulStore[] = [];
    let clusters = 0;
    const newCluster = (): string => `f${String(++clusters)}`;
    const connect = (requestTimeoutMs: number, ...addresses: string[]): ConsulStore => {
      const store = new ConsulStore({ addresses, prefix: PREFIX, requestTimeoutMs });
      stores.push(store);
      return store;
    };

    beforeAll(async () => {
      consul = await start();
      proxy = await FaultProxy.start(consul.address);
      direct = connect(LONG, consul.address);
    });
    afterEach(() => proxy.reset());
    afterAll(async () => {
      for (const store of stores) store.close();
      await proxy?.close();
      await consul?.close();
    });

    const generations = async (cluster: string): Promise<number[]> =>
      (await direct.readHistory(cluster)).map((entry) => entry.generation);
    const bootstrapped = async (cluster: string): Promise<number> => {
      const first = { expectedIndex: 0, record: record(cluster, 1) };
      const outcome = await direct.commitRecord(cluster, first, { deadlineMs: LONG });
      if (outcome.outcome !== "committed") throw new Error(JSON.stringify(outcome));
      return outcome.index;
    };

    describe("a commit", () => {
      it.each(["lose-answer", "half-answer"] as const)(
        "that was applied (%s) is found by its contents",
        async (fault) => {
          const cluster = newCluster();
          proxy.next(TXN, fault);
          const store = connect(LONG, proxy.address);
          const ours = record(cluster, 1);
          const outcome = await store.commitRecord(
            cluster,
            { expectedIndex: 0, record: ours },
            { deadlineMs: LONG },
          );
          const snapshot = await direct.readCluster(cluster);
          expect(outcome).toEqual({ outcome: "committed", index: snapshot.recordIndex });
          expect(valid(snapshot.record).writeId).toBe(ours.writeId);
          expect(await generations(cluster)).toEqual([1]);
        },
      );

      it("that was applied is found in the history when a later record stands above it", async () => {
        const cluster = newCluster();
        const index = await bootstrapped(cluster);
        const store = connect(2000, proxy.address);
        const ours = record(cluster, 2);
        // The answer is lost only after Consul has given it; the look has to wait until the next record is there.
        proxy.decide = (request) => (TXN.test(request) ? "lose-answer" : "hold");
        const committing = store.commitRecord(
          cluster,
          { expectedIndex: index, record: ours },
          { deadlineMs: 2 * LONG },
        );
        const applied = await waitUntil(
          async () => {
            const snapshot = await direct.readCluster(cluster);
            return valid(snapshot.record).generation === 2 ? snapshot : undefined;
          },
          { timeoutMs: 60_000, what: "generation 2" },
        );
        const next = { expectedIndex: applied.recordIndex, record: record(cluster, 3) };
        expect(await direct.commitRecord(cluster, next, { deadlineMs: LONG })).toMatchObject({
          outcome: "committed",
        });
        proxy.decide = () => "pass";
        expect(await committing).toEqual({ outcome: "committed", index: applied.recordIndex });
        expect(await generations(cluster)).toEqual([1, 2, 3]);
      });

      it("that Consul never got is sent again", async () => {
        const cluster = newCluster();
        proxy.next(TXN, "reset", "silent", "html");
        const store = connect(300, proxy.address);
        const first = { expectedIndex: 0, record: record(cluster, 1) };
        expect(await store.commitRecord(cluster, first, { deadlineMs: LONG })).toMatchObject({
          outcome: "committed",
        });
        expect(await generations(cluster)).toEqual([1]);
      });

      it("that arrives after it was given up changes nothing when another has won", async () => {
        const cluster = newCluster();
        const index = await bootstrapped(cluster);
        proxy.next(TXN, "hold");
        const store = connect(300, proxy.address);
        // The first request hangs; until another writer has won, the store can't see what became of it.
        const winner = record(cluster, 2);
        const decide = proxy.decide;
        let won: Promise<unknown> | undefined;
        let isOver = false;
        proxy.decide = (request) => {
          if (isOver || !READ.test(request)) return decide(request);
          const next = { expectedIndex: index, record: winner };
          won ??= direct.commitRecord(cluster, next, { deadlineMs: LONG }).finally(() => (isOver = true));
          return "reset";
        };
        const loser = { expectedIndex: index, record: record(cluster, 2) };
        expect(await store.commitRecord(cluster, loser, { deadlineMs: LONG })).toEqual({
          outcome: "lost-race",
        });
        expect(await won).toMatchObject({ outcome: "committed" });
        expect(proxy.held).toBe(1);
        await proxy.release();
        const after = await direct.readCluster(cluster);
        expect(valid(after.record).writeId).toBe(winner.writeId);
        expect(await generations(cluster)).toEqual([1, 2]);
      });

      it("of which nothing is known at the deadline is unknown, and if it is applied then as it was meant", async () => {
        const cluster = newCluster();
        const index = await bootstrapped(cluster);
        proxy.decide = (request) => (TXN.test(request) ? "hold" : "silent");
        const store = connect(300, proxy.address);
        const ours = record(cluster, 2);
        const outcome = await store.commitRecord(
          cluster,
          { expectedIndex: index, record: ours },
          { deadlineMs: 3000 },
        );
        expect(outcome).toMatchObject({ outcome: "unknown", cause: { code: "CONSUL_TIMEOUT" } });
        await proxy.release();
        const after = await direct.readCluster(cluster);
        expect(valid(after.record).writeId).toBe(ours.writeId);
        expect(await generations(cluster)).toEqual([1, 2]);
      });

      it("that no request has left for is not written", async () => {
        const cluster = newCluster();
        const nobody = await FaultProxy.start(consul.address);
        const { address } = nobody;
        await nobody.close();
        const store = connect(300, address);
        const first = { expectedIndex: 0, record: record(cluster, 1) };
        expect(await store.commitRecord(cluster, first, { deadlineMs: 700 })).toMatchObject({
          outcome: "not-written",
          cause: { code: "CONSUL_UNREACHABLE", notSent: true },
        });
      });

      it("goes through the next agent when the first hangs", async () => {
        const cluster = newCluster();
        const store = connect(300, proxy.address, consul.address);
        proxy.decide = () => "silent";
        const first = { expectedIndex: 0, record: record(cluster, 1) };
        expect(await store.commitRecord(cluster, first, { deadlineMs: LONG })).toMatchObject({
          outcome: "committed",
        });
        expect((await store.readCluster(cluster, { deadlineMs: LONG })).address).toBe(consul.address);
      });
    });

    describe("a read", () => {
      it.each([
        ["html", "CONSUL_UNEXPECTED_ANSWER"],
        ["half-answer", "CONSUL_UNREACHABLE"],
        ["reset", "CONSUL_UNREACHABLE"],
        ["silent", "CONSUL_TIMEOUT"],
      ] as const)(
        "that fails by %s rejects with %s and never looks like an absent record",
        async (fault, code) => {
          const cluster = newCluster();
          await bootstrapped(cluster);
          const store = connect(fault === "silent" ? 300 : LONG, proxy.address);
          proxy.decide = () => fault;
          await expect(store.readCluster(cluster)).rejects.toMatchObject({ name: "ConsulError", code });
          await expect(
            store.watchCluster(cluster, 0, { waitMs: 200, deadlineMs: LONG }),
          ).rejects.toMatchObject({ code });
        },
      );

      it("asks the next agent, and tries on until its deadline", async () => {
        const cluster = newCluster();
        await bootstrapped(cluster);
        proxy.decide = () => "html";
        const two = connect(LONG, proxy.address, consul.address);
        expect((await two.readCluster(cluster)).address).toBe(consul.address);
        proxy.next(READ, "reset", "reset", "reset", "html", "reset");
        const one = connect(LONG, proxy.address);
        expect(valid((await one.readCluster(cluster, { deadlineMs: LONG })).record).generation).toBe(1);
      });

      it("survives one broken connection also without a deadline: kept ones break when Consul restarts", async () => {
        const cluster = newCluster();
        await bootstrapped(cluster);
        proxy.next(READ, "reset");
        const store = connect(LONG, proxy.address);
        expect(valid((await store.readCluster(cluster)).record).generation).toBe(1);
      });
    });

    describe("a cluster watch", () => {
      it("delivers what is there, then each change once, and knows when it was last verified", async () => {
        const cluster = newCluster();
        let index = await bootstrapped(cluster);
        const watch = watching(direct, cluster, { verifyIntervalMs: 50 });
        await watch.until((seen) => seen.delivered.length === 1);
        for (let generation = 2; generation <= 6; generation++) {
          const next = { expectedIndex: index, record: record(cluster, generation) };
          ({ index } = (await direct.commitRecord(cluster, next, { deadlineMs: LONG })) as { index: number });
          await watch.until((seen) => seen.generations.at(-1) === generation);
        }
        const verified = watch.lastVerifiedSentAtMs ?? 0;
        await watch.until(
          () =>
            (watch.lastVerifiedSentAtMs ?? 0) > verified &&
            watch.state.truth.kind === "following" &&
            watch.state.wakeUp.kind === "following",
        );
        await watch.stop();
        expect(watch.seen.generations).toEqual([1, 2, 3, 4, 5, 6]);
        expect(watch.seen.delivered.some(({ wentBack }) => wentBack)).toBe(false);
      });

      it("is woken by a change without waiting for its next verification", async () => {
        const cluster = newCluster();
        const index = await bootstrapped(cluster);
        const watch = watching(direct, cluster, { verifyIntervalMs: 600_000 });
        await watch.until((seen) => seen.delivered.length === 1 && seen.verified > 0);
        const next = { expectedIndex: index, record: record(cluster, 2) };
        await direct.commitRecord(cluster, next, { deadlineMs: LONG });
        await watch.until((seen) => seen.generations.at(-1) === 2);
        await watch.stop();
        expect(watch.seen.delivered.at(-1)?.source).toBe("wake-up");
      });

      it("learns of a change by verification alone when blocking queries hang", async () => {
        const cluster = newCluster();
        const index = await bootstrapped(cluster);
        const store = connect(1000, proxy.address);
        proxy.decide = (request) => (/index=/.test(request) ? "silent" : "pass");
        const watch = watching(store, cluster, { verifyIntervalMs: 100 });
        await watch.until((seen) => seen.generations.at(-1) === 1);
        const next = { expectedIndex: index, record: record(cluster, 2) };
        await direct.commitRecord(cluster, next, { deadlineMs: LONG });
        await watch.until((seen) => seen.generations.at(-1) === 2);
        await watch.stop();
        expect(watch.seen.delivered.map(({ source }) => source)).toEqual(["truth", "truth"]);
      });

      it.each([
        ["html", "unexpected-answer"],
        ["reset", "unreachable"],
        ["silent", "unreachable"],
      ] as const)("holds through %s, says %s, and goes on by itself", async (fault, reason) => {
        const cluster = newCluster();
        const index = await bootstrapped(cluster);
        const store = connect(200, proxy.address);
        const watch = watching(store, cluster, { verifyIntervalMs: 50, waitMs: 200 });
        await watch.until((seen) => seen.generations.at(-1) === 1);
        proxy.decide = () => fault;
        // On a slow machine an answer of before may have come too late: then another reason comes first.
        await watch.until(() =>
          [watch.state.truth, watch.state.wakeUp].every(
            (path) => path.kind === "holding" && path.reason === reason,
          ),
        );
        proxy.decide = () => "pass";
        const next = { expectedIndex: index, record: record(cluster, 2) };
        await direct.commitRecord(cluster, next, { deadlineMs: LONG });
        await watch.until(
          (seen) =>
            seen.generations.at(-1) === 2 &&
            watch.state.truth.kind === "following" &&
            watch.state.wakeUp.kind === "following",
        );
        await watch.stop();
        expect(watch.seen.generations).toEqual([1, 2]);
      });

      it("says that it went back when a consistent read finds the record gone or older", async () => {
        const cluster = newCluster();
        const keys = clusterKeys(PREFIX, cluster);
        const index = await bootstrapped(cluster);
        const second = { expectedIndex: index, record: record(cluster, 2) };
        await direct.commitRecord(cluster, second, { deadlineMs: LONG });
        const watch = watching(direct, cluster, { verifyIntervalMs: 600_000 });
        await watch.until((seen) => seen.generations.at(-1) === 2);
        await deleteRaw(consul.address, keys.master);
        await watch.until((seen) => seen.delivered.at(-1)?.snapshot.record.kind === "absent");
        expect(watch.seen.delivered.at(-1)).toMatchObject({ source: "truth", wentBack: true });
        expect(watch.state.truth).toMatchObject({ kind: "holding", reason: "absent" });
        await deleteRaw(consul.address, historyKey(keys, 1));
        await bootstrapped(cluster);
        await watch.until((seen) => seen.generations.at(-1) === 1);
        expect(watch.seen.delivered.at(-1)).toMatchObject({ source: "truth", wentBack: true });
        await watch.stop();
      });

      it("sees a cluster that is made while it watches", async () => {
        const cluster = newCluster();
        const watch = watching(direct, cluster, { verifyIntervalMs: 600_000 });
        await watch.until(
          () => watch.state.truth.kind === "holding" && watch.state.truth.reason === "absent",
        );
        await direct.writeLayout(cluster, layout(cluster), 0, { deadlineMs: LONG });
        await bootstrapped(cluster);
        await watch.until((seen) => seen.generations.at(-1) === 1 && watch.state.wakeUp.kind === "following");
        await watch.stop();
      });
    });
  });
}
