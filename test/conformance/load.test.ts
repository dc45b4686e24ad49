import {
  accounts,
  createLoadTable,
  judge,
  type LoadOptions,
  type LoadSnapshot,
  type MariaDb,
  serverForTests,
  startLoad,
  startMariaDb,
  waitUntil,
} from "@primacy/testkit";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

const mariadb = serverForTests("mariadb", "the load and its oracle");

describe.skipIf(!mariadb)("the load on real servers", () => {
  let first: MariaDb;
  let second: MariaDb;

  beforeAll(async () => {
    [first, second] = await Promise.all([
      startMariaDb({ serverId: 11 }),
      startMariaDb({ serverId: 12, readOnly: true }),
    ]);
    await second.replicateFrom(first);
    await createLoadTable(first);
    await second.catchUpWith(first);
  });
  afterAll(async () => {
    await Promise.all([first?.close(), second?.close()]);
  });
  beforeEach(async () => {
    await first.query("TRUNCATE app.load_rows");
    await second.catchUpWith(first);
  });

  const through = (servers: MariaDb[], more: Partial<LoadOptions> = {}): LoadOptions => ({
    targets: servers.map(({ host, port }) => ({ host, port, ...accounts.app })),
    intervalMs: 2,
    ...more,
  });

  it("is stored where it was acknowledged, as its oracle counts", async () => {
    const load = startLoad(through([first]));
    const isBusy = ({ acknowledged, reads, connected }: LoadSnapshot) =>
      acknowledged > 200 && reads > 20 && connected === 14;
    await waitUntil(() => isBusy(load.snapshot()), { timeoutMs: 60_000, what: "200 rows of 14 clients" });
    expect(load.snapshot().failed).toBe(0);
    const report = await load.stop();
    await second.catchUpWith(first);
    const input = { load: report, servers: [first, second], switchedAtMs: report.startedAtMs };
    const verdict = await judge({ ...input, finalMaster: first });
    expect(verdict).toMatchObject({
      lost: [],
      strays: [],
      duplicates: [],
      unacknowledgedOnMaster: 0,
      failures: {},
    });
    expect(verdict.acknowledgedOnMaster).toBe(report.writes.length);
    expect(Object.keys(verdict.readsAfterSwitch)).toEqual(["11"]);
    // Each kind of client has written, and each id once.
    expect(new Set(report.writes.map(({ kind }) => kind)).size).toBe(3);
    expect(new Set(report.writes.map(({ id }) => id)).size).toBe(report.writes.length);
    // The replica has stored who executed each row, not who it is itself.
    expect(await second.query("SELECT DISTINCT server_id FROM app.load_rows")).toEqual([{ server_id: 11 }]);
    // Had the other one been the master, every row would be one too many.
    const wrong = await judge({ ...input, finalMaster: second });
    expect(wrong.strays).toHaveLength(report.writes.length);
  });

  it("loses what replication does not carry over, and sees rows on a server that is no longer the master", async () => {
    await second.query("STOP SLAVE");
    const load = startLoad(through([first]));
    await waitUntil(() => load.snapshot().acknowledged > 20, {
      timeoutMs: 60_000,
      what: "20 acknowledged rows",
    });
    const report = await load.stop();
    const verdict = await judge({
      load: report,
      servers: [first, second],
      finalMaster: second,
      switchedAtMs: report.startedAtMs,
    });
    expect(verdict.lost).toHaveLength(verdict.acknowledged);
    expect(verdict.strays.every(({ foundOn, why }) => foundOn === 11 && why === "not on the master")).toBe(
      true,
    );
    await second.query("START SLAVE");
  });

  it("goes on when the server turns read-only, dies and comes back, and tells by which error each write failed", async () => {
    const load = startLoad(through([first], { readers: 0 }));
    const failed = () => load.snapshot().failed;
    const more = async (what: string, count: () => number) => {
      const before = count();
      await waitUntil(() => count() > before + 20, { timeoutMs: 60_000, what });
    };
    await first.query("SET GLOBAL read_only=1");
    await more("writes that fail", failed);
    await first.query("SET GLOBAL read_only=0");
    await more("writes again", () => load.snapshot().acknowledged);
    await first.kill9();
    await more("connects that fail", failed);
    await first.start();
    await more("writes after the restart", () => load.snapshot().acknowledged);
    const report = await load.stop();
    await second.catchUpWith(first);
    const verdict = await judge({
      load: report,
      servers: [first, second],
      finalMaster: first,
      switchedAtMs: report.startedAtMs,
    });
    expect(verdict.failures["1290"]).toBeGreaterThan(0);
    expect(verdict.failures["ECONNREFUSED"]).toBeGreaterThan(0);
    expect(verdict.lost).toEqual([]);
    expect(verdict.longestGapMs).toBeGreaterThan(0);
    const refused = report.writes.filter(({ failure }) => failure?.errno === 1290);
    expect(refused.every(({ acknowledgedAtMs }) => acknowledgedAtMs === null)).toBe(true);
  });

  it("stops though a server hangs, and leaves open what became of its statements", async () => {
    const load = startLoad(through([first], { writers: 3, transactions: 0, pinned: 0, readers: 0 }));
    await waitUntil(() => load.snapshot().acknowledged > 5, { timeoutMs: 60_000, what: "acknowledged rows" });
    first.suspend();
    try {
      // More than once: after a pause of this process, answers may lie unread.
      let looks = 0;
      await waitUntil(() => load.snapshot().sinceAcknowledgedMs > 200 && ++looks > 10, {
        timeoutMs: 60_000,
        what: "no more answers",
      });
      const report = await load.stop();
      const open = report.writes.filter(({ acknowledgedAtMs }) => acknowledgedAtMs === null);
      expect(open).toHaveLength(3);
      expect(open.every(({ failure }) => failure?.code === "SESSION_CLOSED" && failure.errno === null)).toBe(
        true,
      );
    } finally {
      first.resume();
    }
  });

  it("ends by itself after its time", async () => {
    const load = startLoad(through([first], { maxDurationMs: 1500 }));
    await waitUntil(() => load.snapshot().acknowledged > 0, { timeoutMs: 60_000, what: "acknowledged rows" });
    await waitUntil(() => load.snapshot().connected === 0, { timeoutMs: 60_000, what: "no client left" });
    const report = await load.stop();
    // Dates, not a timer's clock.
    expect(report.stoppedAtMs - report.startedAtMs).toBeGreaterThan(1400);
  });
});
