import * as z from "zod";
import { type Document, type DocumentKind, documentText, readDocument } from "./document.js";
import { serverSchema } from "./server.js";

export const RECORD_FORMAT = 1;

/** How many former masters a record names at most. */
export const MAX_QUARANTINED = 64;

/**
 * - `open`: the master takes writes.
 * - `draining`: the master takes no new sessions and may finish what it has.
 * - `fenced`: nobody takes writes.
 */
export const phaseSchema = z.enum(["open", "draining", "fenced"]);
export type Phase = z.infer<typeof phaseSchema>;

/** Why the record says what it says. */
export const causeKindSchema = z.enum([
  "bootstrap",
  "operator",
  "graceful-takeover",
  "dead-master",
  "forced-takeover",
  "failover-failed",
  "deadline",
  "repair",
]);
export type CauseKind = z.infer<typeof causeKindSchema>;

export const causeSchema = z
  .object({
    kind: causeKindSchema,
    /** The rule of `transition` that made this record. */
    rule: z.string().max(64),
    /** Orchestrator's analysis, such as `DeadMaster`; empty where there was none. */
    failureType: z.string().max(200),
    /** Orchestrator's `<unix nanoseconds>:<hash>`; empty where there was none. */
    recoveryUid: z.string().max(200),
    /** Orchestrator's command, such as `graceful-master-takeover`; empty for a real failure. */
    command: z.string().max(200),
  })
  .readonly();
export type Cause = z.infer<typeof causeSchema>;

/** What the writer proved on the old master itself, where it could reach it, before a new one opened. */
export const oldMasterProofSchema = z
  .object({
    /** It took no more writes: read_only, and super_read_only where there is such a thing. */
    readOnly: z.boolean(),
    /** Client connections that were killed there. */
    killed: z.int().min(0),
    /** Client connections that were left and could have written. */
    left: z.int().min(0),
    /** Had the successor executed all that the old master had? Null: there was nobody to ask. */
    caughtUp: z.boolean().nullable(),
    /** Milliseconds. */
    tookMs: z.number().min(0),
  })
  .readonly();
export type OldMasterProof = z.infer<typeof oldMasterProofSchema>;

const instant = z.iso.datetime({ precision: 3 });
export const hashSchema = z.string().regex(/^sha256:[0-9a-f]{64}$/);

/**
 * The record: who the master of a cluster is. One document, one key, one compare-and-set.
 *
 * While `draining` or `fenced`, `master` is the outgoing master. Unknown fields are ignored, so that a field can be
 * added; whatever changes the meaning of a known one raises `format`.
 */
export const recordSchema = z
  .object({
    format: z.literal(RECORD_FORMAT),
    cluster: z.string().min(1).max(64),
    generation: z.int().min(1),
    phase: phaseSchema,
    master: serverSchema,
    previous: serverSchema.nullable(),
    /** While draining: who is to follow, where Orchestrator has said so. */
    successor: serverSchema.nullable(),
    /**
     * Former masters that nobody has let back in. Every proxy must know all of them, also one that starts today:
     * `previous` alone forgets the one before the last.
     */
    quarantined: z.array(serverSchema).max(MAX_QUARANTINED).readonly(),
    cause: causeSchema,
    /** Left out where nobody was on the old master: so records of before this field are the same texts. */
    oldMaster: oldMasterProofSchema.optional(),
    /**
     * When the newest recovery or operator's decision that is accounted for here began. It goes back only by an
     * operator's `set`; an event that began earlier is stale. (The recovery's own clock: the digits before the colon of
     * `recoveryUid`.)
     */
    decidedAt: instant,
    writtenAt: instant,
    writtenBy: z.string().max(253),
    /** Made anew for each attempt to write: tells a writer whose write timed out whether it was applied. */
    writeId: z.string().min(8).max(64),
    /** Set while draining or fenced: past it, whoever reconciles must end the phase. */
    deadline: instant.nullable(),
    /** Made once, at bootstrap: another one means another history. */
    incarnation: z.string().min(8).max(64),
    /** Hash of the text of the record before; null for the first. */
    previousHash: hashSchema.nullable(),
  })
  .readonly();
export type MasterRecord = z.infer<typeof recordSchema>;

const RECORD: DocumentKind<MasterRecord> = { what: "record", format: RECORD_FORMAT, schema: recordSchema };

export function readRecord(text: string | null | undefined): Document<MasterRecord> {
  return readDocument(RECORD, text);
}

/** The canonical text: fields in the order of the schema whatever order they had, so that equal records are equal texts. */
export function recordText(record: MasterRecord): string {
  return documentText(recordSchema.parse(record));
}

/** Computes the SHA-256 of a text's UTF-8 bytes, in lower-case hex. Given by the caller: this package imports nothing. */
export type Sha256 = (text: string) => string;

/** The link of the chain: the hash of the very text that lies in Consul. */
export function recordHash(text: string, sha256: Sha256): string {
  return `sha256:${sha256(text)}`;
}
