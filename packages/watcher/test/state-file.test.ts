import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { StateFile } from "../src/state-file.js";

const mark = { generation: 7, incarnation: "incarnation-1", hash: "sha256:0" };
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
    await first.remember("main", mark);
    const second = await StateFile.open(join(directory, "new", "folder"), "proxy1");
    expect(second.mark("main")).toEqual(mark);
    expect(second.mark("shop")).toBeNull();
  });

  test("can be looked at without a trace", async () => {
    const nowhere = join(directory, "not", "there");
    expect((await StateFile.peek(nowhere, "proxy1")).mark("main")).toBeNull();
    expect(await readdir(directory)).toEqual([]);
    await (await StateFile.open(directory, "proxy1")).remember("main", mark);
    expect((await StateFile.peek(directory, "proxy1")).mark("main")).toEqual(mark);
    await writeFile(join(directory, "proxy1.json"), "{");
    expect((await StateFile.peek(directory, "proxy1")).problem).toContain("cannot be understood");
    expect(await readdir(directory)).toEqual(["proxy1.json"]);
  });

  test("leaves no temporary file behind", async () => {
    const file = await StateFile.open(directory, "proxy1");
    await file.remember("main", mark);
    expect(await readdir(directory)).toEqual(["proxy1.json"]);
  });

  test("leaves none behind either where the write fails, however often it is tried", async () => {
    const file = await StateFile.open(directory, "proxy1");
    await mkdir(file.path);
    await expect(file.remember("main", mark)).rejects.toThrow();
    await expect(file.remember("main", mark)).rejects.toThrow();
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
    await expect(file.remember("main", mark)).rejects.toThrow();
    expect(file.mark("main")).toEqual(mark);
    expect(file.hasOnDisk("main", mark)).toBe(false);
    await mkdir(directory);
    await file.remember("main", mark);
    expect(file.hasOnDisk("main", mark)).toBe(true);
    const after = await StateFile.open(directory, "proxy1");
    expect(after.hasOnDisk("main", mark)).toBe(true);
    expect(after.hasOnDisk("main", { ...mark, generation: 8 })).toBe(false);
  });
});
