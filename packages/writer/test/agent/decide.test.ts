import type { MasterRecord } from "@primacy/contract";
import { describe, expect, test } from "vitest";
import { type DecisionContext, type RecordDecision, decideRecord } from "../../src/agent/decide.js";
import type { ClusterView } from "../../src/agent/view.js";
import {
  AFTER_FAILOVER,
  DEAD,
  HEALTHY,
  LOST,
  NOW_MS,
  type ViewParts,
  db1,
  db2,
  db3,
  db4,
  layoutOf,
  recordOf,
  recoveryOf,
  replica,
  root,
  viewOf,
} from "./samples.js";
import { RECORDED_LAYOUT, at3311, at3312, recordedAt, recordedView } from "./recorded.js";

const settings = {
  policy: "report",
  repairAfterMs: 30_000,
  replayAfterMs: 5000,
  recoveryPatienceMs: 120_000,
} as const;

interface Options {
  readonly record?: Partial<MasterRecord>;
  readonly policy?: "report" | "repair";
  /** How long everything has been so; a minute unless told otherwise. */
  readonly heldMs?: number;
  readonly layout?: Record<string, unknown>;
}

function contextOf({ policy = "report", heldMs = 60_000 }: Options): DecisionContext {
  return { nowMs: NOW_MS, heldFor: () => heldMs, settings: { ...settings, policy } };
}

function decide(parts: ViewParts, options: Options = {}): RecordDecision {
  const layout = layoutOf(options.layout);
  return decideRecord(viewOf(parts, layout), recordOf(options.record), layout, contextOf(options));
}

const rules = (decision: RecordDecision): string[] => decision.findings.map((one) => one.rule);

describe("on the recorded answers of a real Orchestrator", () => {
  const recorded = (
    situation: string,
    record: Partial<MasterRecord>,
    policy: "report" | "repair" = "repair",
  ) =>
    decideRecord(recordedView(situation), recordOf(record), RECORDED_LAYOUT, {
      nowMs: Date.parse(recordedAt(situation)),
      heldFor: () => 60_000,
      settings: { ...settings, policy },
    });
  const before = { master: at3311, decidedAt: "2026-11-21T09:40:00.000Z" };
  const after = {
    generation: 8,
    master: at3312,
    previous: at3311,
    quarantined: [at3311],
    decidedAt: "2026-11-21T09:46:10.778Z",
  };

  test("a healthy cluster is in agreement", () => {
    expect(recorded("healthy", before)).toMatchObject({ event: null, rule: "in-agreement", findings: [{}] });
  });

  test("a dead master whose hook was swallowed is replayed by the recovery's own UID", () => {
    expect(recorded("after-dead-master", before, "report").event).toEqual({
      kind: "open",
      outgoing: at3311,
      successor: at3312,
      cause: {
        kind: "dead-master",
        failureType: "DeadMaster",
        recoveryUid: "1795254370778455226:57f3e7c1d6fa7ed140fea956891b0bb686607f070900ebfded5ed38c3b020199",
        command: "",
      },
      beganAt: "2026-11-21T09:46:10.778Z",
    });
  });

  test("a dead master whose hook came is in agreement, though Orchestrator still lists it as a master", () => {
    expect(recorded("after-dead-master", after)).toMatchObject({ event: null, rule: "in-agreement" });
  });

  test("a former master that came back writable is reported and never copied", () => {
    const decision = recorded("old-master-returned-writable", after);
    expect(decision).toMatchObject({ event: null, rule: "former-master-writable" });
  });

  test("a former master that came back before the lost hook was replayed changes nothing about the replay", () => {
    expect(recorded("old-master-returned-writable", before).event).toMatchObject({
      kind: "open",
      successor: at3312,
    });
  });
});

describe("who the master is by Orchestrator", () => {
  test.each<[string, ViewParts, Options, string[]]>([
    ["the record's", { listed: HEALTHY }, {}, ["in-agreement"]],
    [
      "the record's, in an operator's downtime",
      { listed: [root(db1, { downtime: { reason: "upgrade", endsAt: null } }), replica(db2), replica(db3)] },
      {},
      ["in-agreement"],
    ],
    [
      "one of two co-masters",
      {
        listed: [root(db1, { coMaster: true, source: db2 }), replica(db2, { coMaster: true }), replica(db3)],
      },
      {},
      ["in-agreement"],
    ],
    [
      "nobody: it is dead",
      { listed: [root(db1, DEAD), replica(db2), replica(db3)] },
      {},
      ["master-unreachable"],
    ],
    [
      "nobody: it was not checked lately",
      { listed: [root(db1, { recentlyChecked: false }), replica(db2), replica(db3)] },
      {},
      ["master-unreachable"],
    ],
    [
      "nobody: it is read-only",
      { listed: [root(db1, { readOnly: true }), replica(db2)] },
      {},
      ["master-read-only"],
    ],
    [
      "nobody: it replicates from a server that Orchestrator doesn't know, at depth 0",
      { listed: [root(db1, { source: db4 }), replica(db2)] },
      {},
      ["master-replicates"],
    ],
    [
      "nobody: it was cut off its source",
      { listed: [root(db1, { detached: true }), replica(db2)] },
      {},
      ["master-replicates"],
    ],
    [
      "nobody: it is gone from Orchestrator",
      { listed: [replica(db2), replica(db3)] },
      {},
      ["master-unreachable"],
    ],
    [
      "two: a former master is back",
      { listed: HEALTHY.slice(0, 1), askedFor: [root(db2)] },
      { record: { quarantined: [db2] } },
      ["former-master-writable"],
    ],
    [
      "two: a replica was cut loose",
      { listed: HEALTHY.slice(0, 1), askedFor: [root(db2)] },
      {},
      ["second-writable-master"],
    ],
    [
      "a former master alone",
      { listed: [root(db1, DEAD), replica(db3)], askedFor: [root(db2)] },
      { record: { quarantined: [db2] } },
      ["former-master-claims"],
    ],
    ["a stranger", { listed: [root(db1, DEAD), root(db4), replica(db2)] }, {}, ["unknown-server-claims"]],
    [
      "a server that may not be master",
      { listed: [root(db1, DEAD), root(db2), replica(db3)] },
      { layout: { servers: [db1, { ...db2, candidate: false }, db3] } },
      ["no-candidate-claims"],
    ],
    [
      "a downtimed server",
      { listed: [root(db1, DEAD), root(db2, LOST), replica(db3)] },
      {},
      ["downtimed-server-claims"],
    ],
    [
      "two, and the record's is none of them",
      { listed: [root(db1, DEAD), root(db2), root(db3)] },
      {},
      ["several-claim"],
    ],
    ["another", { listed: [root(db1, DEAD), root(db2), replica(db3)] }, {}, ["another-master"]],
    [
      "the record's, without a cluster of the alias",
      { listed: null, askedFor: HEALTHY },
      {},
      ["alias-unknown"],
    ],
    [
      "the record's, and the alias leads elsewhere",
      { listed: [root(db4, { clusterName: "db4:3306" })], askedFor: HEALTHY },
      {},
      ["alias-elsewhere"],
    ],
  ])("%s", (_what, parts, options, expected) => {
    const decision = decide(parts, options);
    expect(rules(decision)).toEqual(expected);
    expect(decision.event).toBeNull();
  });
});

describe("a view that tells more of Orchestrator than of the servers", () => {
  test.each<[string, ViewParts, string]>([
    ["that knows nobody", { listed: [] }, "nothing-known"],
    ["that knows only strangers", { listed: [root(db4)] }, "nothing-known"],
    [
      "that has checked nobody lately",
      { listed: HEALTHY.map((one) => ({ ...one, recentlyChecked: false })) },
      "nothing-checked",
    ],
    ["that reaches nobody", { listed: HEALTHY.map((one) => ({ ...one, ...DEAD })) }, "nobody-reachable"],
  ])("%s concludes nothing, whatever the policy", (_what, parts, rule) => {
    const decision = decide({ ...parts, recoveries: [recoveryOf(db1, db2)] }, { policy: "repair" });
    expect(decision).toMatchObject({ event: null, rule });
  });

  test("is told beside a fence whose deadline is over", () => {
    const record = { phase: "fenced", deadline: "2026-11-21T09:59:00.000Z" } as const;
    expect(rules(decide({ listed: [] }, { record }))).toEqual(["nothing-known", "deadline-shouts"]);
  });
});

describe("a recovery whose hook has not come", () => {
  test("is replayed once its hook has had its time", () => {
    expect(decide(AFTER_FAILOVER, { heldMs: 4999 })).toMatchObject({ event: null, rule: "replay-waits" });
    expect(decide(AFTER_FAILOVER, { heldMs: 5000 })).toMatchObject({
      rule: "replay-recovery",
      event: { kind: "open", outgoing: db1, successor: db2 },
    });
  });

  test("is what the agent watches from the first look on", () => {
    const [uid] = AFTER_FAILOVER.recoveries!.map((one) => one.uid);
    expect(decide(AFTER_FAILOVER, { heldMs: 0 }).watched).toEqual([`ended ${uid}`]);
  });

  test("opens the fence that its own Pre hook has raised", () => {
    const [recovery] = AFTER_FAILOVER.recoveries!;
    const record = {
      phase: "fenced",
      deadline: "2026-11-21T09:59:55.000Z",
      decidedAt: recovery!.beganAt!,
      cause: {
        kind: "dead-master",
        rule: "fence-begins",
        failureType: "DeadMaster",
        recoveryUid: recovery!.uid,
        command: "",
      },
    } as const;
    expect(decide(AFTER_FAILOVER, { record }).event).toMatchObject({ kind: "open", successor: db2 });
  });

  test("ends a drain as a graceful takeover: Orchestrator's audit doesn't keep the command", () => {
    const record = { phase: "draining", deadline: "2026-11-21T10:00:05.000Z" } as const;
    expect(decide(AFTER_FAILOVER, { record }).event).toMatchObject({ cause: { kind: "graceful-takeover" } });
  });

  test.each<[string, Partial<Parameters<typeof recoveryOf>[2]>]>([
    ["of an intermediate master", { analysis: "DeadIntermediateMaster" }],
    ["of a master that was only read-only", { analysis: "NoWriteableMasterStructureWarning" }],
    ["that failed", { successful: false }],
    ["that has not ended", { ended: false, beganAt: "2026-11-21T09:00:01.000Z" }],
    ["that began before the record was decided", { beganAt: "2026-11-21T08:59:59.000Z" }],
    ["whose UID is none of Orchestrator's", { beganAt: null }],
  ])("%s is none to replay", (_what, changes) => {
    const parts = { ...AFTER_FAILOVER, recoveries: [recoveryOf(db1, db2, changes)] };
    expect(decide(parts)).toMatchObject({ event: null, rule: "another-master" });
  });

  test("of another server than the record's master is none to replay", () => {
    const parts = { ...AFTER_FAILOVER, recoveries: [recoveryOf(db3, db2)] };
    expect(decide(parts).event).toBeNull();
  });

  test("that the record accounts for is none to replay", () => {
    const [recovery] = AFTER_FAILOVER.recoveries!;
    const record = {
      master: db2,
      quarantined: [db1],
      decidedAt: recovery!.beganAt!,
      cause: {
        kind: "dead-master",
        rule: "open-new-master",
        failureType: "DeadMaster",
        recoveryUid: recovery!.uid,
        command: "",
      },
    } as const;
    expect(decide(AFTER_FAILOVER, { record })).toMatchObject({ event: null, rule: "in-agreement" });
  });

  test.each<[string, ViewParts["listed"]]>([
    ["is read-only still", [root(db2, { readOnly: true }), replica(db3, { source: db2 })]],
    ["replicates from somebody by now", [root(db2, { source: db3 }), root(db3)]],
    ["is dead by now", [root(db2, DEAD), replica(db3, { source: db2 })]],
    ["is not known any more", [replica(db3, { source: db2 })]],
  ])("is not replayed when its successor %s", (_what, listed) => {
    const decision = decide({ ...AFTER_FAILOVER, listed: listed ?? null });
    expect(decision).toMatchObject({ event: null, rule: "replay-unconfirmed" });
  });

  describe("where Primacy opens masters itself", () => {
    const layout = { openedBy: "primacy" };
    const promoted = (successor: Partial<Parameters<typeof replica>[1]>) => ({
      ...AFTER_FAILOVER,
      listed: [replica(db2, { ioThread: "stopped", sqlThread: "stopped", ...successor }), replica(db3)],
    });

    test.each([
      ["still read-only, its replication only stopped", { source: db1 }],
      ["still read-only, cut off by Orchestrator", { source: null, detached: true }],
    ])("the successor is %s: the event opens it", (_what, successor) => {
      expect(decide(promoted(successor), { layout }).event).toMatchObject({ kind: "open", successor: db2 });
      expect(decide(promoted(successor)).rule).toBe("replay-unconfirmed");
    });

    test("two lost recoveries: the successor still follows the server in between, which failed last", () => {
      const recoveries = [
        recoveryOf(db2, db3, { beganAt: "2026-11-21T09:59:55.000Z" }),
        recoveryOf(db1, db2, { beganAt: "2026-11-21T09:59:50.000Z" }),
      ];
      const stopped = { ioThread: "stopped", sqlThread: "stopped" } as const;
      const after = (source: typeof db1) => ({
        listed: [replica(db3, { ...stopped, source })],
        askedFor: [root(db1, DEAD), root(db2, DEAD)],
        recoveries,
      });
      expect(decide(after(db2), { layout }).event).toMatchObject({ outgoing: db1, successor: db3 });
      expect(decide(after(db1), { layout })).toMatchObject({ event: null, rule: "replay-unconfirmed" });
    });

    test.each([
      ["given another source since", { source: db3 }],
      ["not reachable", DEAD],
    ])("the successor is %s: nothing is written", (_what, successor) => {
      expect(decide(promoted(successor), { layout })).toMatchObject({
        event: null,
        rule: "replay-unconfirmed",
      });
    });
  });

  test("followed by another one becomes one event, so that the server in between is never opened", () => {
    const recoveries = [
      recoveryOf(db2, db3, { beganAt: "2026-11-21T09:59:55.000Z" }),
      recoveryOf(db1, db2, { beganAt: "2026-11-21T09:59:50.000Z" }),
    ];
    const parts = { listed: [root(db3)], askedFor: [root(db1, DEAD), root(db2, LOST)], recoveries };
    expect(decide(parts).event).toMatchObject({
      kind: "open",
      outgoing: db1,
      successor: db3,
      cause: { recoveryUid: recoveries[0]!.uid },
      beganAt: "2026-11-21T09:59:55.000Z",
    });
  });

  test("that led back to the record's master changes nothing", () => {
    const recoveries = [recoveryOf(db2, db1, { beganAt: "2026-11-21T09:59:55.000Z" }), recoveryOf(db1, db2)];
    expect(decide({ listed: HEALTHY, recoveries })).toMatchObject({ event: null, rule: "in-agreement" });
  });

  test("is not followed to a server in between, whatever the policy", () => {
    const recoveries = [recoveryOf(db2, db3, { beganAt: "2026-11-21T09:59:55.000Z" }), recoveryOf(db1, db2)];
    const parts = {
      listed: [root(db2), replica(db1, { source: db2 })],
      askedFor: [root(db3, DEAD)],
      recoveries,
    };
    expect(decide(parts, { policy: "repair" })).toMatchObject({ event: null, rule: "replay-unconfirmed" });
  });

  test("names servers as the layout does", () => {
    const layout = { servers: [db1, { ...db2, alsoKnownAs: ["db2.prod.example:3306"] }, db3] };
    const other = { host: "db2.prod.example", port: 3306 };
    const parts = {
      listed: [root(other), replica(db3, { source: other })],
      askedFor: [root(db1, DEAD)],
      recoveries: [recoveryOf(db1, other)],
    };
    expect(decide(parts, { layout }).event).toMatchObject({ successor: db2 });
  });
});

describe("a recovery under way", () => {
  const moved = [root(db2), replica(db1, { source: db2 }), replica(db3, { source: db2 })];
  const running = recoveryOf(db1, null, { ended: false, successful: false });

  test("is waited for, whatever the policy", () => {
    const decision = decide({ listed: moved, recoveries: [running] }, { policy: "repair" });
    expect(decision).toMatchObject({ event: null, rule: "recovery-running" });
  });

  test.each([
    ["for two minutes", { beganAt: "2026-11-21T09:57:00.000Z" }],
    ["was acknowledged", { acknowledged: true }],
  ])("that %s counts as given up", (_what, changes) => {
    const recoveries = [{ ...running, ...changes }];
    expect(decide({ listed: moved, recoveries }, { policy: "repair" }).rule).toBe("repair-master");
  });

  test("of an intermediate master is no reason to wait", () => {
    const recoveries = [{ ...running, analysis: "DeadIntermediateMaster" }];
    expect(decide({ listed: HEALTHY, recoveries }).rule).toBe("in-agreement");
  });
});

describe("a disagreement", () => {
  const moved: ViewParts = {
    listed: [root(db2), replica(db1, { source: db2 }), replica(db3, { source: db2 })],
  };

  test("is reported, by default", () => {
    expect(decide(moved)).toMatchObject({ event: null, rule: "another-master" });
  });

  test("is repaired where the policy says so, once it has held", () => {
    expect(decide(moved, { policy: "repair", heldMs: 29_999 })).toMatchObject({
      event: null,
      rule: "repair-waits",
    });
    expect(decide(moved, { policy: "repair", heldMs: 30_000 })).toMatchObject({
      rule: "repair-master",
      event: { kind: "open", outgoing: db1, successor: db2, cause: { kind: "repair" } },
    });
  });

  test("of another generation has to hold anew", () => {
    const keys = [7, 8].map(
      (generation) => decide(moved, { policy: "repair", record: { generation } }).watched,
    );
    expect(keys[0]).not.toEqual(keys[1]);
  });

  test.each<[string, ViewParts]>([
    [
      "the record's master is dead",
      { listed: [root(db2), replica(db3, { source: db2 })], askedFor: [root(db1, DEAD)] },
    ],
    [
      "the record's master replicates from a third one",
      { listed: [root(db2), replica(db1, { source: db3 })] },
    ],
  ])("is not repaired without a sign that the other followed: %s", (_what, parts) => {
    expect(decide(parts, { policy: "repair" })).toMatchObject({ event: null, rule: "repair-no-predecessor" });
  });

  test.each<[string, ViewParts]>([
    ["the record's master is writable as well", { listed: [root(db1), root(db2), replica(db3)] }],
    ["the other is a former master", { listed: [root(db3), replica(db1, { source: db3 })] }],
    ["the other is downtimed", { listed: [root(db2, LOST), replica(db1, { source: db2 })] }],
    [
      "the other was not checked lately",
      { listed: [root(db2, { recentlyChecked: false }), replica(db1, { source: db2 })] },
    ],
    ["the other is a stranger", { listed: [root(db4), replica(db1, { source: db4 })] }],
  ])("is not repaired when %s", (_what, parts) => {
    expect(decide(parts, { policy: "repair", record: { quarantined: [db3] } }).event).toBeNull();
  });
});

describe("a drain or fence whose deadline is over", () => {
  const record = { phase: "fenced", deadline: "2026-11-21T09:59:55.000Z" } as const;

  test("opens again where the master is alive and writable", () => {
    const decision = decide({ listed: HEALTHY }, { record });
    expect(decision).toMatchObject({ rule: "deadline-aborts", event: { kind: "abort", outgoing: db1 } });
  });

  test("is left alone before", () => {
    const early = { ...record, deadline: "2026-11-21T10:00:01.000Z" };
    expect(decide({ listed: HEALTHY }, { record: early })).toMatchObject({
      event: null,
      rule: "in-agreement",
    });
  });

  test("waits for a check made after the deadline", () => {
    const listed = [root(db1, { answeredAtMs: NOW_MS - 4000 }), replica(db2)];
    expect(decide({ listed }, { record })).toMatchObject({ event: null, rule: "deadline-waits" });
  });

  test.each<[string, ViewParts]>([
    ["is dead", { listed: [root(db1, DEAD), replica(db2)] }],
    [
      "is read-only, as a failed takeover leaves it",
      { listed: [root(db1, { readOnly: true }), replica(db2)] },
    ],
    ["is not the only writable one", { listed: [root(db1), root(db2)] }],
    ["is unknown", { listed: [replica(db2)] }],
  ])("stays as it is, loudly, where the master %s", (_what, parts) => {
    expect(decide(parts, { record })).toMatchObject({ event: null, rule: "deadline-shouts" });
  });

  test("opens the successor where a recovery names one", () => {
    expect(decide(AFTER_FAILOVER, { record }).event).toMatchObject({ kind: "open", successor: db2 });
  });

  test("waits for a recovery under way", () => {
    const recoveries = [recoveryOf(db1, null, { ended: false })];
    expect(decide({ listed: HEALTHY, recoveries }, { record }).rule).toBe("recovery-running");
  });
});

describe("the view", () => {
  test("of a server known by two names is that of the fresher one", () => {
    const layout = layoutOf({ servers: [{ ...db1, alsoKnownAs: ["old-db1:3306"] }, db2, db3] });
    const stale = root({ host: "old-db1", port: 3306 }, DEAD);
    for (const listed of [
      [stale, ...HEALTHY],
      [...HEALTHY, stale],
    ]) {
      const view: ClusterView = viewOf({ listed }, layout);
      expect(view.servers.filter((one) => one.server.host === "db1")).toMatchObject([{ checkValid: true }]);
    }
  });

  test("names the servers of the layout that Orchestrator doesn't know", () => {
    expect(viewOf({ listed: [root(db1)] }).missing).toEqual([db2, db3]);
  });
});
