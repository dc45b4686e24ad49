import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readRecord, recordHash, recordText } from "../src/index.js";
import { recordSchema } from "../src/record.js";
import { anyRecord, garbage, record, sha256 } from "./arbitraries.js";

function shuffled(value: object, seed: number): object {
  const entries = Object.entries(value).map(([key, one]): [string, unknown] => [
    key,
    typeof one === "object" && one !== null && !Array.isArray(one) ? shuffled(one, seed) : one,
  ]);
  return Object.fromEntries(
    entries.sort(([a], [b]) => (sha256(`${seed}${a}`) < sha256(`${seed}${b}`) ? -1 : 1)),
  );
}

describe("the record's text", () => {
  it("is read as it was written", () => {
    fc.assert(
      fc.property(anyRecord, (one) => {
        const text = recordText(one);
        expect(readRecord(text)).toEqual({ kind: "valid", value: one, text });
      }),
    );
  });

  it("is the same whatever order its fields had and whatever else was there", () => {
    fc.assert(
      fc.property(
        anyRecord,
        fc.nat(),
        fc.dictionary(fc.stringMatching(/^x[a-z]{1,5}$/), fc.jsonValue()),
        (one, seed, more) => {
          const other = JSON.stringify(
            shuffled({ ...one, ...more, master: { ...one.master, ...more } }, seed),
          );
          const read = readRecord(other);
          if (read.kind !== "valid") throw new Error(read.kind === "unusable" ? read.problem : "absent");
          expect(recordText(read.value)).toBe(recordText(one));
        },
      ),
    );
  });

  it("writes hosts in their one way", () => {
    const odd = { ...record(), master: { host: "DB2.Example.", port: 3306 } };
    expect(readRecord(JSON.stringify(odd))).toMatchObject({
      kind: "valid",
      value: { master: { host: "db2.example" } },
    });
  });

  it("is made of nothing that is no record", () => {
    expect(() => recordText({ ...record(), generation: 0 })).toThrow(/generation/);
    expect(() => recordText({ ...record(), master: { host: "db 1", port: 3306 } })).toThrow(/host/);
  });
});

describe("a record", () => {
  it.each([
    ["generation", 0],
    ["generation", 1.5],
    ["generation", "7"],
    ["generation", Number.MAX_SAFE_INTEGER + 1],
    ["phase", "closed"],
    ["phase", null],
    ["master", null],
    ["master", "db1:3306"],
    ["master", { host: "db1" }],
    ["master", { host: "db1", port: 0 }],
    ["master", { host: "{successorHost}", port: 3306 }],
    ["quarantined", {}],
    ["quarantined", [{ host: "", port: 1 }]],
    ["cause", { kind: "whim", rule: "", failureType: "", recoveryUid: "", command: "" }],
    ["decidedAt", "2026-11-21T09:00:00Z"],
    ["decidedAt", "2026-11-21 09:00:00.000"],
    ["decidedAt", "yesterday"],
    ["writtenAt", null],
    ["writeId", ""],
    ["incarnation", "short"],
    ["deadline", "soon"],
    ["previousHash", "sha256:abc"],
    ["previousHash", `sha256:${"G".repeat(64)}`],
    ["format", 2],
  ])("with %s %j is unusable", (field, value) => {
    const read = readRecord(JSON.stringify({ ...record(), [field]: value }));
    expect(read).toMatchObject({ kind: "unusable", problem: expect.stringContaining(field) as string });
  });

  it("lacks no field", () => {
    for (const field of Object.keys(record())) {
      const { [field]: _gone, ...rest } = record() as unknown as Record<string, unknown>;
      expect(readRecord(JSON.stringify(rest)).kind).toBe("unusable");
    }
  });

  it("is never made of garbage, and garbage never throws", () => {
    fc.assert(
      fc.property(garbage(record()), (text) => {
        const read = readRecord(text);
        if (read.kind === "valid") expect(recordSchema.safeParse(JSON.parse(text)).success).toBe(true);
        else expect(read.kind).toBe("unusable");
      }),
      { numRuns: 500 },
    );
  });
});

describe("the link to the record before", () => {
  it("is the hash of the very bytes that lay there", () => {
    const text = recordText(record());
    expect(recordHash(text, sha256)).toBe(`sha256:${sha256(text)}`);
    expect(recordHash(`${text}\n`, sha256)).not.toBe(recordHash(text, sha256));
  });
});
