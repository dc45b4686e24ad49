import { hookEventSchema, keyName } from "@primacy/contract";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { HOOK_FIELDS, readHookEnvironment } from "../src/hook/environment.js";
import { hookEvent } from "../src/hook/event.js";
import { HOOKS } from "../src/hook/name.js";
import { recording } from "./recordings.js";

const NAMES = { fixed: undefined, aliases: new Map<string, string>() };
const hook = fc.constantFrom(...HOOKS);
const variables = Object.values(HOOK_FIELDS).map((field) => field.variable);

/** Texts as an environment could hold them: empty, a placeholder, plausible, or anything at all. */
const text = fc.oneof(
  fc.constantFrom("", "{successorHost}", "true", "false", "3306", "db1", "DB1.", "::1", "db1:3306", "main"),
  fc.constantFrom(
    "DeadMaster",
    "DeadCoMasterAndSomeReplicas",
    "DeadIntermediateMaster",
    "1795252461805857380:x",
  ),
  fc.string({ unit: "binary", maxLength: 300 }),
);
const garbage = fc.dictionary(fc.constantFrom(...variables), text);
const recorded = fc.constantFrom(...recording("dead-master"), ...recording("graceful-master-takeover"));

describe("any environment", () => {
  it("is an event that the contract knows, is ignored with a reason, or has problems that are said", () => {
    fc.assert(
      fc.property(hook, garbage, garbage, (name, environment, flags) => {
        const outcome = hookEvent(name, readHookEnvironment(environment, flags), NAMES);
        if (outcome.kind === "problem") {
          expect(outcome.problems.length).toBeGreaterThan(0);
          // One line each, whatever was in the environment: they go to Orchestrator's audit.
          // eslint-disable-next-line no-control-regex
          for (const problem of outcome.problems) expect(problem).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
        } else if (outcome.kind === "event") {
          expect(hookEventSchema.safeParse(outcome.event).success).toBe(true);
          expect(keyName(outcome.cluster, "cluster")).toEqual({ ok: true, value: outcome.cluster });
        } else {
          expect(outcome.reason).not.toBe("");
        }
      }),
      { numRuns: 2000 },
    );
  });

  it("opens only with a master's failure and a successor that is another server", () => {
    fc.assert(
      fc.property(hook, recorded, garbage, (name, call, changes) => {
        const environment = readHookEnvironment({ ...call.env, ...changes }, {});
        const outcome = hookEvent(name, environment, NAMES);
        if (outcome.kind !== "event" || outcome.event.kind !== "open") return;
        expect(environment.failureType).toMatch(/^Dead(Co)?Master/);
        expect(outcome.event.successor).not.toEqual(outcome.event.outgoing);
        expect(["PostMasterFailover", "PostFailover", "PostGracefulTakeover"]).toContain(name);
      }),
      { numRuns: 2000 },
    );
  });

  it("means the same with any other variables around it", () => {
    const others = fc.dictionary(fc.string({ minLength: 1, maxLength: 20 }), fc.string({ maxLength: 20 }));
    fc.assert(
      fc.property(recorded, others, (call, more) => {
        const name = HOOKS.find((one) => `${one}Processes` === call.hook)!;
        const plain = hookEvent(name, readHookEnvironment(call.env, {}), NAMES);
        expect(hookEvent(name, readHookEnvironment({ ...more, ...call.env }, {}), NAMES)).toEqual(plain);
      }),
    );
  });
});
