import { clusterKeys, recordText } from "@primacy/contract";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { clusterSnapshot, generationOfKey, itemText } from "../src/documents.js";
import { layout, record } from "./support/documents.js";

const keys = clusterKeys("primacy/", "main");
const item = (key: string, value: string | null, modifyIndex = 5) => ({
  key,
  value,
  modifyIndex,
  session: null,
});
const base64 = (text: string): string => Buffer.from(text).toString("base64");

describe("the text of a key", () => {
  it("is what was stored, whatever it is", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        expect(itemText(item("k", base64(text)))).toEqual({ text });
      }),
    );
  });

  it("is empty for Consul's null: something is there", () => {
    expect(itemText(item("k", null))).toEqual({ text: "" });
  });

  it.each([
    ["e30", "base64"],
    ["e3 0=", "base64"],
    ["====", "base64"],
    ["e30=e30=", "base64"],
    ["/w==", "UTF-8"],
    ["7aCA", "UTF-8"],
  ])("is unusable for %j (%s)", (value, problem) => {
    expect(itemText(item("k", value))).toMatchObject({
      kind: "unusable",
      problem: expect.stringContaining(problem) as string,
    });
  });
});

describe("a cluster's snapshot", () => {
  const snapshot = (items: ReturnType<typeof item>[]) =>
    clusterSnapshot(
      keys,
      "main",
      { items, index: 9, missing: items.length === 0, filteredByAcls: false },
      { sentAtMs: 1, address: "a" },
    );

  it("takes each document from its own key only", () => {
    const text = recordText(record("main", 1));
    const seen = snapshot([
      item(`${keys.folder}other`, base64(text)),
      item(keys.layout, base64(JSON.stringify(layout("main"))), 6),
      item(`${keys.master}/deeper`, base64(text)),
    ]);
    expect(seen).toMatchObject({
      record: { kind: "absent" },
      recordText: null,
      recordIndex: 0,
      layout: { kind: "valid" },
      layoutIndex: 6,
      folderEmpty: false,
    });
  });

  it("takes a document whose cluster is written with capitals, and none of another cluster", () => {
    const of = (name: string) =>
      snapshot([item(keys.master, base64(recordText(record(name, 1))))]).record.kind;
    expect([of("Main"), of("main2")]).toEqual(["valid", "unusable"]);
  });

  it("never throws and never calls garbage absent", () => {
    const garbage = fc.oneof(fc.string(), fc.base64String(), fc.json().map(base64), fc.constant(null));
    fc.assert(
      fc.property(garbage, garbage, garbage, (a, b, c) => {
        const seen = snapshot([item(keys.master, a), item(keys.layout, b), item(keys.members, c)]);
        expect([seen.record.kind, seen.layout.kind, seen.members.kind]).toEqual(Array(3).fill("unusable"));
      }),
    );
  });
});

it("a history key ends in a generation of twelve digits", () => {
  const folder = keys.historyFolder;
  expect(generationOfKey(folder, `${folder}000000000042`)).toBe(42);
  for (const other of ["42", "00000000004x", "000000000042/", "0000000000042"]) {
    expect(generationOfKey(folder, `${folder}${other}`)).toBeUndefined();
  }
  expect(generationOfKey(folder, "elsewhere/main/000000000042")).toBeUndefined();
});
