import { ConsulStore, type ClusterSnapshot } from "@primacy/consul-store";
import { type Document, clusterKeys, historyKey, recordText } from "@primacy/contract";
import { waitUntil } from "@primacy/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  acknowledgement,
  layout,
  members,
  record,
} from "../../packages/consul-store/test/support/documents.js";
import { getRaw, putRaw, valid } from "./consul-store.support.js";

/** A Consul, real or not, whose smallest session TTL is one second. */
export interface ConsulUnderTest {
  readonly address: string;
  readonly close: () => Promise<void>;
}

const PREFIX = "primacy/";
const WITHIN = { deadlineMs: 30_000 };
const LOCK_NOW = { ttlSeconds: 60, lockDelaySeconds: 0 } as const;

/** What the store promises on every Consul: run on the stand-in and on the real one. */
export function consulStoreSuite(name: string, start: () => Promise<ConsulUnderTest>): void {
  describe(`the store on ${name}`, () => {
    let consul: ConsulUnderTest;
    let store: ConsulStore;
    let clusters = 0;
    const newCluster = (): string => `c${String(++clusters)}`;

    beforeAll(async () => {
      consul = await start();
      store = new ConsulStore({ addresses: [consul.address], prefix: PREFIX, requestTimeoutMs: 30_000 });
    });
    afterAll(async () => {
      store?.close();
      await consul?.close();
    });

    const commit = (cluster: string, expectedIndex: number, generation: number) =>
      store.commitRecord(cluster, { expectedIndex, record: record(cluster, generation) }, WITHIN);
    const committed = async (cluster: string, expectedIndex: number, generation: number): Promise<number> => {
      const outcome = await commit(cluster, expectedIndex, generation);
      if (outcome.outcome !== "committed") throw new Error(JSON.stringify(outcome));
      return outcome.index;
    };

    describe("reading a cluster", () => {
      it("finds nothing where there is nothing", async () => {
        const snapshot = await store.readCluster(newCluster());
        expect(snapshot).toMatchObject({
          record: { kind: "absent" },
          recordText: null,
          recordIndex: 0,
          layout: { kind: "absent" },
          layoutIndex: 0,
          members: { kind: "absent" },
          membersIndex: 0,
          folderEmpty: true,
          filteredByAcls: false,
          address: consul.address,
        });
        expect(snapshot.index).toBeGreaterThan(0);
      });

      it("finds all three documents in one read, each with the index for its own compare-and-set", async () => {
        const cluster = newCluster();
        const index = await committed(cluster, 0, 1);
        const wroteLayout = await store.writeLayout(cluster, layout(cluster), 0, WITHIN);
        const wroteMembers = await store.writeMembers(cluster, members(cluster), 0, WITHIN);
        const before = performance.now();
        const snapshot = await store.readCluster(cluster);
        expect(valid(snapshot.record).generation).toBe(1);
        expect(snapshot.recordText).toBe(recordText(valid(snapshot.record)));
        expect(valid(snapshot.layout).hostgroups).toEqual({ writer: 10, reader: 20 });
        expect(valid(snapshot.members).observedBy).toBe("test");
        expect(snapshot.recordIndex).toBe(index);
        expect(wroteLayout).toEqual({ outcome: "committed", index: snapshot.layoutIndex });
        expect(wroteMembers).toEqual({ outcome: "committed", index: snapshot.membersIndex });
        expect(snapshot.index).toBe(Math.max(index, snapshot.layoutIndex, snapshot.membersIndex));
        expect(snapshot.folderEmpty).toBe(false);
        expect(snapshot.sentAtMs).toBeGreaterThanOrEqual(before);
        expect(snapshot.sentAtMs).toBeLessThanOrEqual(performance.now());
      });

      it("keeps a cluster apart from one whose name begins alike", async () => {
        const cluster = newCluster();
        await committed(`${cluster}-and-more`, 0, 7);
        expect((await store.readCluster(cluster)).folderEmpty).toBe(true);
      });

      it.each([
        ["garbage", "not json", "not JSON"],
        ["an empty value", "", "not JSON"],
        ["bytes that are not UTF-8", new Uint8Array([0x7b, 0xff, 0xfe, 0x7d]), "not UTF-8"],
        ["more than any document has", "x".repeat(300_000), "characters long"],
        ["an unknown format", '{"format": 99}', "format 99"],
        ["the record of another cluster", recordText(record("other", 1)), 'cluster "other"'],
      ])("calls %s unusable, and does not call it absent", async (_, value, problem) => {
        const cluster = newCluster();
        await putRaw(consul.address, clusterKeys(PREFIX, cluster).master, value);
        const snapshot = await store.readCluster(cluster);
        expect(snapshot.record).toMatchObject({ kind: "unusable" });
        expect((snapshot.record as Extract<Document<never>, { kind: "unusable" }>).problem).toContain(
          problem,
        );
        expect(snapshot.recordIndex).toBeGreaterThan(0);
        expect(snapshot.folderEmpty).toBe(false);
      });
    });

    describe("committing a record", () => {
      it("writes the record and its history at once, with one index", async () => {
        const cluster = newCluster();
        const keys = clusterKeys(PREFIX, cluster);
        const index = await committed(cluster, 0, 1);
        const [master, history] = await Promise.all([
          getRaw(consul.address, keys.master),
          getRaw(consul.address, historyKey(keys, 1)),
        ]);
        expect(master).toEqual({ text: history?.text, modifyIndex: index, session: undefined });
        expect(history?.modifyIndex).toBe(index);
      });

      it("loses the race when the record has moved, and leaves no history behind", async () => {
        const cluster = newCluster();
        const first = await committed(cluster, 0, 1);
        await committed(cluster, first, 2);
        expect(await commit(cluster, first, 3)).toEqual({ outcome: "lost-race" });
        expect(await commit(cluster, 0, 3)).toEqual({ outcome: "lost-race" });
        const snapshot = await store.readCluster(cluster);
        expect(valid(snapshot.record).generation).toBe(2);
        expect((await store.readHistory(cluster)).map((entry) => entry.generation)).toEqual([1, 2]);
      });

      it("lets one of many win, and tells the others that they lost", async () => {
        const cluster = newCluster();
        const first = await committed(cluster, 0, 1);
        const outcomes = await Promise.all(Array.from({ length: 8 }, () => commit(cluster, first, 2)));
        expect(outcomes.map(({ outcome }) => outcome).sort()).toEqual([
          "committed",
          ...Array<string>(7).fill("lost-race"),
        ]);
      });

      it("calls the same write again committed, at the index where it lies", async () => {
        const cluster = newCluster();
        const same = { expectedIndex: 0, record: record(cluster, 1) };
        const first = await store.commitRecord(cluster, same, WITHIN);
        expect(await store.commitRecord(cluster, same, WITHIN)).toEqual(first);
      });

      it("calls the same write again committed also when a later record stands above it", async () => {
        const cluster = newCluster();
        const same = { expectedIndex: 0, record: record(cluster, 1) };
        const first = await store.commitRecord(cluster, same, WITHIN);
        await committed(cluster, (first as { index: number }).index, 2);
        expect(await store.commitRecord(cluster, same, WITHIN)).toEqual(first);
      });

      it("refuses to write over a generation that the history has already", async () => {
        const cluster = newCluster();
        await putRaw(consul.address, historyKey(clusterKeys(PREFIX, cluster), 1), "another first record");
        expect(await commit(cluster, 0, 1)).toMatchObject({
          outcome: "not-written",
          cause: { code: "CONSUL_HISTORY_EXISTS" },
        });
        expect((await store.readCluster(cluster)).record).toEqual({ kind: "absent" });
      });

      it("sets further keys in the same transaction, or none of them", async () => {
        const cluster = newCluster();
        const key = `mysql/master/${cluster}`;
        const write = (expectedIndex: number, value: string) =>
          store.commitRecord(
            cluster,
            { expectedIndex, record: record(cluster, 1), alsoSet: [{ key, value }] },
            WITHIN,
          );
        const outcome = await write(0, "db1:3306");
        expect(await getRaw(consul.address, key)).toMatchObject({
          text: "db1:3306",
          modifyIndex: (outcome as { index: number }).index,
        });
        expect(await write(0, "db2:3306")).toEqual({ outcome: "lost-race" });
        expect(await getRaw(consul.address, key)).toMatchObject({ text: "db1:3306" });
      });

      it("writes a layout by compare-and-set too", async () => {
        const cluster = newCluster();
        const first = await store.writeLayout(cluster, layout(cluster), 0, WITHIN);
        const changed = layout(cluster, { maxLagSeconds: 5 });
        expect(await store.writeLayout(cluster, changed, 0, WITHIN)).toEqual({ outcome: "lost-race" });
        const second = await store.writeLayout(cluster, changed, (first as { index: number }).index, WITHIN);
        expect(second).toMatchObject({ outcome: "committed" });
        expect(valid((await store.readCluster(cluster)).layout).maxLagSeconds).toBe(5);
      });
    });

    describe("history and clusters", () => {
      it("reads the newest records, oldest first, and says which can't be used", async () => {
        const cluster = newCluster();
        const keys = clusterKeys(PREFIX, cluster);
        let index = 0;
        for (let generation = 1; generation <= 11; generation++) {
          index = await committed(cluster, index, generation);
        }
        await putRaw(consul.address, historyKey(keys, 12), recordText(record(cluster, 3)));
        await putRaw(consul.address, `${keys.historyFolder}notes`, "an operator's own");
        const all = await store.readHistory(cluster);
        expect(all.map((entry) => entry.generation)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
        expect(all.slice(0, 11).map((entry) => valid(entry.document).generation)).toEqual([
          1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11,
        ]);
        expect(all[11]?.document).toMatchObject({ kind: "unusable" });
        const some = await store.readHistory(cluster, { limit: 3, fromGeneration: 2 });
        expect(some.map((entry) => entry.generation)).toEqual([10, 11, 12]);
        expect(await store.readHistory(newCluster())).toEqual([]);
      });

      it("lists the clusters", async () => {
        const cluster = newCluster();
        await store.writeLayout(cluster, layout(cluster), 0, WITHIN);
        expect(await store.listClusters()).toContain(cluster);
        const empty = new ConsulStore({
          addresses: [consul.address],
          prefix: "nobody/",
          requestTimeoutMs: 30_000,
        });
        expect(await empty.listClusters()).toEqual([]);
        empty.close();
      });
    });

    describe("watching", () => {
      const settled = async (promise: Promise<unknown>): Promise<boolean> => {
        let done = false;
        const end = (): void => void (done = true);
        promise.then(end, end);
        // One answered read later, an answer to the older call would be here too.
        for (let round = 0; round < 3; round++) await store.readCluster("c0");
        return done;
      };

      it("answers at once without an index, and with it when the record changes", async () => {
        const cluster = newCluster();
        const first = await committed(cluster, 0, 1);
        const now = await store.watchCluster(cluster, 0, { waitMs: 20_000 });
        expect(valid(now.record).generation).toBe(1);
        const later = store.watchCluster(cluster, now.index, { waitMs: 20_000 });
        expect(await settled(later)).toBe(false);
        await committed(cluster, first, 2);
        expect(valid((await later).record).generation).toBe(2);
      });

      it("is not woken by a neighbour, by the history or by an acknowledgement", async () => {
        const cluster = newCluster();
        await committed(cluster, 0, 1);
        const { index } = await store.watchCluster(cluster, 0, { waitMs: 20_000 });
        const stop = new AbortController();
        const later = store.watchCluster(cluster, index, { waitMs: 20_000, signal: stop.signal });
        await committed(newCluster(), 0, 1);
        await putRaw(consul.address, historyKey(clusterKeys(PREFIX, cluster), 99), "x");
        const sessionId = await store.createSession({ name: "t", behavior: "delete", ...LOCK_NOW });
        await store.acknowledge(cluster, "p1", acknowledgement(cluster, "p1", 1), { sessionId });
        expect(await settled(later)).toBe(false);
        stop.abort();
        await expect(later).rejects.toMatchObject({ code: "CONSUL_ABORTED" });
      });

      it("answers with what it had when the wait is over", async () => {
        const cluster = newCluster();
        await committed(cluster, 0, 1);
        const now = await store.watchCluster(cluster, 0, { waitMs: 20_000 });
        const again = await store.watchCluster(cluster, now.index, { waitMs: 200, ...WITHIN });
        expect(again.index).toBe(now.index);
        expect(again.record).toEqual(now.record);
      });

      it("shows a whole transaction or nothing of it", async () => {
        const cluster = newCluster();
        const first = await committed(cluster, 0, 1);
        await store.writeLayout(cluster, layout(cluster), 0, WITHIN);
        let { index } = await store.watchCluster(cluster, 0, { waitMs: 20_000 });
        const keys = clusterKeys(PREFIX, cluster);
        const other = layout(cluster, { maxLagSeconds: 77 });
        const writing = store.commitRecord(
          cluster,
          {
            expectedIndex: first,
            record: record(cluster, 2),
            alsoSet: [{ key: keys.layout, value: JSON.stringify(other) }],
          },
          WITHIN,
        );
        let seen: ClusterSnapshot;
        do {
          seen = await store.watchCluster(cluster, index, { waitMs: 20_000 });
          ({ index } = seen);
        } while (valid(seen.record).generation === 1 && valid(seen.layout).maxLagSeconds === 30);
        expect([valid(seen.record).generation, valid(seen.layout).maxLagSeconds]).toEqual([2, 77]);
        await writing;
      });
    });

    describe("sessions and acknowledgements", () => {
      const session = () => store.createSession({ name: "watcher", behavior: "delete", ...LOCK_NOW });

      it("renews a session, and says when it is gone", async () => {
        const id = await session();
        expect(await store.renewSession(id)).toBe(true);
        await store.destroySession(id);
        await store.destroySession(id);
        expect(await store.renewSession(id)).toBe(false);
      });

      it("shows who is live and what they say", async () => {
        const cluster = newCluster();
        const [a, b] = [await session(), await session()];
        const put = (proxy: string, generation: number, sessionId: string) =>
          store.acknowledge(cluster, proxy, acknowledgement(cluster, proxy, generation), { sessionId });
        expect(await put("p1", 1, a)).toBe("written");
        expect(await put("p2", 1, b)).toBe("written");
        expect(await put("p1", 2, a)).toBe("written");
        await putRaw(consul.address, `${clusterKeys(PREFIX, cluster).acknowledgementsFolder}p3`, "garbage");
        const roster = await store.readAcknowledgements(cluster);
        expect(roster.acknowledgements).toMatchObject([
          { proxy: "p1", sessionId: a, document: { kind: "valid", value: { generation: 2 } } },
          { proxy: "p2", sessionId: b, document: { kind: "valid", value: { generation: 1 } } },
          { proxy: "p3", sessionId: null, document: { kind: "unusable" } },
        ]);
        expect(await store.readAcknowledgements(newCluster())).toMatchObject({ acknowledgements: [] });
      });

      it("does nothing for the same acknowledgement again, and wakes who waits for another", async () => {
        const cluster = newCluster();
        const sessionId = await session();
        const say = (generation: number) =>
          store.acknowledge(cluster, "p1", acknowledgement(cluster, "p1", generation), { sessionId });
        await say(1);
        const before = await store.readAcknowledgements(cluster);
        expect(await say(1)).toBe("written");
        expect((await store.readAcknowledgements(cluster)).index).toBe(before.index);
        const later = store.watchAcknowledgements(cluster, before.index, { waitMs: 20_000 });
        await say(2);
        expect((await later).acknowledgements).toMatchObject([{ document: { value: { generation: 2 } } }]);
      });

      it("calls an acknowledgement under another proxy's key unusable", async () => {
        const cluster = newCluster();
        const sessionId = await session();
        await store.acknowledge(cluster, "p1", acknowledgement(cluster, "p2", 1), { sessionId });
        const { acknowledgements } = await store.readAcknowledgements(cluster);
        expect(acknowledgements[0]?.document).toMatchObject({ kind: "unusable" });
      });

      it("says when the session is gone, and when another session has the key", async () => {
        const cluster = newCluster();
        const [old, fresh] = [await session(), await session()];
        const say = (sessionId: string, takeOver = false) =>
          store.acknowledge(cluster, "p1", acknowledgement(cluster, "p1", 1), { sessionId, takeOver });
        await say(old);
        expect(await say(fresh)).toBe("held-elsewhere");
        expect(await say(fresh, true)).toBe("written");
        await store.destroySession(old);
        expect((await store.readAcknowledgements(cluster)).acknowledgements).toMatchObject([
          { sessionId: fresh },
        ]);
        await store.destroySession(fresh);
        expect(await say(fresh)).toBe("session-gone");
        expect(await say(fresh, true)).toBe("session-gone");
      });

      it("removes the acknowledgement of a session that is not renewed, and wakes who waits", async () => {
        const cluster = newCluster();
        const brief = { name: "watcher", behavior: "delete", ...LOCK_NOW, ttlSeconds: 1 } as const;
        const [live, silent] = [await session(), await store.createSession(brief)];
        const say = (proxy: string, sessionId: string) =>
          store.acknowledge(cluster, proxy, acknowledgement(cluster, proxy, 1), { sessionId });
        await say("silent", silent);
        await say("live", live);
        let { index } = await store.readAcknowledgements(cluster);
        await waitUntil(
          async () => {
            await store.renewSession(live);
            const roster = await store.watchAcknowledgements(cluster, index, { waitMs: 300 });
            ({ index } = roster);
            return roster.acknowledgements.length === 1 && roster.acknowledgements[0]?.proxy === "live";
          },
          { timeoutMs: 30_000, what: "the silent watcher's acknowledgement to go" },
        );
        expect(await store.renewSession(silent)).toBe(false);
      });

      it("gives a lock to one at a time", async () => {
        const key = `locks/${newCluster()}`;
        const [a, b] = [await session(), await session()];
        expect(await store.acquireLock(key, "a", a)).toBe("acquired");
        expect(await store.acquireLock(key, "a", a)).toBe("acquired");
        expect(await store.acquireLock(key, "b", b)).toBe("held-elsewhere");
        expect(await store.releaseLock(key, b)).toBe(false);
        expect(await store.releaseLock(key, a)).toBe(true);
        expect(await store.acquireLock(key, "b", b)).toBe("acquired");
      });
    });
  });
}
