import * as z from "zod";
import { describe, expect, it } from "vitest";
import { acknowledgementSchema, readAcknowledgement } from "../../packages/contract/src/acknowledgement.js";
import { acknowledgementKey, clusterKeys, historyKey } from "../../packages/contract/src/keys.js";
import { readMembers } from "../../packages/contract/src/members.js";
import { readRecord, recordSchema } from "../../packages/contract/src/record.js";
import { bare, codeBlocks, readText, section, tableRows } from "./markdown.js";

const text = readText("docs/record.md");
const fieldsOf = (heading: string) => tableRows(section(text, heading)).map(([name]) => bare(name));
const example = (heading: string) => codeBlocks(section(text, heading), "json")[0] ?? "";
const names = (schema: z.ZodType) =>
  Object.keys((z.toJSONSchema(schema, { io: "input" }) as { properties: object }).properties);

describe("docs/record.md", () => {
  it("lists the keys", () => {
    const keys = clusterKeys("primacy/", "<cluster>");
    const digits = historyKey(keys, 42).slice(keys.historyFolder.length);
    expect(digits).toHaveLength(12);
    expect(tableRows(text).map(([key]) => bare(key))).toEqual([
      keys.master,
      keys.layout,
      keys.members,
      historyKey(keys, 42).replace(digits, "<generation>"),
      acknowledgementKey(keys, "<proxy>"),
    ]);
  });

  it("lists the fields of the record and shows a valid one, with every field", () => {
    expect(fieldsOf("## The record")).toEqual(names(recordSchema));
    const record = readRecord(example("## The record"));
    expect(record).toMatchObject({ kind: "valid" });
    expect(Object.keys(JSON.parse(example("## The record")) as object)).toEqual(names(recordSchema));
  });

  it("lists the fields of an acknowledgement and shows a valid one, with every field", () => {
    expect(fieldsOf("## An acknowledgement")).toEqual(names(acknowledgementSchema));
    const shown = example("## An acknowledgement");
    expect(readAcknowledgement(shown)).toMatchObject({ kind: "valid" });
    expect(Object.keys(JSON.parse(shown) as object)).toEqual(names(acknowledgementSchema));
  });

  it("shows valid members", () => {
    expect(readMembers(example("## Members"))).toMatchObject({ kind: "valid" });
  });
});
