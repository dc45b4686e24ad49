import { type SpoolableEvent, firstIssue, sameServer, spoolableEventSchema } from "@primacy/contract";
import * as z from "zod";

const FORMAT = 1;

const entrySchema = z
  .object({
    format: z.literal(FORMAT),
    /** When it was put on disk, ISO 8601 with milliseconds. */
    spooledAt: z.iso.datetime({ precision: 3 }),
    cluster: z.string().regex(/^[a-z0-9_-]{1,64}$/),
    /** The hook that brought it, for people. */
    hook: z.string().max(64),
    /** Why it could not be delivered at once, for people. */
    because: z.string().max(1000),
    event: spoolableEventSchema,
  })
  .readonly();

/** An event that waits on disk. Servers are named as Orchestrator names them. */
export type SpoolEntry = z.infer<typeof entrySchema>;

export function newEntry(entry: Omit<SpoolEntry, "format">): SpoolEntry {
  return { ...entry, format: FORMAT, because: entry.because.slice(0, 1000) };
}

export function entryText(entry: SpoolEntry): string {
  return `${JSON.stringify(entry, null, 2)}\n`;
}

/** Reads a spooled file's text; one sentence where it is none of ours. */
export function readEntry(text: string): SpoolEntry | string {
  try {
    const parsed = entrySchema.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : firstIssue(parsed.error);
  } catch {
    return "it is not JSON";
  }
}

/** The event as it is delivered: where nobody said when it began, it began no later than it was spooled. */
export function spooledEvent(entry: SpoolEntry): SpoolableEvent {
  return { ...entry.event, beganAt: entry.event.beganAt ?? entry.spooledAt };
}

const FILE_NAME = /^(\d{8}T\d{9}Z)-([a-z0-9_-]{1,64})-(?:open|abort)-[0-9a-f]{8}\.json$/;

export function isEntryName(name: string): boolean {
  return FILE_NAME.test(name);
}

/** Whose event is in the file of this name? */
export function entryNameCluster(name: string): string | undefined {
  return FILE_NAME.exec(name)?.[2];
}

/**
 * A file name that sorts behind every name in `existing`, also when the clock was set back in between: the order of
 * names is the order of delivery.
 */
export function entryName(entry: SpoolEntry, existing: readonly string[], id: string): string {
  const stamps = existing.map((name) => FILE_NAME.exec(name)?.[1] ?? "").sort();
  const newest = stamps.at(-1) ?? "";
  const own = stamp(Date.parse(entry.spooledAt));
  const chosen = own > newest ? own : stamp(instantOf(newest) + 1);
  return `${chosen}-${entry.cluster}-${entry.event.kind}-${id.slice(0, 8)}.json`;
}

/**
 * Is it the same event of the same recovery? One takeover calls several hooks that mean the same. Without a recovery's
 * id only the cluster's newest entry can be meant: A→B may well have happened twice, with B→A in between.
 */
export function isSpooledAlready(entry: SpoolEntry, waiting: readonly SpoolEntry[]): boolean {
  const uid = entry.event.cause.recoveryUid;
  const ofCluster = waiting.filter((one) => one.cluster === entry.cluster);
  if (uid === "") {
    const newest = ofCluster.at(-1);
    return newest !== undefined && sameStatement(newest.event, entry.event);
  }
  return ofCluster.some((one) => one.event.kind === entry.event.kind && one.event.cause.recoveryUid === uid);
}

function sameStatement(a: SpoolableEvent, b: SpoolableEvent): boolean {
  const successors =
    a.kind === "open" && b.kind === "open" ? sameServer(a.successor, b.successor) : a.kind === b.kind;
  return successors && sameServer(a.outgoing, b.outgoing) && a.cause.recoveryUid === b.cause.recoveryUid;
}

function stamp(ms: number): string {
  return new Date(ms).toISOString().replace(/[-:.]/g, "");
}

function instantOf(text: string): number {
  return Date.parse(
    text.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})Z$/, "$1-$2-$3T$4:$5:$6.$7Z"),
  );
}
