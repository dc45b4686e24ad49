import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hookEventSchema, recoveryBeganAt, spoolableEventSchema } from "../src/index.js";
import { eventSchema } from "../src/event.js";
import { anyEvent, anyHookEvent, cause } from "./arbitraries.js";

describe("when a recovery began", () => {
  it("is what stands before the colon, in nanoseconds", () => {
    const recorded = "1795252461805857380:be7a274565848153516917f32e268ee4f642e7f24c7135a005c79a321647667e";
    expect(recoveryBeganAt(recorded)).toBe("2026-11-21T09:14:21.805Z");
  });

  it.each([
    "",
    "abc",
    "12345:hash",
    "1795252461805857380",
    "x1795252461805857380:h",
    "17952524618058573801:h",
    " 1795252461805857380:h",
  ])("can't be told from %j", (uid) => {
    expect(recoveryBeganAt(uid)).toBeNull();
  });

  it("is an instant or null, whatever the text", () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ unit: "binary" }), fc.stringMatching(/^[0-9]{0,22}:[a-f0-9]{0,4}$/)),
        (text) => {
          const began = recoveryBeganAt(text);
          if (began !== null) expect(new Date(began).toISOString()).toBe(began);
        },
      ),
    );
  });

  it("orders recoveries as their nanoseconds do, to the millisecond", () => {
    fc.assert(
      fc.property(fc.bigInt(10n ** 15n, 10n ** 19n - 1n), fc.bigInt(10n ** 15n, 10n ** 19n - 1n), (a, b) => {
        const [first, second] = [a, b].map((one) => Date.parse(recoveryBeganAt(`${one}:h`)!));
        if (a / 1_000_000n < b / 1_000_000n) expect(first).toBeLessThan(second!);
        if (a === b) expect(first).toBe(second);
      }),
    );
  });
});

describe("an event", () => {
  it("is read as it is", () => {
    fc.assert(
      fc.property(anyEvent, (event) => {
        expect(eventSchema.parse(JSON.parse(JSON.stringify(event)))).toEqual(event);
      }),
    );
  });

  it("is kept for later only where it is still right later", () => {
    fc.assert(
      fc.property(anyHookEvent, (event) => {
        expect(hookEventSchema.safeParse(event).success).toBe(true);
        expect(spoolableEventSchema.safeParse(event).success).toBe(
          event.kind === "open" || event.kind === "abort",
        );
      }),
    );
  });

  it("of an operator comes from no hook", () => {
    const set = {
      kind: "set",
      master: { host: "a", port: 1 },
      seenGeneration: 1,
      cause: cause(""),
      beganAt: null,
    };
    expect(eventSchema.safeParse(set).success).toBe(true);
    expect(hookEventSchema.safeParse(set).success).toBe(false);
  });
});
