import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type MasterRecord, type OldMasterProof, oldMasterProofSchema } from "@primacy/contract";
import * as z from "zod";
import { writeDurably } from "../spool/durable-file.js";

/**
 * What a Pre hook did on the old master, kept on this machine's disk for the hook that ends the phase: Orchestrator runs
 * all hooks of a recovery on one machine, and each is a process of its own.
 */
const evidenceSchema = z.object({
  incarnation: z.string(),
  /** Of the drain or fence during which it was done. */
  generation: z.int(),
  /** The old master took writes before we came: whoever calls the takeover off gives them back. */
  wasWritable: z.boolean(),
  proof: oldMasterProofSchema,
});
export type Evidence = z.infer<typeof evidenceSchema>;

/** In the spool's folder, below it: what waits there is not confused with it. */
function folderIn(spoolFolder: string): string {
  return join(spoolFolder, "old-master");
}

/** @throws the file system's error */
export async function keepEvidence(
  spoolFolder: string,
  record: MasterRecord,
  found: Pick<Evidence, "wasWritable" | "proof">,
): Promise<void> {
  const before = await readEvidence(spoolFolder, record);
  const evidence: Evidence = {
    incarnation: record.incarnation,
    generation: record.generation,
    wasWritable: found.wasWritable || before?.wasWritable === true,
    proof: addProofs(before?.proof, found.proof),
  };
  await writeDurably(folderIn(spoolFolder), record.cluster, JSON.stringify(evidence));
}

/** A drain's and its fence's are one: what was killed counts together, and how it is now is how it was seen last. */
function addProofs(before: OldMasterProof | undefined, now: OldMasterProof): OldMasterProof {
  if (before === undefined) return now;
  return {
    ...now,
    killed: before.killed + now.killed,
    caughtUp: now.caughtUp ?? (now.killed === 0 ? before.caughtUp : null),
    tookMs: before.tookMs + now.tookMs,
  };
}

/**
 * What was done during the phase that `record` is in, or the one right before it; older evidence is of another takeover.
 * Unreadable is as good as none.
 */
export async function readEvidence(spoolFolder: string, record: MasterRecord): Promise<Evidence | undefined> {
  let text: string;
  try {
    text = await readFile(join(folderIn(spoolFolder), record.cluster), "utf8");
  } catch {
    return undefined;
  }
  const evidence = parseEvidence(text);
  if (evidence === undefined || record.phase === "open") return undefined;
  const age = record.generation - evidence.generation;
  const ofThisPhase = age === 0 || (age === 1 && record.phase === "fenced");
  return evidence.incarnation === record.incarnation && ofThisPhase ? evidence : undefined;
}

function parseEvidence(text: string): Evidence | undefined {
  try {
    const parsed = evidenceSchema.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}
