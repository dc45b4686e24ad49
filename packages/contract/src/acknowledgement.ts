import * as z from "zod";
import { type Document, type DocumentKind, documentText, readDocument } from "./document.js";
import { phaseSchema } from "./record.js";
import { serverSchema } from "./server.js";

export const ACKNOWLEDGEMENT_FORMAT = 1;

/**
 * - `applied`: the runtime shows the layout of this generation.
 * - `draining`: applied, and connections to a server that must have none are still in use.
 * - `drained`: applied, and none is left.
 * - `refused`: the record was refused (lower generation, same generation with other contents, other incarnation).
 * - `failing`: the record is wanted and could not be applied or verified yet.
 */
export const acknowledgementStateSchema = z.enum(["applied", "draining", "drained", "refused", "failing"]);
export type AcknowledgementState = z.infer<typeof acknowledgementStateSchema>;

/** What one watcher says of one ProxySQL and one cluster. Gone when the watcher's Consul session is gone. */
export const acknowledgementSchema = z
  .object({
    format: z.literal(ACKNOWLEDGEMENT_FORMAT),
    proxy: z.string().min(1).max(64),
    cluster: z.string().min(1).max(64),
    /** Generation and incarnation of the record that `state` speaks of. */
    generation: z.int().min(0),
    incarnation: z.string().max(64),
    phase: phaseSchema,
    state: acknowledgementStateSchema,
    /** The highest generation that this ProxySQL has had; 0 before the first. */
    appliedGeneration: z.int().min(0),
    /** The ONLINE servers seen in the writer hostgroup of the runtime: one, or none. */
    writers: z.array(serverSchema).max(64).readonly(),
    /** Connections in use on servers of the writer hostgroup that must have none. */
    connectionsInUse: z.int().min(0),
    at: z.iso.datetime({ precision: 3 }),
    /** From the moment the record was seen to the verified runtime. Milliseconds; null where nothing was applied. */
    tookMs: z.number().min(0).nullable(),
    /** Why not, where the state is not `applied` or `drained`. */
    reason: z.string().max(2000).nullable(),
    watcher: z.string().max(64),
  })
  .readonly();
export type Acknowledgement = z.infer<typeof acknowledgementSchema>;

const ACKNOWLEDGEMENT: DocumentKind<Acknowledgement> = {
  what: "acknowledgement",
  format: ACKNOWLEDGEMENT_FORMAT,
  schema: acknowledgementSchema,
};

export function readAcknowledgement(text: string | null | undefined): Document<Acknowledgement> {
  return readDocument(ACKNOWLEDGEMENT, text);
}

export function acknowledgementText(acknowledgement: Acknowledgement): string {
  return documentText(acknowledgementSchema.parse(acknowledgement));
}
