import type * as z from "zod";
import { printable } from "./server.js";

/**
 * What was found under a key. Absent, unreadable and unusable all mean "hold what you have", never "remove servers".
 *
 * - `valid`: the document, and the very text that was stored (hashes are of that text).
 * - `absent`: no such key (or a token that may not see it: Consul answers 404 for a denied prefix, 1.8.7).
 * - `unusable`: there is something, and it can't be relied on; `problem` is one sentence.
 */
export type Document<T> =
  | { readonly kind: "valid"; readonly value: T; readonly text: string }
  | { readonly kind: "absent" }
  | { readonly kind: "unusable"; readonly problem: string };

export const ABSENT = { kind: "absent" } as const;

/** Values above this size are not read as documents of ours (Consul's own limit is 512 KiB). */
export const MAX_DOCUMENT_CHARACTERS = 256 * 1024;

/** What stands in a document and is told in a problem is cut to this. */
const MAX_PROBLEM_CHARACTERS = 300;

/** How a document of one kind is read: what it is called in messages, the format known, and its schema. */
export interface DocumentKind<T> {
  readonly what: string;
  readonly format: number;
  readonly schema: z.ZodType<T>;
}

/** Reads a stored text. Never throws: garbage becomes `unusable`. The format is looked at before anything else. */
export function readDocument<T>(kind: DocumentKind<T>, text: string | null | undefined): Document<T> {
  if (text === null || text === undefined) return ABSENT;
  if (text.length > MAX_DOCUMENT_CHARACTERS) {
    return unusable(`the ${kind.what} is ${String(text.length)} characters long`);
  }
  const json = parseJson(text);
  if (json === undefined) return unusable(`the ${kind.what} is not JSON`);
  const format = formatOf(json);
  if (format === undefined) return unusable(`the ${kind.what} has no "format"`);
  if (format !== kind.format) {
    return unusable(
      `the ${kind.what} has ${formatText(format)}; this version reads format ${String(kind.format)}`,
    );
  }
  const parsed = kind.schema.safeParse(json);
  if (!parsed.success) return unusable(`the ${kind.what} is malformed: ${firstIssue(parsed.error)}`);
  return { kind: "valid", value: parsed.data, text };
}

/** The one text of a document: two spaces of indentation, because operators read it with `consul kv get`. */
export function documentText(value: unknown): string {
  return JSON.stringify(value, null, 2);
}

/** The first thing that is wrong, as `path: message`. */
export function firstIssue(error: z.ZodError): string {
  const issue = error.issues[0];
  if (issue === undefined) return "unknown";
  const path = issue.path.map(String).join(".");
  return printable(path === "" ? issue.message : `${path}: ${issue.message}`, MAX_PROBLEM_CHARACTERS);
}

/** Only what is short and flat is shown: a list nested deep enough ends JSON.stringify with a RangeError. */
function formatText(format: unknown): string {
  if (typeof format === "number") return `format ${String(format)}`;
  if (typeof format === "string") return `format "${printable(format)}"`;
  return "a format that is no number";
}

function unusable(problem: string): { readonly kind: "unusable"; readonly problem: string } {
  return { kind: "unusable", problem };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function formatOf(json: unknown): unknown {
  if (typeof json !== "object" || json === null || Array.isArray(json)) return undefined;
  return (json as { format?: unknown }).format;
}
