import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as z from "zod";
import { type Document, documentText, MAX_DOCUMENT_CHARACTERS, readDocument } from "../src/document.js";

const KIND = { what: "thing", format: 2, schema: z.object({ format: z.literal(2), name: z.string() }) };

function problem(text: string): string {
  const read: Document<unknown> = readDocument(KIND, text);
  if (read.kind !== "unusable") throw new Error(`${read.kind}: ${text.slice(0, 100)}`);
  return read.problem;
}

describe("a document", () => {
  it("is valid with its very text", () => {
    const text = '{"name":"a", "format":2, "more": [1]}';
    expect(readDocument(KIND, text)).toEqual({ kind: "valid", value: { format: 2, name: "a" }, text });
  });

  it("is absent where there is none, and unusable where there is nothing in it", () => {
    expect(readDocument(KIND, null)).toEqual({ kind: "absent" });
    expect(readDocument(KIND, undefined)).toEqual({ kind: "absent" });
    expect(problem("")).toBe("the thing is not JSON");
  });

  it.each([
    ["<html><body>502 Bad Gateway</body></html>", /not JSON/],
    ['{"format":2,"name":"a"', /not JSON/],
    ["null", /no "format"/],
    ["[]", /no "format"/],
    ['"text"', /no "format"/],
    ["{}", /no "format"/],
    ['{"name":7}', /no "format"/],
    ['{"format":3,"name":7}', /has format 3; this version reads format 2/],
    ['{"format":"2","name":"a"}', /has format "2"/],
    ['{"format":{"a":1}}', /has a format that is no number/],
    ['{"format":[2]}', /has a format that is no number/],
    ['{"format":2,"name":7}', /malformed: name:/],
    ['{"__proto__":{"format":2,"name":"a"}}', /no "format"/],
  ])("%s says what is wrong", (text, expected) => {
    expect(problem(text)).toMatch(expected);
  });

  it("is looked at by its format before anything else", () => {
    expect(problem(JSON.stringify({ format: 99, name: {} }))).toMatch(/format 99/);
  });

  it("is not read at all when it is too long", () => {
    const long = JSON.stringify({ format: 2, name: "x".repeat(MAX_DOCUMENT_CHARACTERS) });
    expect(problem(long)).toMatch(/characters long/);
  });

  it("may be nested as deep as it fits, and is garbage then", () => {
    const deep = (key: string) =>
      `{"format":2,"name":"a","${key}":${"[".repeat(100_000)}${"]".repeat(100_000)}}`;
    expect(readDocument(KIND, deep("other")).kind).toBe("valid");
    expect(readDocument(KIND, deep("name")).kind).toBe("unusable");
    expect(readDocument(KIND, deep("format")).kind).toBe("unusable");
  });

  it("never makes a problem that floods a log or carries control characters", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 2000 }), (text) => {
        for (const json of [{ format: text }, { format: 2, name: [text] }, { [text]: 1 }]) {
          const said = problem(JSON.stringify(json));
          expect(said.length).toBeLessThan(600);
          // eslint-disable-next-line no-control-regex
          expect(said).not.toMatch(/[\u0000-\u001f]/);
        }
      }),
    );
    expect(problem(JSON.stringify({ format: "x".repeat(100_000) })).length).toBeLessThan(600);
  });

  it("never throws, whatever the text", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.json()), (text) => {
        expect(["valid", "absent", "unusable"]).toContain(readDocument(KIND, text).kind);
      }),
    );
  });

  it("is written for people: two spaces", () => {
    expect(documentText({ a: [1] })).toBe('{\n  "a": [\n    1\n  ]\n}');
  });
});
