import * as z from "zod";
import { causeKindSchema, oldMasterProofSchema } from "./record.js";
import { serverSchema } from "./server.js";

const instant = z.iso.datetime({ precision: 3 });

/** Where an event comes from, and since when it has been under way. */
const origin = {
  cause: z
    .object({
      kind: causeKindSchema,
      failureType: z.string().max(200),
      recoveryUid: z.string().max(200),
      command: z.string().max(200),
    })
    .readonly(),
  /** When the recovery or decision behind the event began; null where nobody said: then it is about now. */
  beganAt: instant.nullable(),
} as const;

export const openEventSchema = z.object({
  kind: z.literal("open"),
  outgoing: serverSchema,
  successor: serverSchema,
  /** What was proved on the outgoing master before this. */
  oldMaster: oldMasterProofSchema.optional(),
  ...origin,
});
export const abortEventSchema = z.object({ kind: z.literal("abort"), outgoing: serverSchema, ...origin });

/** The events that may be kept on disk for later: `drain` and `fence` are about now, and late they would be wrong. */
export const spoolableEventSchema = z.discriminatedUnion("kind", [openEventSchema, abortEventSchema]);
export type SpoolableEvent = z.infer<typeof spoolableEventSchema>;

const drainEventSchema = z.object({
  kind: z.literal("drain"),
  outgoing: serverSchema,
  successor: serverSchema.nullable(),
  ...origin,
});
const fenceEventSchema = z.object({ kind: z.literal("fence"), outgoing: serverSchema, ...origin });

/** What Orchestrator's hooks can say. */
export const hookEventSchema = z.discriminatedUnion("kind", [
  openEventSchema,
  abortEventSchema,
  drainEventSchema,
  fenceEventSchema,
]);
export type HookEvent = z.infer<typeof hookEventSchema>;

const bootstrapEventSchema = z.object({ kind: z.literal("bootstrap"), master: serverSchema, ...origin });
const setEventSchema = z.object({
  kind: z.literal("set"),
  master: serverSchema,
  /** The generation that the operator saw when deciding. */
  seenGeneration: z.int().min(1),
  ...origin,
});
const readmitEventSchema = z.object({
  kind: z.literal("readmit"),
  /** The former master that leaves quarantine. */
  server: serverSchema,
  seenGeneration: z.int().min(1),
  ...origin,
});

/** Everything that can change a record. */
export const eventSchema = z.discriminatedUnion("kind", [
  openEventSchema,
  abortEventSchema,
  drainEventSchema,
  fenceEventSchema,
  bootstrapEventSchema,
  setEventSchema,
  readmitEventSchema,
]);
export type ClusterEvent = z.infer<typeof eventSchema>;
export type EventOf<K extends ClusterEvent["kind"]> = Extract<ClusterEvent, { kind: K }>;

/** `unix nanoseconds:hash` (Orchestrator 3.2.6, util/token.go PrettyUniqueToken) as an instant; null for anything else. */
export function recoveryBeganAt(recoveryUid: string): string | null {
  const digits = /^(\d{16,19}):/.exec(recoveryUid)?.[1];
  if (digits === undefined) return null;
  return new Date(Number(BigInt(digits) / 1_000_000n)).toISOString();
}
