import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { MasterRecord } from "@primacy/contract";
import { describe, expect, it } from "vitest";
import { keepEvidence, readEvidence } from "../src/phases/evidence.js";
import { removeFoldersAfterEach, temporaryFolder } from "./fakes.js";

removeFoldersAfterEach();

const record = (generation: number, phase: MasterRecord["phase"], incarnation = "33eaeba8") =>
  ({ cluster: "main", generation, phase, incarnation }) as MasterRecord;
const proof = (more: Record<string, unknown> = {}) => ({
  readOnly: true,
  killed: 3,
  left: 0,
  caughtUp: true as boolean | null,
  tookMs: 100,
  ...more,
});

describe("what was done on the old master, kept for the next hook", () => {
  it("a drain's and its fence's are one", async () => {
    const folder = temporaryFolder();
    await keepEvidence(folder, record(2, "draining"), { wasWritable: true, proof: proof() });
    const second = proof({ killed: 1, tookMs: 20, caughtUp: null });
    await keepEvidence(folder, record(3, "fenced"), { wasWritable: false, proof: second });
    expect(await readEvidence(folder, record(3, "fenced"))).toMatchObject({
      wasWritable: true,
      proof: { killed: 4, tookMs: 120, caughtUp: null, left: 0 },
    });
  });

  it("who has caught up and then nobody wrote has still caught up", async () => {
    const folder = temporaryFolder();
    await keepEvidence(folder, record(2, "draining"), { wasWritable: true, proof: proof() });
    const second = proof({ killed: 0, caughtUp: null });
    await keepEvidence(folder, record(3, "fenced"), { wasWritable: false, proof: second });
    expect((await readEvidence(folder, record(3, "fenced")))?.proof.caughtUp).toBe(true);
  });

  it.each([
    ["another takeover's", record(6, "fenced")],
    ["one from before the drain", record(3, "draining")],
    ["another history's", record(2, "draining", "another")],
    ["an open record's", record(2, "open")],
  ])("is not taken for %s", async (_whose, later) => {
    const folder = temporaryFolder();
    await keepEvidence(folder, record(2, "draining"), { wasWritable: true, proof: proof() });
    expect(await readEvidence(folder, later)).toBeUndefined();
  });

  it("that is damaged, or not there, is none", async () => {
    const folder = temporaryFolder();
    expect(await readEvidence(folder, record(2, "draining"))).toBeUndefined();
    await keepEvidence(folder, record(2, "draining"), { wasWritable: true, proof: proof() });
    const file = join(folder, "old-master", "main");
    writeFileSync(file, readFileSync(file, "utf8").slice(0, 40));
    expect(await readEvidence(folder, record(2, "draining"))).toBeUndefined();
  });
});
