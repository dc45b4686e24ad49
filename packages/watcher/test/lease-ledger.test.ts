import { describe, expect, test } from "vitest";
import { type Lease, lease } from "../src/lease.js";
import { LeaseLedger } from "../src/lease-ledger.js";
import { layoutOf } from "./samples.js";

const present = { renewedSentAtMs: 100_000, presentSinceMs: 1000 };
const eight = layoutOf({ onConsulLoss: "lease", leaseSeconds: 8 });

function ledgerAt(inForce: string | null): LeaseLedger {
  const ledger = new LeaseLedger(inForce);
  ledger.followLayout(eight, 0);
  return ledger;
}

function leaseOf(ledger: LeaseLedger, hash: string | null, nowMs: number): Lease["kind"] {
  return lease(ledger.followed ?? eight, ledger.factsOf(hash, present), nowMs).kind;
}

describe("the lease of what ProxySQL shows", () => {
  test("is not renewed by reads of a later record that could not be applied", () => {
    const ledger = ledgerAt("old");
    ledger.noteRead("old", 95_000);
    ledger.noteRead("new", 101_000);
    expect(leaseOf(ledger, ledger.inForce, 102_000)).toBe("held");
    expect(leaseOf(ledger, ledger.inForce, 103_001)).toBe("lost");
    expect(leaseOf(ledger, "new", 103_001)).toBe("held");
  });

  test("goes over to the later record once that is in force", () => {
    const ledger = ledgerAt("old");
    ledger.noteRead("old", 95_000);
    ledger.noteRead("new", 101_000);
    expect(ledger.noteInForce("new")).toBe(true);
    expect(ledger.noteInForce("new")).toBe(false);
    expect(leaseOf(ledger, ledger.inForce, 103_001)).toBe("held");
  });

  test("a record that follows need not wait for a read of its own, and loses none that it has", () => {
    const ledger = ledgerAt("old");
    ledger.noteRead("old", 99_000);
    ledger.followRecord("old", "new");
    expect(ledger.factsOf("new", present).readSentAtMs).toBe(99_000);
    ledger.noteRead("new", 101_000);
    ledger.followRecord("old", "new");
    expect(ledger.factsOf("new", present).readSentAtMs).toBe(101_000);
  });

  test("answers that come out of order do not make it shorter", () => {
    const ledger = ledgerAt("old");
    ledger.noteRead("old", 99_000);
    ledger.noteRead("old", 98_000);
    expect(ledger.factsOf("old", present).readSentAtMs).toBe(99_000);
  });

  test("is over for a record that is refused, inherited or not", () => {
    const ledger = new LeaseLedger("old");
    const entry = { cluster: "main", writerHostgroup: 10, leaseSeconds: 8, untilSeconds: 1008 };
    ledger.inherit(entry, { monotonicMs: 100_000, wallMs: 1_002_000 });
    expect(leaseOf(ledger, "old", 105_999)).toBe("held");
    expect(leaseOf(ledger, "old", 106_001)).toBe("lost");
    ledger.noteRead("old", 100_000);
    ledger.noteRefused("old");
    expect(leaseOf(ledger, "old", 100_001)).toBe("lost");
  });

  test("is not inherited from a file that ends later than any lease could", () => {
    const ledger = new LeaseLedger("old");
    const entry = { cluster: "main", writerHostgroup: 10, leaseSeconds: 8, untilSeconds: 2000 };
    ledger.inherit(entry, { monotonicMs: 100_000, wallMs: 1_000_000 });
    expect(leaseOf(ledger, "old", 100_001)).toBe("lost");
    expect(ledger.followed?.writerHostgroup).toBe(10);
  });

  test("a cluster that begins to ask for one has one lease's time", () => {
    const ledger = new LeaseLedger(null);
    ledger.followLayout(layoutOf({ onConsulLoss: "keep" }), 0);
    ledger.followLayout(eight, 100_000);
    expect(leaseOf(ledger, "old", 107_999)).toBe("held");
    expect(leaseOf(ledger, "old", 108_000)).toBe("lost");
  });

  test("of many records, the one in force keeps its read", () => {
    const ledger = ledgerAt("old");
    ledger.noteRead("old", 99_000);
    for (let i = 0; i < 40; i++) ledger.noteRead(`record ${String(i)}`, 100_000 + i);
    expect(ledger.factsOf("old", present).readSentAtMs).toBe(99_000);
    expect(ledger.factsOf("record 0", present).readSentAtMs).toBeNull();
    expect(ledger.newestReadMs).toBe(100_039);
  });
});
