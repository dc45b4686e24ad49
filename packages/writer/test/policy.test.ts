import { describe, expect, it } from "vitest";
import { knownPolicy } from "../src/phases/policy.js";
import { removeFoldersAfterEach, temporaryFolder } from "./fakes.js";

removeFoldersAfterEach();

describe("what a failed Pre hook does, where the layout can't be read", () => {
  it("is what the layout said when it was last read, cluster by cluster", async () => {
    const folder = temporaryFolder();
    expect(await knownPolicy(folder, "main", undefined)).toBeUndefined();
    expect(await knownPolicy(folder, "main", true)).toBe(true);
    expect(await knownPolicy(folder, "main", undefined)).toBe(true);
    expect(await knownPolicy(folder, "other", undefined)).toBeUndefined();
    expect(await knownPolicy(folder, "main", false)).toBe(false);
    expect(await knownPolicy(folder, "main", undefined)).toBeUndefined();
  });

  it("a folder that can't be one is no reason to fail", async () => {
    expect(await knownPolicy("/dev/null", "main", true)).toBe(true);
    expect(await knownPolicy("/dev/null", "main", undefined)).toBeUndefined();
  });
});
