import { createHash } from "node:crypto";
import fc from "fast-check";
import type { ClusterEvent, MasterRecord, Server, StoredRecord, WriteContext } from "../src/index.js";
import { recordText } from "../src/index.js";

export const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

/** A few servers: few enough that events meet the record's master often. */
export const SERVERS: readonly Server[] = ["a", "b", "c", "d"].map((host) => ({ host, port: 3306 }));
export const anyServer = fc.constantFrom(...SERVERS);

const BASE_MS = Date.parse("2026-11-21T09:00:00.000Z");

/** Seconds after the morning on which all of this happens, as an instant. */
export function at(seconds: number): string {
  return new Date(BASE_MS + seconds * 1000).toISOString();
}

/** Orchestrator's id of a recovery that began then. */
export function uid(seconds: number, hash = "f00d"): string {
  return `${BigInt(BASE_MS + seconds * 1000) * 1_000_000n}:${hash}`;
}

export const anyInstant = fc.integer({ min: 0, max: 60 }).map(at);

/** Words that stand in the `cause` of an event of one recovery, or of none. */
export function cause(recoveryUid: string): ClusterEvent["cause"] {
  return { kind: "dead-master", failureType: "DeadMaster", recoveryUid, command: "" };
}

/** Where an event comes from: a recovery that began at one of few moments, or nobody says. */
export const anyOrigin = fc
  .option(fc.integer({ min: 0, max: 60 }), { nil: null })
  .map((seconds) =>
    seconds === null
      ? { cause: cause(""), beganAt: null }
      : { cause: cause(uid(seconds)), beganAt: at(seconds) },
  );

/** What hooks can say. */
export const anyHookEvent: fc.Arbitrary<ClusterEvent> = fc.oneof(
  fc
    .tuple(anyServer, anyServer, anyOrigin)
    .map(([outgoing, successor, origin]): ClusterEvent => ({ kind: "open", outgoing, successor, ...origin })),
  fc.tuple(anyServer, fc.option(anyServer), anyOrigin).map(([outgoing, successor, origin]): ClusterEvent => ({
    kind: "drain",
    outgoing,
    successor,
    ...origin,
  })),
  fc
    .tuple(fc.constantFrom("fence", "abort"), anyServer, anyOrigin)
    .map(([kind, outgoing, origin]): ClusterEvent => ({ kind, outgoing, ...origin })),
);

/** What operators can say; the generation that they saw is one of those that are likely. */
export const anyOperatorEvent: fc.Arbitrary<ClusterEvent> = fc
  .tuple(
    fc.constantFrom("set", "readmit", "bootstrap"),
    anyServer,
    fc.integer({ min: 1, max: 12 }),
    anyOrigin,
  )
  .map(([kind, server, seenGeneration, origin]): ClusterEvent => {
    if (kind === "set") return { kind, master: server, seenGeneration, ...origin };
    if (kind === "readmit") return { kind, server, seenGeneration, ...origin };
    return { kind: "bootstrap", master: server, ...origin };
  });

export const anyEvent = fc.oneof({ weight: 3, arbitrary: anyHookEvent }, anyOperatorEvent);

/** The context of a writer whose clock says so many seconds after the morning. */
export function context(seconds: number, writeId = `write-${seconds}-abcdef`): WriteContext {
  return {
    cluster: "main",
    now: at(seconds),
    writtenBy: "orc1",
    writeId,
    // Another one for each writer: whoever takes it where the record has one begins another history.
    newIncarnation: `incarnation-of-${writeId}`,
    drainSeconds: 10,
    fenceSeconds: 60,
    sha256,
  };
}

/** The record as it lies in Consul. */
export function stored(value: MasterRecord): StoredRecord {
  return { value, text: recordText(value) };
}

const FIRST: MasterRecord = {
  format: 1,
  cluster: "main",
  generation: 7,
  phase: "open",
  master: { host: "a", port: 3306 },
  previous: null,
  successor: null,
  quarantined: [],
  cause: { kind: "bootstrap", rule: "bootstrap-first-record", failureType: "", recoveryUid: "", command: "" },
  decidedAt: at(0),
  writtenAt: at(0),
  writtenBy: "orc1",
  writeId: "write-0-abcdef",
  deadline: null,
  incarnation: "incarnation-1",
  previousHash: `sha256:${"0".repeat(64)}`,
};

/** A record of generation 7 with master a, open since the morning, but for what `changes` says. */
export function record(changes: Partial<MasterRecord> = {}): MasterRecord {
  return { ...FIRST, ...changes };
}

/** Records of every phase, also such as no history leads to. */
export const anyRecord: fc.Arbitrary<MasterRecord> = fc
  .record({
    generation: fc.integer({ min: 1, max: 12 }),
    phase: fc.constantFrom("open", "draining", "fenced"),
    master: anyServer,
    previous: fc.option(anyServer),
    successor: fc.option(anyServer),
    quarantined: fc.uniqueArray(anyServer),
    decidedAt: anyInstant,
    origin: anyOrigin,
  })
  .map(({ origin, ...fields }) =>
    record({
      ...fields,
      cause: { ...origin.cause, rule: "open-new-master" },
      deadline: fields.phase === "open" ? null : at(100),
    }),
  );

/** Texts that are no document of ours: nothing, anything, JSON of anything, and documents with a piece broken out. */
export function garbage(valid: object): fc.Arbitrary<string> {
  const keys = Object.keys(valid);
  const broken = fc
    .tuple(
      fc.constantFrom(...keys),
      fc.oneof(fc.anything(), fc.constantFrom("", null, -1, 1.5, [], {}, "x".repeat(3000))),
    )
    .map(([key, value]) => JSON.stringify({ ...valid, [key]: value }));
  const cut = fc.nat().map((length) => {
    const text = JSON.stringify(valid);
    return text.slice(0, length % text.length);
  });
  return fc.oneof(fc.string(), fc.string({ unit: "binary" }), fc.json(), broken, cut);
}
