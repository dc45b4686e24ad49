import { describe, expect, test } from "vitest";
import { LEASE_SECONDS, SESSION_TTL_SECONDS, leaseBoundMs, parseLayout } from "../src/index.js";

const least = { cluster: "main", hostgroups: { writer: 10 }, servers: [{ host: "db1" }] };

describe("what the layout says of losing Consul", () => {
  test("the defaults are those that stop nobody", () => {
    expect(parseLayout(least)).toMatchObject({
      ok: true,
      value: { onConsulLoss: "keep", leaseSeconds: 8, onFenceFailure: "continue", openedBy: "orchestrator" },
    });
  });

  test.each([
    ["leaseSeconds", LEASE_SECONDS.least - 1],
    ["leaseSeconds", LEASE_SECONDS.most + 1],
    ["leaseSeconds", 8.5],
    ["onConsulLoss", "fence"],
    ["onFenceFailure", "shout"],
    ["openedBy", "operator"],
  ])("%s: %s is refused by name", (field, value) => {
    const parsed = parseLayout({ ...least, onConsulLoss: "lease", [field]: value });
    expect(parsed).toMatchObject({ ok: false, problem: expect.stringContaining(field) as string });
  });
});

describe("the numbers of the lease", () => {
  test("every lease has ended before Consul may drop the session that it hangs on, with clocks a tenth apart", () => {
    expect(LEASE_SECONDS.most * 1.1).toBeLessThan(SESSION_TTL_SECONDS * 0.9);
  });

  test("whoever waits for silent proxies waits longer than they route", () => {
    for (const seconds of [LEASE_SECONDS.least, LEASE_SECONDS.usual, LEASE_SECONDS.most]) {
      expect(leaseBoundMs(seconds)).toBeGreaterThan(seconds * 1000 * 1.005 + 1500);
    }
  });
});
