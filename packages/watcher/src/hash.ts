import { createHash } from "node:crypto";
import { recordHash } from "@primacy/contract";

/** The hash of a stored record's text, as the next record's `previousHash` has it. */
export function hashOfText(text: string): string {
  return recordHash(text, (one) => createHash("sha256").update(one).digest("hex"));
}
