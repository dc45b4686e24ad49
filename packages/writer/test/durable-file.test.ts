import { existsSync, readFileSync } from "node:fs";
import type * as FileSystem from "node:fs/promises";
import { join } from "node:path";
import { expect, it, vi } from "vitest";
import { writeDurably } from "../src/spool/durable-file.js";
import { removeFoldersAfterEach, temporaryFolder } from "./fakes.js";

const synced = vi.hoisted((): string[] => []);

/** The file system as it is, and a list of what was synced. */
vi.mock("node:fs/promises", async (importActual) => {
  const real = await importActual<typeof FileSystem>();
  const open: typeof real.open = async (path, ...how) => {
    const handle = await real.open(path, ...how);
    const sync = handle.sync.bind(handle);
    handle.sync = async () => {
      synced.push(String(path));
      await sync();
    };
    return handle;
  };
  return { ...real, open };
});

removeFoldersAfterEach();

it("a file outlives a power cut, and so do the folders that were made for it", async () => {
  const there = temporaryFolder();
  const folder = join(there, "lib", "spool");
  await writeDurably(folder, "one.json", "text");
  expect(readFileSync(join(folder, "one.json"), "utf8")).toBe("text");
  expect(synced).toEqual([join(folder, ".tmp-one.json"), folder, join(there, "lib"), there]);

  synced.length = 0;
  await writeDurably(folder, "two.json", "text");
  expect(existsSync(join(folder, "two.json"))).toBe(true);
  expect(synced).toEqual([join(folder, ".tmp-two.json"), folder]);
});
