import { describe, expect, it } from "vitest";
import type { Stray } from "../src/load/verdict.js";
import { judgeTakeover } from "../src/partitions/judge-takeover.js";

const FENCED_AT_MS = 1000;

function stray(id: number, atMs: number): Stray {
  return { id, atMs, executedBy: 1, foundOn: 1, why: "not on the master" };
}

describe("a takeover's verdict", () => {
  it("is that what the old master took after the fence was on the wrong master", () => {
    const strays = [stray(1, 1000), stray(2, 1001)];
    const verdict = judgeTakeover({ strays, lost: [], duplicates: [] }, FENCED_AT_MS);
    expect(verdict.onTheWrongMaster).toEqual([stray(2, 1001)]);
  });

  it("tells what replication lost before the fence from what the takeover lost", () => {
    const strays = [stray(1, 999), stray(2, 1001)];
    // The third is nowhere at all.
    const verdict = judgeTakeover({ strays, lost: [1, 2, 3], duplicates: [4] }, FENCED_AT_MS);
    expect(verdict).toMatchObject({ lostByReplication: [1], lost: [2, 3], duplicates: [4] });
  });
});
