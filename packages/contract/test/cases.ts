import type { ClusterEvent, MasterRecord, RuleId } from "../src/index.js";
import { at, cause, record, uid } from "./arbitraries.js";

export const A = { host: "a", port: 3306 };
export const B = { host: "b", port: 3306 };
export const C = { host: "c", port: 3306 };

/** An event of the recovery that began then; `null` where nobody says when. */
const origin = (seconds: number | null) =>
  seconds === null
    ? { cause: cause(""), beganAt: null }
    : { cause: cause(uid(seconds)), beganAt: at(seconds) };
export const open = (outgoing = A, successor = B, began: number | null = 20): ClusterEvent => ({
  kind: "open",
  outgoing,
  successor,
  ...origin(began),
});
const drain = (outgoing = A, successor: typeof B | null = B, began: number | null = null): ClusterEvent => ({
  kind: "drain",
  outgoing,
  successor,
  ...origin(began),
});
export const fence = (outgoing = A, began: number | null = 20): ClusterEvent => ({
  kind: "fence",
  outgoing,
  ...origin(began),
});
const abort = (outgoing = A, began: number | null = 20): ClusterEvent => ({
  kind: "abort",
  outgoing,
  ...origin(began),
});
const set = (master = B, seenGeneration = 7): ClusterEvent => ({
  kind: "set",
  master,
  seenGeneration,
  ...origin(null),
});
const readmit = (server = C, seenGeneration = 7): ClusterEvent => ({
  kind: "readmit",
  server,
  seenGeneration,
  ...origin(null),
});
const bootstrap = (master = A): ClusterEvent => ({ kind: "bootstrap", master, ...origin(null) });

/** One way in which a rule is reached, at thirty seconds after the morning. */
export interface Case {
  rule: RuleId;
  what: string;
  current: MasterRecord | null;
  event: ClusterEvent;
  /** What is written; or what kind of decision it is otherwise. */
  expected: Partial<MasterRecord> | "nothing" | "stale" | "contradictory" | "no-record";
}

const draining = record({ phase: "draining", successor: B, deadline: at(40) });
/** Fenced by the recovery that began at 20. */
const fenced = record({
  phase: "fenced",
  deadline: at(90),
  decidedAt: at(20),
  cause: { ...cause(uid(20)), rule: "fence-begins" },
});
const decidedLater = record({ decidedAt: at(25) });

/** Every rule at least once. */
export const CASES: readonly Case[] = [
  {
    rule: "bootstrap-first-record",
    what: "the first record",
    current: null,
    event: bootstrap(),
    expected: {
      generation: 1,
      phase: "open",
      master: A,
      previous: null,
      quarantined: [],
      decidedAt: at(30),
      incarnation: "incarnation-of-write-30-abcdef",
      previousHash: null,
    },
  },
  {
    rule: "bootstrap-again",
    what: "the same twice",
    current: record({ generation: 1 }),
    event: bootstrap(),
    expected: "nothing",
  },
  {
    rule: "bootstrap-refused-record-exists",
    what: "another master",
    current: record({ generation: 1 }),
    event: bootstrap(B),
    expected: "contradictory",
  },
  {
    rule: "bootstrap-refused-record-exists",
    what: "the same master, later in its history",
    current: record(),
    event: bootstrap(),
    expected: "contradictory",
  },
  {
    rule: "no-record",
    what: "a hook before the bootstrap",
    current: null,
    event: open(),
    expected: "no-record",
  },
  {
    rule: "no-record",
    what: "an operator before the bootstrap",
    current: null,
    event: set(),
    expected: "no-record",
  },
  {
    rule: "same-server",
    what: "a server after itself",
    current: record(),
    event: open(A, A),
    expected: "contradictory",
  },
  {
    rule: "same-server",
    what: "a drain for itself",
    current: record(),
    event: drain(A, A),
    expected: "contradictory",
  },
  {
    rule: "open-new-master",
    what: "from open",
    current: record(),
    event: open(),
    expected: { phase: "open", master: B, previous: A, quarantined: [A], decidedAt: at(20), deadline: null },
  },
  {
    rule: "open-new-master",
    what: "from draining",
    current: draining,
    event: open(),
    expected: { phase: "open", master: B, previous: A, successor: null, deadline: null },
  },
  {
    rule: "open-new-master",
    what: "from fenced, by the recovery that fenced",
    current: fenced,
    event: open(),
    expected: { phase: "open", master: B, previous: A, deadline: null, decidedAt: at(20) },
  },
  {
    rule: "open-new-master",
    what: "by a recovery whose fence was ended by its deadline",
    current: record({ decidedAt: at(20), cause: { ...cause(uid(20)), rule: "abort-reopens" } }),
    event: open(),
    expected: { phase: "open", master: B },
  },
  {
    rule: "open-new-master",
    what: "nobody says when it began: now",
    current: record(),
    event: open(A, B, null),
    expected: { decidedAt: at(30) },
  },
  {
    rule: "open-new-master",
    what: "a former master comes back as the master and leaves quarantine",
    current: record({ quarantined: [C, B], previous: B }),
    event: open(A, B),
    expected: { quarantined: [C, A] },
  },
  {
    rule: "open-already",
    what: "the second hook of a takeover",
    current: record({ master: B, decidedAt: at(20) }),
    event: open(),
    expected: "nothing",
  },
  {
    rule: "open-already",
    what: "however late",
    current: record({ master: B, decidedAt: at(25) }),
    event: open(),
    expected: "nothing",
  },
  {
    rule: "open-refused-stale",
    what: "after A, B, A: B follows A, late",
    current: decidedLater,
    event: open(),
    expected: "stale",
  },
  {
    rule: "open-refused-stale",
    what: "also while the master drains",
    current: record({ ...decidedLater, phase: "draining", deadline: at(40) }),
    event: open(),
    expected: "stale",
  },
  {
    rule: "open-refused-contradictory",
    what: "from a master that it isn't",
    current: record(),
    event: open(C, B),
    expected: "contradictory",
  },
  {
    rule: "open-refused-contradictory",
    what: "to the master that is fenced",
    current: record({ ...fenced, master: B }),
    event: open(A, B, 21),
    expected: "contradictory",
  },
  {
    rule: "drain-begins",
    what: "a planned takeover",
    current: record(),
    event: drain(),
    expected: { phase: "draining", master: A, successor: B, deadline: at(40), decidedAt: at(0) },
  },
  {
    rule: "drain-begins",
    what: "to nobody known",
    current: record(),
    event: drain(A, null),
    expected: { successor: null },
  },
  { rule: "drain-already", what: "twice", current: draining, event: drain(), expected: "nothing" },
  {
    rule: "drain-refused-stale",
    what: "a recovery that is over",
    current: decidedLater,
    event: drain(A, B, 20),
    expected: "stale",
  },
  {
    rule: "drain-refused-contradictory",
    what: "another server",
    current: record(),
    event: drain(C, B),
    expected: "contradictory",
  },
  {
    rule: "drain-refused-contradictory",
    what: "a fenced master",
    current: fenced,
    event: drain(),
    expected: "contradictory",
  },
  {
    rule: "fence-begins",
    what: "a failover",
    current: record(),
    event: fence(),
    expected: { phase: "fenced", master: A, deadline: at(90), decidedAt: at(20) },
  },
  {
    rule: "fence-begins",
    what: "after a drain, whose successor stays known",
    current: draining,
    event: fence(),
    expected: { phase: "fenced", successor: B, deadline: at(90) },
  },
  { rule: "fence-already", what: "twice", current: fenced, event: fence(), expected: "nothing" },
  {
    rule: "fence-refused-stale",
    what: "an earlier recovery",
    current: decidedLater,
    event: fence(),
    expected: "stale",
  },
  {
    rule: "fence-refused-stale",
    what: "its own recovery has ended",
    current: record({ decidedAt: at(20), cause: { ...cause(uid(20)), rule: "abort-reopens" } }),
    event: fence(),
    expected: "stale",
  },
  {
    rule: "fence-refused-stale",
    what: "its own recovery has ended, and something else was written since",
    current: record({ decidedAt: at(20), cause: { ...cause(""), rule: "operator-readmits" } }),
    event: fence(),
    expected: "stale",
  },
  {
    rule: "fence-refused-stale",
    what: "its own recovery has ended, and the master drains for another takeover",
    current: record({ ...draining, decidedAt: at(20) }),
    event: fence(),
    expected: "stale",
  },
  {
    rule: "fence-refused-contradictory",
    what: "another server",
    current: record(),
    event: fence(C),
    expected: "contradictory",
  },
  {
    rule: "abort-reopens",
    what: "a fence",
    current: fenced,
    event: abort(),
    expected: { phase: "open", master: A, deadline: null },
  },
  {
    rule: "abort-reopens",
    what: "a drain",
    current: draining,
    event: abort(),
    expected: { phase: "open", master: A, successor: null, decidedAt: at(20) },
  },
  {
    rule: "abort-reopens",
    what: "a drain whose deadline has passed, in its own name",
    current: draining,
    event: {
      kind: "abort",
      outgoing: A,
      cause: { ...cause(""), kind: "deadline" },
      beganAt: draining.decidedAt,
    },
    expected: { phase: "open", master: A, decidedAt: draining.decidedAt },
  },
  {
    rule: "abort-already",
    what: "twice",
    current: record({ decidedAt: at(20) }),
    event: abort(),
    expected: "nothing",
  },
  {
    rule: "abort-refused-stale",
    what: "an earlier recovery",
    current: record({ ...fenced, decidedAt: at(25) }),
    event: abort(),
    expected: "stale",
  },
  {
    rule: "abort-refused-stale",
    what: "a recovery that has ended, while the master drains for another takeover",
    current: record({ ...draining, decidedAt: at(20) }),
    event: abort(),
    expected: "stale",
  },
  {
    rule: "abort-refused-contradictory",
    what: "of the recovery that has a new master",
    current: record({ master: B, decidedAt: at(20), cause: { ...cause(uid(20)), rule: "open-new-master" } }),
    event: abort(),
    expected: "contradictory",
  },
  {
    rule: "abort-refused-contradictory",
    what: "another server",
    current: fenced,
    event: abort(C),
    expected: "contradictory",
  },
  {
    rule: "operator-set",
    what: "another master",
    current: record(),
    event: set(),
    expected: { phase: "open", master: B, previous: A, quarantined: [A], decidedAt: at(30) },
  },
  {
    rule: "operator-set",
    what: "the same master, out of a fence",
    current: fenced,
    event: set(A),
    expected: { phase: "open", master: A, previous: null, quarantined: [], deadline: null },
  },
  {
    rule: "operator-readmits",
    what: "a former master",
    current: record({ quarantined: [B, C] }),
    event: readmit(),
    expected: { phase: "open", master: A, quarantined: [B], decidedAt: at(0) },
  },
  {
    rule: "operator-readmits-already",
    what: "one that is not quarantined",
    current: record(),
    event: readmit(),
    expected: "nothing",
  },
  {
    rule: "operator-refused-generation-moved",
    what: "set",
    current: record(),
    event: set(B, 6),
    expected: "stale",
  },
  {
    rule: "operator-refused-generation-moved",
    what: "readmit",
    current: record({ quarantined: [C] }),
    event: readmit(C, 8),
    expected: "stale",
  },
  {
    rule: "operator-refused-contradictory",
    what: "while a failover is under way",
    current: record({ ...fenced, quarantined: [C] }),
    event: readmit(),
    expected: "contradictory",
  },
];
