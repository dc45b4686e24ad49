import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Acknowledgement, acknowledgementText, readAcknowledgement } from "../src/index.js";
import { at, garbage } from "./arbitraries.js";

const acknowledgement: Acknowledgement = {
  format: 1,
  proxy: "proxysql1",
  cluster: "main",
  generation: 42,
  incarnation: "incarnation-1",
  phase: "open",
  state: "applied",
  appliedGeneration: 42,
  writers: [{ host: "b", port: 3306 }],
  connectionsInUse: 0,
  at: at(3),
  tookMs: 12.5,
  reason: null,
  watcher: "0.1.0",
};

describe("an acknowledgement", () => {
  it("is read as it was written", () => {
    const text = acknowledgementText(acknowledgement);
    expect(readAcknowledgement(text)).toEqual({ kind: "valid", value: acknowledgement, text });
  });

  it.each([
    ["proxy", ""],
    ["generation", -1],
    ["state", "done"],
    ["writers", null],
    ["connectionsInUse", -1],
    ["tookMs", -0.1],
    ["at", "now"],
    ["reason", "x".repeat(2001)],
  ])("with %s %j is unusable, and is not written", (field, value) => {
    const odd = { ...acknowledgement, [field]: value };
    expect(readAcknowledgement(JSON.stringify(odd))).toMatchObject({
      kind: "unusable",
      problem: expect.stringContaining(field) as string,
    });
    expect(() => acknowledgementText(odd as Acknowledgement)).toThrow(field);
  });

  it("is never made of garbage, and garbage never throws", () => {
    fc.assert(
      fc.property(garbage(acknowledgement), (text) => {
        const read = readAcknowledgement(text);
        if (read.kind !== "valid") expect(read.kind).toBe("unusable");
      }),
      { numRuns: 500 },
    );
  });
});
