import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type ClusterEvent, formatServer, sameServer, type Server } from "../src/index.js";
import { anyServer, at, cause, SERVERS, uid } from "./arbitraries.js";
import { History } from "./history.js";

/** What really happened: one recovery after another, by whichever Orchestrator led then. */
interface Recovery {
  /** Seconds after the morning. */
  began: number;
  planned: boolean;
  outgoing: Server;
  /** Null: nobody could be promoted. */
  successor: Server | null;
}

/** Hooks under way: which recovery they are of, and the events that they bring, in the order in which they were called. */
interface Hook {
  recovery: number;
  event: ClusterEvent;
}

const [FIRST] = SERVERS as [Server];

/** A sequence of recoveries: masters follow each other, and some recoveries fail. */
const anyTruth: fc.Arbitrary<Recovery[]> = fc
  .array(
    fc.record({
      to: anyServer,
      planned: fc.boolean(),
      fails: fc.boolean(),
      gap: fc.integer({ min: 1, max: 9 }),
    }),
    {
      minLength: 1,
      maxLength: 8,
      size: "max",
    },
  )
  .map((steps) => {
    let master = FIRST;
    let began = 100;
    return steps.map(({ to, planned, fails, gap }): Recovery => {
      began += gap;
      const outgoing = master;
      const successor = fails || sameServer(to, outgoing) ? null : to;
      master = successor ?? master;
      return { began, planned, outgoing, successor };
    });
  });

/** The hooks of one recovery: up to five bring the same opening. */
function hooksOf(recovery: Recovery, index: number): Hook[] {
  const { began, planned, outgoing, successor } = recovery;
  const hash = String(index).padStart(8, "0");
  const own = { outgoing, cause: cause(uid(began, hash)), beganAt: at(began) };
  const pre: ClusterEvent[] = planned
    ? [{ kind: "drain", outgoing, successor, cause: cause(""), beganAt: null }]
    : [];
  const post: ClusterEvent[] =
    successor === null
      ? [{ kind: "abort", ...own }]
      : [
          { kind: "open", successor, ...own },
          { kind: "open", successor, ...own },
          { kind: "open", successor, ...own },
        ];
  return [...pre, { kind: "fence" as const, ...own }, ...post].map((event) => ({ recovery: index, event }));
}

function trueMaster(truth: readonly Recovery[]): Server {
  return truth.reduce((master, { successor }) => successor ?? master, FIRST);
}

function bootstrapped(): History {
  const history = new History(1000);
  history.apply({ kind: "bootstrap", master: FIRST, cause: cause(""), beganAt: at(99) });
  return history;
}

/** Which recovery each change of the master came from. */
function changes(history: History, truth: readonly Recovery[]): number[] {
  return history.records.flatMap(({ value }, index) => {
    const before = history.records[index - 1]?.value;
    if (before === undefined || sameServer(before.master, value.master)) return [];
    return [truth.findIndex(({ began }) => value.cause.recoveryUid.startsWith(uid(began).split(":")[0]!))];
  });
}

/** Hooks of several Orchestrators, delivered in any order, some of them several times, some of them never. */
const anyChaos = anyTruth.chain((truth) => {
  const hooks = truth.flatMap(hooksOf);
  return fc.record({
    truth: fc.constant(truth),
    delivered: fc.shuffledSubarray([...hooks, ...hooks, ...hooks]),
  });
});

/** Each recovery's first opening comes before the next recovery's; everything may come again, at any later time. */
const anyOrderlyDelivery = anyTruth.chain((truth) => {
  const inOrder = truth.map(hooksOf);
  return fc.array(fc.tuple(fc.nat(), fc.nat()), { maxLength: 20, size: "max" }).map((repeats) => {
    let delivered = inOrder.flat();
    for (const [which, where] of repeats) {
      const from = which % delivered.length;
      const to = from + 1 + (where % (delivered.length - from));
      delivered = delivered.toSpliced(to, 0, delivered[from]!);
    }
    return { truth, delivered };
  });
});

describe("several Orchestrators whose hooks come late, twice or never", () => {
  it("never let an older recovery change the master after a newer one", () => {
    fc.assert(
      fc.property(anyChaos, ({ truth, delivered }) => {
        const history = bootstrapped();
        for (const { event } of delivered) history.apply(event);
        const order = changes(history, truth);
        expect(order).toEqual([...order].sort((a, b) => a - b));
        expect(new Set(order).size).toBe(order.length);
      }),
      { numRuns: 2000 },
    );
  });

  it("never make a master of a server that no delivered recovery named", () => {
    fc.assert(
      fc.property(anyChaos, ({ truth, delivered }) => {
        const history = bootstrapped();
        for (const { event } of delivered) history.apply(event);
        const named = new Set(
          delivered.flatMap(({ recovery }) => truth[recovery]!.successor ?? []).map(formatServer),
        );
        for (const { value } of history.records.slice(1)) {
          if (!sameServer(value.master, FIRST)) expect(named).toContain(formatServer(value.master));
        }
      }),
      { numRuns: 500 },
    );
  });

  it("leave the newest recovery's master on record when each has been heard in its turn, however often all came", () => {
    fc.assert(
      fc.property(anyOrderlyDelivery, ({ truth, delivered }) => {
        const history = bootstrapped();
        for (const { event } of delivered) history.apply(event);
        expect(formatServer(history.current.master)).toBe(formatServer(trueMaster(truth)));
      }),
      { numRuns: 2000 },
    );
  });

  it("leave the newest recovery's master on record once what was lost has been said again in its order", () => {
    fc.assert(
      fc.property(anyChaos, ({ truth, delivered }) => {
        const history = bootstrapped();
        for (const { event } of delivered) history.apply(event);
        for (const { event } of truth.flatMap(hooksOf)) {
          if (event.kind === "open" || event.kind === "abort") history.apply(event);
        }
        expect(formatServer(history.current.master)).toBe(formatServer(trueMaster(truth)));
      }),
      { numRuns: 2000 },
    );
  });

  it("a repeated fence or abort of a recovery that is over never touches the master that is open", () => {
    fc.assert(
      fc.property(anyOrderlyDelivery, fc.nat(), ({ truth, delivered }, which) => {
        const history = bootstrapped();
        for (const { event } of delivered) history.apply(event);
        // Whatever was left draining by a drain that came again has been ended by an operator.
        history.apply({
          kind: "set",
          master: history.current.master,
          seenGeneration: history.current.generation,
          cause: cause(""),
          beganAt: null,
        });
        const open = history.current;
        const late = truth.flatMap(hooksOf).filter(({ event }) => event.kind !== "drain");
        expect(history.apply(late[which % late.length]!.event).kind).not.toBe("write");
        expect(history.current).toBe(open);
      }),
      { numRuns: 500 },
    );
  });
});
