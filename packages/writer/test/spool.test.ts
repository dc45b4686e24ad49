import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  utimesSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { writeDurably } from "../src/spool/durable-file.js";
import { type SpoolEntry, entryName, newEntry, readEntry, spooledEvent } from "../src/spool/entry.js";
import { Spool, SpoolFullError } from "../src/spool/folder.js";
import { lockSpool } from "../src/spool/lock.js";
import { FakeWorld, db1, db2, db3, opened, removeFoldersAfterEach, temporaryFolder } from "./fakes.js";

removeFoldersAfterEach();

const entry = (
  event = opened(db1, db2, 5),
  spooledAt = "2026-11-21T09:20:00.000Z",
  cluster = "main",
): SpoolEntry =>
  newEntry({ spooledAt, cluster, hook: "PostMasterFailover", because: "connect ECONNREFUSED", event });
const id = (n: number) => `${String(n).padStart(8, "0")}-0000`;
const files = (folder: string) => (existsSync(folder) ? readdirSync(folder).sort() : []);

describe("a spooled event", () => {
  it("comes back as it went", async () => {
    const spool = new Spool(join(temporaryFolder(), "deep", "spool"), 10);
    expect(await spool.add(entry(), id(1))).toBe("spooled");
    const { files: waiting, unreadable } = await spool.waiting();
    expect(waiting.map((file) => file.entry)).toEqual([entry()]);
    expect(unreadable).toEqual([]);
    expect(files(spool.folder)).toEqual(["20261121T092000000Z-main-open-00000001.json"]);
  });

  it("began when it was spooled, where nobody said when", () => {
    expect(spooledEvent(entry(opened(db1, db2, null))).beganAt).toBe("2026-11-21T09:20:00.000Z");
    expect(spooledEvent(entry(opened(db1, db2, 5))).beganAt).toBe("2026-11-21T09:05:00.000Z");
  });

  it("waits once, however often its recovery's hooks come", async () => {
    const spool = new Spool(temporaryFolder(), 10);
    expect(await spool.add(entry(), id(1))).toBe("spooled");
    expect(
      await spool.add({ ...entry(), hook: "PostFailover", spooledAt: "2026-11-21T09:20:01.000Z" }, id(2)),
    ).toBe("already");
    expect(await spool.add(entry(undefined, undefined, "other"), id(3))).toBe("spooled");
    expect(await spool.add(entry(opened(db1, db2, 6)), id(4))).toBe("spooled");
    expect(await spool.names()).toHaveLength(3);
  });

  it("without a recovery's id waits once in a row, and again after its opposite", async () => {
    const spool = new Spool(temporaryFolder(), 10);
    expect(await spool.add(entry(opened(db1, db2, null)), id(1))).toBe("spooled");
    expect(await spool.add(entry(opened(db1, db2, null)), id(2))).toBe("already");
    expect(await spool.add(entry(opened(db2, db1, null)), id(3))).toBe("spooled");
    expect(await spool.add(entry(opened(db1, db2, null)), id(4))).toBe("spooled");
  });

  it("keeps its place also when the clock goes back", async () => {
    const spool = new Spool(temporaryFolder(), 10);
    await spool.add(entry(opened(db1, db2, 5), "2026-11-21T09:20:00.000Z"), id(9));
    await spool.add(entry(opened(db2, db3, 6), "2026-11-21T08:20:00.000Z"), id(1));
    await spool.add(entry(opened(db3, db1, 7), "2026-11-21T08:20:00.000Z"), id(0));
    const { files: waiting } = await spool.waiting();
    expect(waiting.map((file) => file.entry.event.outgoing)).toEqual([db1, db2, db3]);
  });

  it("sorts behind the whole year", () => {
    const late = entryName(entry(undefined, "2026-12-31T23:59:59.999Z"), [], id(1));
    expect(entryName(entry(), [late], id(0))).toBe("20270101T000000000Z-main-open-00000000.json");
  });
});

describe("the spool's bounds", () => {
  it("takes no more than its limit, and says so", async () => {
    const spool = new Spool(temporaryFolder(), 2);
    await spool.add(entry(opened(db1, db2, 1)), id(1));
    await spool.add(entry(opened(db1, db2, 2)), id(2));
    await expect(spool.add(entry(opened(db1, db2, 3)), id(3))).rejects.toThrow(SpoolFullError);
    expect(await spool.names()).toHaveLength(2);
  });

  it("leaves nothing half-written where the disk refuses", async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "file"), "");
    await expect(new Spool(join(folder, "file", "spool"), 2).add(entry(), id(1))).rejects.toThrow("ENOTDIR");
    // A folder stands where the new name would be: the rename fails after everything was written.
    mkdirSync(join(folder, "name.json", "x"), { recursive: true });
    await expect(writeDurably(folder, "name.json", "text")).rejects.toThrow();
    expect(files(folder).filter((name) => name.startsWith(".tmp"))).toEqual([]);
  });

  it("refused events get no more room than the spool itself; the oldest goes", async () => {
    const spool = new Spool(temporaryFolder(), 2);
    for (const minute of [1, 2, 3]) {
      await spool.add(
        entry(opened(db1, db2, minute), `2026-11-21T09:2${String(minute)}:00.000Z`),
        id(minute),
      );
      const [file] = (await spool.waiting()).files;
      await spool.refuse(file!, "2026-11-21T10:00:00.000Z", "too late [open-refused-stale]");
    }
    expect(await spool.names()).toEqual([]);
    const refused = join(spool.folder, "refused");
    expect(files(refused)).toEqual([
      "20261121T092200000Z-main-open-00000002.json",
      "20261121T092300000Z-main-open-00000003.json",
    ]);
    expect(readFileSync(join(refused, files(refused)[0]!), "utf8")).toContain(
      "too late [open-refused-stale]",
    );
  });
});

describe("files that are no events", () => {
  it.each([
    ["garbage", "\u0000\u0001"],
    ["half a file", '{"format": 1, "spooledAt": "2026'],
    ["another format", JSON.stringify({ ...entry(), format: 2 })],
    [
      "a drain, which must not be late",
      JSON.stringify({ ...entry(), event: { ...entry().event, kind: "drain" } }),
    ],
  ])("%s is moved aside and told", async (_what, text) => {
    const spool = new Spool(temporaryFolder(), 10);
    await spool.add(entry(), id(1));
    const name = "20261121T091900000Z-main-open-0000beef.json";
    writeFileSync(join(spool.folder, name), text);
    const { files: waiting, unreadable } = await spool.waiting();
    expect(waiting).toHaveLength(1);
    expect(unreadable).toMatchObject([{ name, moved: true }]);
    expect(files(join(spool.folder, "unreadable"))).toEqual([name]);
    expect(typeof readEntry(text)).toBe("string");
  });

  it("what the disk does not give back is kept where it is: it may be an event", async () => {
    const spool = new Spool(temporaryFolder(), 10);
    await spool.add(entry(), id(1));
    const name = "20261121T091900000Z-main-open-0000beef.json";
    // Nobody is refused a file for being root, but Node reads none of this size.
    writeFileSync(join(spool.folder, name), "");
    truncateSync(join(spool.folder, name), 3 * 2 ** 30);
    const { files: waiting, unreadable } = await spool.waiting();
    expect(waiting).toHaveLength(1);
    expect(unreadable).toMatchObject([{ name, moved: false, problem: expect.stringContaining("GiB") }]);
    expect(await spool.names()).toHaveLength(2);
  });

  it("other people's files, half-written ones and the lock are left alone", async () => {
    const spool = new Spool(temporaryFolder(), 10);
    const others = [".tmp-20261121T091900000Z-main-open-0000beef.json", "README", "lock"];
    for (const name of others) writeFileSync(join(spool.folder, name), "x");
    expect(await spool.waiting()).toEqual({ files: [], unreadable: [] });
    expect(files(spool.folder)).toEqual(others.sort());
  });

  it("what is no plain file is left alone: a pipe would be waited for, for ever", async () => {
    const spool = new Spool(temporaryFolder(), 10);
    execFileSync("mkfifo", [join(spool.folder, "20261121T091900000Z-main-open-0000beef.json")]);
    mkdirSync(join(spool.folder, "20261121T091900000Z-main-open-0000cafe.json"));
    expect(await spool.waiting()).toEqual({ files: [], unreadable: [] });
  });

  it("a folder that is not there holds nothing", async () => {
    expect(await new Spool("/nonexistent/spool", 10).waiting()).toEqual({ files: [], unreadable: [] });
  });
});

describe("the spool's lock", () => {
  it("is one process's at a time", async () => {
    const folder = temporaryFolder();
    const world = new FakeWorld();
    const lock = await lockSpool(folder, 0, world);
    expect(await lockSpool(folder, 1000, world)).toBeUndefined();
    expect(world.elapsedMs).toBeLessThan(1200);
    await lock?.release();
    expect(await lockSpool(folder, 0, world)).toBeDefined();
  });

  it("of a process that died is left to whoever takes it over first", async () => {
    const folder = temporaryFolder();
    const world = new FakeWorld();
    const lock = join(folder, "lock");
    writeFileSync(lock, "4242");
    world.isAlive = (pid) => {
      if (pid !== 4242) return true;
      // Between the look and the taking, another process has seen the same.
      writeFileSync(lock, "4243");
      return false;
    };
    expect(await lockSpool(folder, 0, world)).toBeUndefined();
    expect(files(folder)).toEqual(["lock"]);
    expect(readFileSync(lock, "utf8")).toBe("4243");
  });

  it("of a process that died is taken over", async () => {
    const folder = temporaryFolder();
    const world = new FakeWorld();
    writeFileSync(join(folder, "lock"), "4242");
    world.dead.add(4242);
    const lock = await lockSpool(folder, 0, world);
    expect(readFileSync(join(folder, "lock"), "utf8")).toBe(String(process.pid));
    await lock?.release();
    expect(files(folder)).toEqual([]);
  });

  it("that nobody can still hold is taken over", async () => {
    const folder = temporaryFolder();
    const world = new FakeWorld();
    writeFileSync(join(folder, "lock"), "4242");
    const hourAgo = new Date(world.wallMs - 3_600_000);
    utimesSync(join(folder, "lock"), hourAgo, hourAgo);
    expect(await lockSpool(folder, 0, world)).toBeDefined();
  });

  it("is done without where the disk lets nobody make one", async () => {
    expect(await lockSpool("/nonexistent/spool", 0, new FakeWorld())).toBeDefined();
  });
});
