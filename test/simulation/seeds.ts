import { RULE_IDS, type RuleId } from "@primacy/contract";
import { expect, test } from "vitest";
import { commandFor } from "./command/one.js";
import { run } from "./run.js";
import { FAULTS } from "./scenario.js";

/** So many at once: a test that fails says at which seeds, and which of the promises. */
const CHUNK = 1000;
/** More would only repeat each other. */
const MOST_TOLD = 5;

/** What has occurred in the runs of this file. */
const seen = new Set<string>();

/** One test for each thousand seeds: with the rules as they are, every promise holds after every step. */
export function promisesHold(from: number, count: number): void {
  for (let first = from; first < from + count; first += CHUNK) {
    const last = Math.min(first + CHUNK, from + count) - 1;
    test(`seeds ${String(first)} to ${String(last)}`, () => {
      expect(brokenIn(first, last)).toEqual([]);
    });
  }
}

function brokenIn(first: number, last: number): readonly string[] {
  const broken: string[] = [];
  for (let seed = first; seed <= last && broken.length < MOST_TOLD; seed++) {
    const result = run(seed);
    for (const what of result.seen.keys()) seen.add(what);
    if (result.violation !== null) {
      broken.push(`${result.violation.message}: ${commandFor(seed, null)} --steps`);
    }
  }
  return broken;
}

/**
 * These need a cluster without a record, a drain that somebody kept for later, an event that no hook makes, or two
 * operators in the same millisecond.
 */
const CANNOT_OCCUR: ReadonlySet<RuleId> = new Set<RuleId>([
  "bootstrap-first-record",
  "bootstrap-again",
  "bootstrap-refused-record-exists",
  "no-record",
  "same-server",
  "drain-refused-stale",
  "operator-readmits-already",
  "operator-refused-generation-moved",
]);

const MUST_OCCUR: readonly string[] = [
  ...FAULTS.map((kind) => `fault ${kind}`),
  ...RULE_IDS.filter((id) => !CANNOT_OCCUR.has(id)).map((id) => `rule ${id}`),
  "phase open",
  "phase draining",
  "phase fenced",
  "acknowledgement applied",
  "acknowledgement draining",
  "acknowledgement drained",
  "acknowledgement refused",
  "acknowledgement failing",
  "pass applied",
  "pass withheld",
  "pass refused",
  "pass SUPERSEDED",
  "pass LEASE_LOST",
  "pass OUTDATED",
  "pass PROXYSQL_UNREACHABLE",
  "pass PROXYSQL_NOT_VERIFIED",
  "barrier reached by acknowledgements",
  "barrier reached by lease",
  "barrier given-up",
  "agent deadline-aborts",
  "agent deadline-shouts",
  "agent recovery-running",
  "agent replay-recovery",
  "request lost",
  "answer lost",
  "write that arrives late",
  "stale answer",
  "lost race",
  "session has run out",
  "session is given up",
  "process dies",
  "process goes on after a stop",
  "machine freezes",
  "clock set forward",
  "clock set back",
  "proxysql crashes",
  "foreign LOAD",
  "LOAD ignored",
  "fence at the end of a lease",
  "guard fence",
  "guard load",
  "sessions killed",
  "statement after its deadline",
  "takeover called off",
  "opened under a fence",
  "opened unfenced",
];

/** A fault that never comes, or a rule that is never asked, would prove nothing. Of the runs before in this file. */
export function everythingOccurs(): void {
  test("every kind of fault, record, acknowledgement and rule has occurred", () => {
    expect(MUST_OCCUR.filter((what) => !seen.has(what))).toEqual([]);
  });
}
