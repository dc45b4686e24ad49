import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { StateFile } from "../src/state-file.js";

const mark = { generation: 7, incarnation: "incarnation-1", hash: "sha256:0" };
const hostgroups = { writer: 10, reader: null };
let directory = "";

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "primacy-state-"));
});
afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

describe("the watcher's memory", () => {
  test("outlives the watcher", async () => {
    const first = await StateFile.open(join(directory, "new", "folder"), "proxy1");
    await first.remember("main", mark, hostgroups);
    const second = await StateFile.open(join(directory, "new", "folder"), "proxy1");
    expect(second.mark("main")).toEqual(mark);
    expect(second.mark("shop")).toBeNull();
    expect(second.hostgroupsOf(["main", "shop"])).toEqual([["main", hostgroups]]);
    expect(second.hostgroupsOf(["shop"])).toEqual([]);
    expect(second.hasOnDisk("main", mark, { writer: 10, reader: 20 })).toBe(false);
  });

  test("of a watcher that did not remember hostgroups is understood, and an operator's word leaves them", async () => {
    await writeFile(join(directory, "proxy1.json"), JSON.stringify({ format: 1, marks: { main: mark } }));
    const old = await StateFile.open(directory, "proxy1");
    expect(old.mark("main")).toEqual(mark);
    expect(old.hasOnDisk("main", mark, hostgroups)).toBe(false);
    await old.remember("main", mark, hostgroups);
    await old.remember("main", { ...mark, generation: 8 });
    expect((await StateFile.open(directory, "proxy1")).hostgroupsOf(["main"])).toEqual([
      ["main", hostgroups],
    ]);
  });

  test("can be looked at without a trace", async () => {
    const nowhere = join(directory, "not", "there");
    expect((await StateFile.peek(nowhere, "proxy1")).mark("main")).toBeNull();
    expect(await readdir(directory)).toEqual([]);
    await (await StateFile.open(directory, "proxy1")).remember("main", mark, hostgroups);
    expect((await StateFile.peek(directory, "proxy1")).mark("main")).toEqual(mark);
    await writeFile(join(directory, "proxy1.json"), "{");
    expect((await StateFile.peek(directory, "proxy1")).problem).toContain("cannot be understood");
    expect(await readdir(directory)).toEqual(["proxy1.json"]);
  });

  test("leaves no temporary file behind", async () => {
    const file = await StateFile.open(directory, "proxy1");
    await file.remember("main", mark, hostgroups);
    expect(await readdir(directory)).toEqual(["proxy1.json"]);
  });

  test("leaves none behind either where the write fails, however often it is tried", async () => {
    const file = await StateFile.open(directory, "proxy1");
    await mkdir(file.path);
    await expect(file.remember("main", mark, hostgroups)).rejects.toThrow();
    await expect(file.remember("main", mark, hostgroups)).rejects.toThrow();
    expect(await readdir(directory)).toEqual(["proxy1.json"]);
  });

  test.each(["", "{", '{"format":2,"marks":{}}', '{"format":1,"marks":{"main":{"generation":0}}}'])(
    "that can't be understood (%s) is kept aside and said",
    async (garbage) => {
      await writeFile(join(directory, "proxy1.json"), garbage);
      const file = await StateFile.open(directory, "proxy1");
      expect(file.problem).toContain("was moved to");
      expect(file.mark("main")).toBeNull();
      const aside = (await readdir(directory)).find((name) => name.includes("unreadable"));
      expect(await readFile(join(directory, aside ?? ""), "utf8")).toBe(garbage);
    },
  );

  test("holds within the process where the disk takes nothing, and knows that it is not on disk", async () => {
    const file = await StateFile.open(directory, "proxy1");
    await rm(directory, { recursive: true });
    await expect(file.remember("main", mark, hostgroups)).rejects.toThrow();
    expect(file.mark("main")).toEqual(mark);
    expect(file.hasOnDisk("main", mark, hostgroups)).toBe(false);
    await mkdir(directory);
    await file.remember("main", mark, hostgroups);
    expect(file.hasOnDisk("main", mark, hostgroups)).toBe(true);
    const after = await StateFile.open(directory, "proxy1");
    expect(after.hasOnDisk("main", mark, hostgroups)).toBe(true);
    expect(after.hasOnDisk("main", { ...mark, generation: 8 }, hostgroups)).toBe(false);
  });
});
