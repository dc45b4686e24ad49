import * as z from "zod";
import { type Document, type DocumentKind, documentText, readDocument } from "./document.js";
import { serverFields, serverSchema } from "./server.js";

export const MEMBERS_FORMAT = 1;

const instant = z.iso.datetime({ precision: 3 });

/** A replication thread as it was seen: `connecting` is every state between running and stopped, `none` means it has none. */
export const threadSchema = z.enum(["running", "stopped", "connecting", "none"]);
export type ReplicationThread = z.infer<typeof threadSchema>;

/** How Orchestrator saw one server. Every field is a fact that was seen; null is "not known". */
export const memberSchema = z
  .object({
    ...serverFields,
    /** Was its last check by Orchestrator valid and recent? */
    reachable: z.boolean(),
    readOnly: z.boolean().nullable(),
    /** Are its IO and SQL threads both running? */
    replicating: z.boolean(),
    ioThread: threadSchema.nullable().default(null),
    sqlThread: threadSchema.nullable().default(null),
    replicatesFrom: serverSchema.nullable(),
    /** Does its chain of sources lead to `members.master`, each link replicating? Null where the chain is not known. */
    followsMaster: z.boolean().nullable().default(null),
    /**
     * Since when it has been seen read-only and replicating from `members.master`, directly or through others, without
     * a break; null while it isn't.
     */
    followsMasterSince: instant.nullable(),
    /** Seconds behind; null where unknown (a broken replica's lag is NULL, not 0). */
    lagSeconds: z.number().min(0).nullable(),
    downtime: z
      .object({ reason: z.string().max(1000), endsAt: instant.nullable() })
      .readonly()
      .nullable(),
    /** GTIDs that it has and its master doesn't, where Orchestrator says so. */
    errantGtid: z.string().max(1000).nullable().default(null),
    /** Is it one that the layout doesn't name, found by Orchestrator? */
    discovered: z.boolean().default(false),
    /** When Orchestrator last got an answer from it; null where it is reachable. */
    lastSeenAt: instant.nullable().default(null),
  })
  .readonly();
export type Member = z.infer<typeof memberSchema>;

/** How Orchestrator sees the servers of a cluster. Written by the agent when what it means has changed. */
export const membersSchema = z
  .object({
    format: z.literal(MEMBERS_FORMAT),
    cluster: z.string().min(1).max(64),
    /** The master that the servers were judged against: for another master these judgements do not hold. */
    master: serverSchema,
    observedAt: instant,
    observedBy: z.string().max(253),
    servers: z.array(memberSchema).max(1024).readonly(),
    /** Servers that had been discovered and have left: they serve no reads. */
    removed: z.array(serverSchema).max(256).default([]).readonly(),
    /** Why the servers are as they were last judged, and since when: Orchestrator is away, or not to be believed. */
    held: z
      .object({ since: instant, rule: z.string().max(64), reason: z.string().max(1000) })
      .readonly()
      .nullable()
      .default(null),
    /** In what Orchestrator and the record disagree, and since when. */
    disagreement: z
      .object({ since: instant, rule: z.string().max(64), reason: z.string().max(1000) })
      .readonly()
      .nullable()
      .default(null),
  })
  .readonly();
export type Members = z.infer<typeof membersSchema>;

const MEMBERS: DocumentKind<Members> = {
  what: "members document",
  format: MEMBERS_FORMAT,
  schema: membersSchema,
};

export function readMembers(text: string | null | undefined): Document<Members> {
  return readDocument(MEMBERS, text);
}

export function membersText(members: Members): string {
  return documentText(membersSchema.parse(members));
}
