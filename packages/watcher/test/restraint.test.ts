import { describe, expect, test } from "vitest";
import type { Lease } from "../src/lease.js";
import { type ConnectionsInUse, restraint } from "../src/restraint.js";
import { db1, db2, recordOf } from "./samples.js";

const lost: Lease = { kind: "lost", reason: "no consistent read of Consul has succeeded for 8 s" };
const calm = { lease: { kind: "not-asked-for" } as Lease, drainIsOver: false, inUse: [] };
const used = (status: string, connections: number, server = db1): ConnectionsInUse => ({
  ...server,
  status,
  used: connections,
});

describe("how much of the record a ProxySQL may show", () => {
  test("all of it, as a rule", () => {
    for (const phase of ["open", "draining", "fenced"] as const) {
      expect(restraint(recordOf({ phase }), db1, calm)).toEqual({
        phase,
        withheld: null,
        kill: [],
        killHidden: false,
      });
    }
  });

  test("without its lease, nobody takes writes, and an open master is said to be withheld", () => {
    for (const phase of ["open", "draining", "fenced"] as const) {
      const now = restraint(recordOf({ phase }), db1, { ...calm, lease: lost });
      expect(now).toMatchObject({ phase: "fenced", kill: [] });
      expect(now.withheld).toEqual(phase === "open" ? expect.stringContaining(lost.reason) : null);
    }
  });

  test("past a drain's deadline, the outgoing master is out, and its last sessions are ended", () => {
    const inUse = [used("OFFLINE_SOFT", 3), used("OFFLINE_SOFT", 1, db2)];
    expect(restraint(recordOf({ phase: "draining" }), db1, { ...calm, inUse })).toMatchObject({
      phase: "draining",
      kill: [],
    });
    expect(restraint(recordOf({ phase: "draining" }), db1, { ...calm, inUse, drainIsOver: true })).toEqual({
      phase: "fenced",
      withheld: null,
      kill: [inUse[0]],
      killHidden: false,
    });
  });

  test("a master that was out does not come back over connections from then: they would live again", () => {
    const inUse = [used("OFFLINE_HARD", 2)];
    expect(restraint(recordOf(), db1, { ...calm, inUse })).toEqual({
      phase: "fenced",
      withheld: "2 connections to db1:3306 linger from before it was taken out",
      kill: inUse,
      killHidden: true,
    });
    expect(restraint(recordOf({ phase: "draining" }), db1, { ...calm, inUse })).toEqual({
      phase: "fenced",
      withheld: null,
      kill: inUse,
      killHidden: true,
    });
    expect(restraint(recordOf(), db1, { ...calm, inUse: [used("OFFLINE_HARD", 0)] }).phase).toBe("open");
    expect(restraint(recordOf(), db2, { ...calm, inUse }).phase).toBe("open");
  });

  test("one that only drained does: its sessions were never cut", () => {
    expect(restraint(recordOf(), db1, { ...calm, inUse: [used("OFFLINE_SOFT", 2)] }).phase).toBe("open");
    expect(restraint(recordOf(), db1, { ...calm, inUse: [used("ONLINE", 2)] }).phase).toBe("open");
  });
});
