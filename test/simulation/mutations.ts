import { plan } from "../../packages/watcher/src/plan.js";
import type { PassDecision } from "../../packages/watcher/src/decide.js";
import type { Step } from "../../packages/watcher/src/plan.js";
import { REAL_RULES, type Rules, type Steps } from "./rules.js";

/** A guard that is taken away. Some seed must notice. */
export interface Mutation {
  readonly name: string;
  readonly rules: Rules;
  /** The promise that must be seen broken; undefined: any. */
  readonly breaks?: string;
}

const real = REAL_RULES;

function without(name: string, steps: Partial<Steps>): Mutation {
  return { name, rules: { ...real, steps: { ...real.steps, ...steps } } };
}

function instead(name: string, rules: Partial<Rules>): Mutation {
  return { name, rules: { ...real, ...rules } };
}

type Decide = Rules["decide"];

/** The real decision, with its plan made over. */
function replanned(
  change: (
    decision: Extract<PassDecision, { kind: "apply" }>,
    facts: Parameters<Decide>[1],
  ) => readonly Step[],
): Decide {
  return (documents, facts, marks, now) => {
    const decision = real.decide(documents, facts, marks, now);
    if (decision.kind !== "apply") return decision;
    return { ...decision, plan: { ...decision.plan, steps: change(decision, facts) } };
  };
}

/** The new master in by one statement, the old one out by the next. */
function inBeforeOut(
  steps: readonly Step[],
  before: Parameters<Decide>[1]["layers"]["memory"],
): readonly Step[] {
  return steps.flatMap((step): readonly Step[] => {
    if (step.kind !== "update") return [step];
    const rows = step.rows.map((row) => {
      const was = before.find((one) => one.host === row.host)?.status;
      return row.status === "ONLINE" || was === undefined ? row : { ...row, status: was };
    });
    return [{ ...step, rows }, step];
  });
}

const never = Number.POSITIVE_INFINITY;

export const MUTATIONS: readonly Mutation[] = [
  without("Consul does not compare the index that the writer saw", { comparesIndexes: false }),
  without("a write without an answer is taken for done", { looksAfterTimeOut: false }),
  instead("an event that is older than the record is not stale", {
    transition: (current, event, context) => real.transition(current, { ...event, beganAt: null }, context),
  }),
  instead("an abort goes back to the generation before", {
    transition: (current, event, context) => {
      const decision = real.transition(current, event, context);
      if (decision.kind !== "write" || event.kind !== "abort") return decision;
      return { ...decision, record: { ...decision.record, generation: decision.record.generation - 2 } };
    },
  }),
  instead("nothing ends an overdue drain or fence", {
    decideRecord: (view, record, layout, context) => {
      const decision = real.decideRecord(view, record, layout, context);
      return decision.rule === "deadline-aborts" || decision.rule === "replay-recovery"
        ? { ...decision, event: null }
        : decision;
    },
  }),
  without("Primacy opens a master without another look at the record", { looksBeforeOpening: false }),
  without("nobody waits for the barrier", { waitsForBarrier: false }),
  instead("the barrier does not wait for proxies that are silent", {
    barrier: (question, roster, nowMs) => {
      const seen = real.barrier(question, roster, nowMs);
      return seen.kind === "reached" ? seen : { ...seen, kind: "reached", by: "lease" };
    },
  }),
  instead("the barrier counts a proxy that fails", {
    barrier: (question, roster, nowMs) =>
      real.barrier(
        question,
        roster === null
          ? null
          : {
              ...roster,
              acknowledgements: roster.acknowledgements.filter(
                ({ document }) => document.kind !== "valid" || document.value.state !== "failing",
              ),
            },
        nowMs,
      ),
  }),
  instead("the barrier waits half a lease for silent proxies", {
    barrier: (question, roster, nowMs) => {
      const seen = real.barrier(question, roster, nowMs);
      const half = (question.leaseSeconds ?? never) * 500;
      if (seen.kind === "reached" || nowMs - question.committedAtMs < half) return seen;
      return { ...seen, kind: "reached", by: "lease" };
    },
  }),
  instead("a proxy takes any generation", {
    decide: (documents, facts, _marks, now) => real.decide(documents, facts, [], now),
  }),
  without("a mark is kept only once its record is applied, and not on the ProxySQL", {
    remembersFirst: false,
    stamps: false,
  }),
  without("a mark is not stamped on the ProxySQL", { stamps: false }),
  instead("the new master is in before the old one is out", {
    decide: replanned((decision, facts) => inBeforeOut(decision.plan.steps, facts.layers.memory)),
  }),
  instead("rows are inserted ONLINE", {
    decide: replanned((decision) =>
      decision.plan.steps.map((step) =>
        step.kind === "insert" ? { ...step, row: { ...step.row, status: "ONLINE" as const } } : step,
      ),
    ),
  }),
  instead("a master comes back over old connections", {
    decide: (documents, facts, marks, now) => real.decide(documents, { ...facts, inUse: [] }, marks, now),
  }),
  instead("a drain has no end on the proxies", { drainLeftMs: () => never }),
  without("a LOAD that said OK is believed", { verifies: false }),
  instead("a pass that failed is acknowledged as applied", {
    acknowledgementOf: (outcome, context) => {
      const said = real.acknowledgementOf(outcome, context);
      return said?.state === "failing" ? { ...said, state: "applied", reason: null } : said;
    },
  }),
  // With a limit to its age alone, a pass goes on for a second at most.
  instead("a pass goes on after a later record was read, however long ago it began", {
    tooLate: (_, nowMs, now) =>
      real.tooLate({ atMs: nowMs, fences: now.fences }, nowMs, { ...now, superseded: false }),
  }),
  {
    // Either of the two is enough: what was read before a fence is older than a lease, and so is the deadline.
    name: "a pass goes on with what it read before a fence, and its statement carries no deadline",
    breaks: "no transaction lives again",
    rules: {
      ...real,
      tooLate: (_, nowMs, now) => real.tooLate({ atMs: nowMs, fences: now.fences }, nowMs, now),
      steps: { ...real.steps, statementsCarryDeadline: false },
    },
  },
  instead("the lease never ends", {
    lease: (policy, facts, nowMs) => {
      const now = real.lease(policy, facts, nowMs);
      return now.kind === "not-asked-for" ? now : { kind: "held", untilMs: nowMs + 60_000 };
    },
  }),
  instead("the lease does not ask for a session", {
    lease: (policy, facts, nowMs) =>
      real.lease(policy, { ...facts, renewedSentAtMs: nowMs, presentSinceMs: 0 }, nowMs),
  }),
  instead("the lease does not ask for a read since the acknowledgement lay in Consul", {
    lease: (policy, facts, nowMs) =>
      real.lease(policy, { ...facts, presentSinceMs: facts.presentSinceMs === null ? null : 0 }, nowMs),
  }),
  instead("the lease does not ask for a read", {
    lease: (policy, facts, nowMs) => real.lease(policy, { ...facts, readSentAtMs: nowMs }, nowMs),
  }),
  without("a read counts from its answer, not from its sending", { countsFromSending: false }),
  without("a lease stands still while its machine is frozen", { countsSleep: false }),
  without("reads of a later record renew the lease of what is in force", { leasePerRecord: false }),
  instead("nothing is asked again before a statement lets writes through, and it carries no deadline", {
    tooLate: () => null,
    steps: { ...real.steps, statementsCarryDeadline: false },
  }),
  without("statements that let writes through carry no deadline", { statementsCarryDeadline: false }),
  without("nothing fences when the lease ends but a pass", { deadMansSwitch: false }),
  without("there is no guard", { guard: false }),
  instead("the guard trusts a lease that ends later than any can", {
    hostgroupsToFence: (entries, underLease, nowSeconds) =>
      real.hostgroupsToFence(
        entries.map((one) => ({ ...one, leaseSeconds: 1e6 })),
        underLease,
        nowSeconds,
      ),
  }),
  instead("the disk keeps its writer under a lease", {
    decide: replanned(({ wanted }, facts) => plan({ ...wanted, lease: null }, facts.layers, true).steps),
  }),
  without("a watcher that is stopped gives its session up under a lease", { leavesSession: false }),
];
