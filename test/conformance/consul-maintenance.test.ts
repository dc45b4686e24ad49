import { ConsulError, ConsulStore } from "@primacy/consul-store";
import { type Consul, serverForTests, startConsul, startConsulStandIn } from "@primacy/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { record } from "../../packages/consul-store/test/support/documents.js";
import { putRaw } from "./consul-store.support.js";

const consul = serverForTests("consul", "locks, history and other programs' keys on a real Consul");

const WITHIN = { deadlineMs: 30_000 } as const;

interface Place {
  readonly address: string;
  readonly close: () => Promise<void>;
}

function suite(name: string, start: () => Promise<Place>): void {
  describe(`what keeps house, on ${name}`, () => {
    let place: Place;
    let store: ConsulStore;

    beforeAll(async () => {
      place = await start();
      store = new ConsulStore({ addresses: [place.address], prefix: "primacy/", requestTimeoutMs: 30_000 });
    });
    afterAll(async () => {
      store.close();
      await place.close();
    });

    const session = () =>
      store.createSession({ name: "test", ttlSeconds: 60, behavior: "release", lockDelaySeconds: 0 }, WITHIN);

    async function history(cluster: string, generations: number): Promise<void> {
      let expectedIndex = 0;
      for (let generation = 1; generation <= generations; generation++) {
        const written = await store.commitRecord(
          cluster,
          { expectedIndex, record: record(cluster, generation) },
          WITHIN,
        );
        if (written.outcome !== "committed") throw new Error(JSON.stringify(written));
        expectedIndex = written.index;
      }
    }

    const kept = async (cluster: string) =>
      (await store.readHistory(cluster, { limit: 1000 })).map((one) => one.generation);

    it("reads who holds a lock, what the holder wrote last, and that it writes again", async () => {
      expect(await store.readLock("locks/none")).toBeNull();
      const id = await session();
      await store.acquireLock("locks/one", "first", id);
      const first = await store.readLock("locks/one");
      expect(first).toMatchObject({ value: "first", sessionId: id });
      await store.acquireLock("locks/one", "second", id);
      const second = await store.readLock("locks/one");
      expect(second).toMatchObject({ value: "second", sessionId: id });
      expect(second!.index).toBeGreaterThan(first!.index);
    });

    it("shows a lock that nobody holds any more", async () => {
      const id = await session();
      await store.acquireLock("locks/two", "mine", id);
      await store.destroySession(id);
      expect(await store.readLock("locks/two")).toMatchObject({ value: "mine", sessionId: null });
      expect(await store.acquireLock("locks/two", "yours", await session())).toBe("acquired");
    });

    it("gives a lock to another once its session was destroyed from outside, and tells the old holder", async () => {
      const [old, next] = [await session(), await session()];
      await store.acquireLock("locks/three", "old", old);
      const held = await store.readLock("locks/three");
      await store.destroySession(held!.sessionId!);
      expect(await store.acquireLock("locks/three", "next", next)).toBe("acquired");
      expect(await store.acquireLock("locks/three", "old", old)).toBe("session-gone");
    });

    it("keeps the newest records of a history and leaves the master alone", async () => {
      await history("short", 5);
      expect(await store.pruneHistory("short", 5)).toBe(0);
      expect(await store.pruneHistory("short", 2)).toBe(3);
      expect(await kept("short")).toEqual([4, 5]);
      expect(await store.pruneHistory("short", 2)).toBe(0);
      expect((await store.readCluster("short")).record).toMatchObject({ value: { generation: 5 } });
      expect(await store.pruneHistory("nothing", 2)).toBe(0);
    });

    it("prunes more than one transaction holds", async () => {
      await history("long", 150);
      expect(await store.pruneHistory("long", 3)).toBe(147);
      expect(await kept("long")).toEqual([148, 149, 150]);
    });

    it("never prunes everything", async () => {
      await expect(store.pruneHistory("short", 0)).rejects.toThrow(RangeError);
    });

    it("reads other programs' keys as they lie there", async () => {
      await putRaw(place.address, "mysql/master/main", "db1:3306");
      await putRaw(place.address, "mysql/master/main/port", "3306");
      await putRaw(place.address, "mysql/master/main/ipv4", "");
      await putRaw(place.address, "mysql/masters", "another");
      expect(await store.readForeignFolder("mysql/master/")).toEqual([
        { key: "mysql/master/main", value: "db1:3306" },
        { key: "mysql/master/main/ipv4", value: "" },
        { key: "mysql/master/main/port", value: "3306" },
      ]);
      expect(await store.readForeignFolder("nothing/there/")).toEqual([]);
    });
  });
}

suite("the stand-in", () => startConsulStandIn({ sessionTtlMinMs: 1000 }));

describe.skipIf(!consul)("with a real Consul", () => {
  suite(`Consul ${consul?.version ?? ""}`, async () => {
    const server = await startConsul({ sessionTtlMin: "1s" });
    return { address: server.httpAddr, close: () => server.close() };
  });

  describe("and a token that may only read", () => {
    let server: Consul;
    beforeAll(async () => {
      server = await startConsul({ acl: true });
    });
    afterAll(() => server.close());

    it("says that it may not prune", async () => {
      const all = new ConsulStore({
        addresses: [server.httpAddr],
        token: server.token,
        prefix: "primacy/",
        requestTimeoutMs: 30_000,
      });
      let expectedIndex = 0;
      for (const generation of [1, 2]) {
        const commit = { expectedIndex, record: record("main", generation) };
        const written = await all.commitRecord("main", commit, WITHIN);
        expectedIndex = written.outcome === "committed" ? written.index : -1;
      }
      const token = await server.createToken('key_prefix "primacy/" { policy = "read" }');
      const reader = new ConsulStore({
        addresses: [server.httpAddr],
        token,
        prefix: "primacy/",
        requestTimeoutMs: 30_000,
      });
      const refused = await reader.pruneHistory("main", 1).catch((error: unknown) => error);
      expect(refused).toBeInstanceOf(ConsulError);
      expect(refused).toMatchObject({ code: "CONSUL_DENIED" });
      expect(await all.readHistory("main")).toHaveLength(2);
      all.close();
      reader.close();
    });
  });
});
