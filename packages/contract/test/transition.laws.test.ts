import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type ClusterEvent,
  type Decision,
  includesServer,
  type MasterRecord,
  readRecord,
  recordText,
  sameServer,
  transition,
} from "../src/index.js";
import {
  anyEvent,
  anyHookEvent,
  anyRecord,
  anyServer,
  at,
  cause,
  context,
  record,
  SERVERS,
  stored,
} from "./arbitraries.js";
import { brokenLink, History } from "./history.js";

const [A] = SERVERS;
const bootstrap: ClusterEvent = { kind: "bootstrap", master: A!, cause: cause(""), beganAt: null };

/** A history in which anything happened in any order, more than once. */
const anyHistory = fc
  .array(anyEvent, { maxLength: 40, size: "max" })
  .chain((events) => fc.shuffledSubarray([...events, ...events], { minLength: events.length }))
  .map((events) => {
    const history = new History();
    const decisions = [bootstrap, ...events].map((event) => ({ event, decision: history.apply(event) }));
    return { history, decisions };
  });

/** Each write of a history with the record before it. */
function writes({ decisions }: { decisions: readonly { event: ClusterEvent; decision: Decision }[] }) {
  const written = decisions.flatMap(({ event, decision }) =>
    decision.kind === "write" ? [{ event, after: decision.record }] : [],
  );
  return written.slice(1).map((one, index) => ({ ...one, before: written[index]!.after }));
}

describe("whatever happens, in whatever order and however often", () => {
  it("the generation rises by exactly one with each write, and nothing else writes", () => {
    fc.assert(
      fc.property(anyHistory, (all) => {
        for (const { before, after } of writes(all)) expect(after.generation).toBe(before.generation + 1);
        expect(all.history.records.map(({ value }) => value.generation)).toEqual(
          all.history.records.map((_, index) => index + 1),
        );
      }),
    );
  });

  it("each record is linked to the very text before it, and a rewritten one shows", () => {
    fc.assert(
      fc.property(anyHistory, fc.nat(), anyServer, ({ history }, place, other) => {
        expect(brokenLink(history.records)).toBeUndefined();
        const index = place % history.records.length;
        const original = history.records[index]!;
        if (index === history.records.length - 1 || sameServer(original.value.master, other)) return;
        const rewritten = stored({ ...original.value, master: other });
        expect(brokenLink(history.records.with(index, rewritten))).toBe(index + 1);
        // Also when only the text changed, and when a record was taken out.
        expect(brokenLink(history.records.with(index, { ...original, text: `${original.text} ` }))).toBe(
          index + 1,
        );
        if (index > 0) expect(brokenLink(history.records.toSpliced(index, 1))).toBe(index);
      }),
    );
  });

  it("the master changes only to the server that an opening or an operator named, from the one that it was", () => {
    fc.assert(
      fc.property(anyHistory, (all) => {
        for (const { event, before, after } of writes(all)) {
          if (sameServer(before.master, after.master)) continue;
          expect(["open", "set"]).toContain(event.kind);
          if (event.kind === "open") {
            expect(sameServer(event.outgoing, before.master)).toBe(true);
            expect(sameServer(event.successor, after.master)).toBe(true);
          }
          if (event.kind === "set") expect(sameServer(event.master, after.master)).toBe(true);
          expect(after.previous).toEqual(before.master);
          expect(after.phase).toBe("open");
        }
      }),
    );
  });

  it("what is decided goes back by an operator's set only, and the history stays one", () => {
    fc.assert(
      fc.property(anyHistory, (all) => {
        for (const { before, after } of writes(all)) {
          if (after.cause.rule !== "operator-set") {
            expect(Date.parse(after.decidedAt)).toBeGreaterThanOrEqual(Date.parse(before.decidedAt));
          }
          expect(after.incarnation).toBe(before.incarnation);
          expect(after.cluster).toBe(before.cluster);
        }
      }),
    );
  });

  it("a former master stays in quarantine until it is the master again or an operator lets it out", () => {
    fc.assert(
      fc.property(anyHistory, (all) => {
        for (const { event, before, after } of writes(all)) {
          expect(includesServer(after.quarantined, after.master)).toBe(false);
          for (const former of [...before.quarantined, before.master]) {
            const released = event.kind === "readmit" && sameServer(event.server, former);
            const stays = includesServer(after.quarantined, former);
            expect(stays).toBe(!released && !sameServer(former, after.master));
          }
        }
      }),
    );
  });

  it("a deadline and a successor belong to a phase that ends", () => {
    fc.assert(
      fc.property(anyHistory, (all) => {
        for (const { after } of writes(all)) {
          expect(after.deadline === null).toBe(after.phase === "open");
          if (after.phase === "open") expect(after.successor).toBeNull();
          if (after.deadline !== null)
            expect(Date.parse(after.deadline)).toBeGreaterThan(Date.parse(after.writtenAt));
        }
      }),
    );
  });

  it("every record that is written can be read", () => {
    fc.assert(
      fc.property(anyHistory, ({ history }) => {
        for (const { value, text } of history.records)
          expect(readRecord(text)).toEqual({ kind: "valid", value, text });
      }),
    );
  });

  it("the same event again at once changes nothing", () => {
    fc.assert(
      fc.property(anyRecord, anyEvent, (current, event) => {
        const once = transition(stored(current), event, context(70));
        if (once.kind !== "write") return;
        const twice = transition(stored(once.record), event, context(71));
        expect(twice.kind).not.toBe("write");
      }),
      { numRuns: 1000 },
    );
  });
});

describe("for any record, reachable or not", () => {
  const decide = (current: MasterRecord, event: ClusterEvent) =>
    transition(stored(current), event, context(70));

  it("nothing that began before what is decided writes", () => {
    fc.assert(
      fc.property(anyRecord, anyHookEvent, (current, event) => {
        fc.pre(event.beganAt !== null && Date.parse(event.beganAt) < Date.parse(current.decidedAt));
        expect(decide(current, event).kind).not.toBe("write");
      }),
      { numRuns: 1000 },
    );
  });

  it("a hook writes only from the states of protocol's table", () => {
    fc.assert(
      fc.property(anyRecord, anyHookEvent, (current, event) => {
        const decision = decide(current, event);
        if (decision.kind !== "write" || !("outgoing" in event)) return;
        expect(sameServer(event.outgoing, current.master)).toBe(true);
        if (event.kind === "drain") expect(current.phase).toBe("open");
        if (event.kind === "fence") expect(current.phase).not.toBe("fenced");
        if (event.kind === "abort") expect(current.phase).not.toBe("open");
      }),
      { numRuns: 1000 },
    );
  });

  it("a drain, a fence and an abort leave the master as it is, at a higher generation", () => {
    fc.assert(
      fc.property(anyRecord, anyHookEvent, (current, event) => {
        const decision = decide(current, event);
        if (decision.kind !== "write" || event.kind === "open") return;
        expect(decision.record.master).toEqual(current.master);
        expect(decision.record.previous).toEqual(current.previous);
        expect(decision.record.generation).toBe(current.generation + 1);
        expect(decision.record.phase).toBe(
          { drain: "draining", fence: "fenced", abort: "open" }[event.kind as "drain"],
        );
      }),
      { numRuns: 1000 },
    );
  });

  it("an operator's word counts only for the generation that was seen, and then whatever the phase", () => {
    fc.assert(
      fc.property(
        anyRecord,
        anyServer,
        fc.integer({ min: 1, max: 12 }),
        (current, master, seenGeneration) => {
          const event: ClusterEvent = {
            kind: "set",
            master,
            seenGeneration,
            cause: cause(""),
            beganAt: at(70),
          };
          const decision = decide(current, event);
          expect(decision.kind === "write").toBe(seenGeneration === current.generation);
          if (decision.kind === "write") expect(decision.record).toMatchObject({ master, phase: "open" });
        },
      ),
    );
  });

  it("a phase whose deadline has passed can be ended in its own name, and that makes nobody's later word stale", () => {
    fc.assert(
      fc.property(anyRecord, (current) => {
        fc.pre(current.phase !== "open");
        const { failureType, recoveryUid, command } = current.cause;
        const event: ClusterEvent = {
          kind: "abort",
          outgoing: current.master,
          cause: { kind: "deadline", failureType, recoveryUid, command },
          beganAt: current.decidedAt,
        };
        const decision = decide(current, event);
        expect(decision).toMatchObject({
          kind: "write",
          record: { phase: "open", decidedAt: current.decidedAt },
        });
      }),
    );
  });

  it("the same values make the same decision, and are left as they are", () => {
    fc.assert(
      fc.property(anyRecord, anyEvent, (current, event) => {
        const before = recordText(current);
        const said = JSON.stringify(event);
        expect(decide(current, event)).toEqual(decide(current, event));
        expect(recordText(current)).toBe(before);
        expect(JSON.stringify(event)).toBe(said);
      }),
    );
  });

  it("servers are compared whatever the case of their names", () => {
    const shout = { host: "A", port: 3306 };
    const event: ClusterEvent = { kind: "fence", outgoing: shout, cause: cause(""), beganAt: null };
    expect(decide(record(), event)).toMatchObject({ kind: "write", record: { master: { host: "a" } } });
  });
});
