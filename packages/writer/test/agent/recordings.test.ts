import type { Layout, MasterRecord, Server } from "@primacy/contract";
import { describe, expect, test } from "vitest";
import { type RecordDecision, decideRecord } from "../../src/agent/decide.js";
import { judge } from "../../src/agent/judge.js";
import { beliefs, newMembership, observe } from "../../src/agent/membership.js";
import { RECORDED_LAYOUT, at3311, at3312, at3313, recordedAt, recordedView } from "./recorded.js";
import { layoutOf, recordOf } from "./samples.js";

interface Look {
  readonly record?: Partial<MasterRecord>;
  readonly layout?: Layout;
  readonly policy?: "report" | "repair";
  /** How long everything has been so; a minute unless told otherwise. */
  readonly heldMs?: number;
  /** How long after the recording it is looked at. */
  readonly laterMs?: number;
}

/** The record's master is 3311, since long before the recordings. */
const BEFORE = { master: at3311, decidedAt: "2026-11-21T09:00:00.000Z" } as const;
const NOW_3312 = { master: at3312, previous: at3311, decidedAt: "2026-11-21T20:00:00.000Z" } as const;
const at3314: Server = { host: "127.0.0.1", port: 3314 };
const WITH_3314 = layoutOf({ servers: [at3311, at3312, at3313, at3314] });
const NO_CANDIDATE = layoutOf({ servers: [at3311, { ...at3312, candidate: false }, at3313] });

function decide(situation: string, look: Look = {}): RecordDecision {
  const { layout = RECORDED_LAYOUT, policy = "report", heldMs = 60_000, laterMs = 0 } = look;
  return decideRecord(recordedView(situation, layout), recordOf({ ...BEFORE, ...look.record }), layout, {
    nowMs: Date.parse(recordedAt(situation)) + laterMs,
    heldFor: () => heldMs,
    settings: { policy, repairAfterMs: 30_000, replayAfterMs: 5000, recoveryPatienceMs: 120_000 },
  });
}

const rulesOf = (decision: RecordDecision): string => decision.findings.map((one) => one.rule).join(" ");

/** Each server as it looks, by port. */
function statesOf(situation: string, master: Server, layout: Layout = RECORDED_LAYOUT): string {
  const view = recordedView(situation, layout);
  return view.servers
    .map((seen) => `${String(seen.server.port)}=${judge(seen, view, master, layout).state}`)
    .sort()
    .join(" ");
}

function factsOf(situation: string, server: Server, master: Server = at3311) {
  const view = recordedView(situation);
  const seen = view.servers.find((one) => one.server.port === server.port);
  if (seen === undefined) throw new Error(`${String(server.port)} is not in ${situation}`);
  return judge(seen, view, master, RECORDED_LAYOUT).facts;
}

describe("what a server is", () => {
  test.each<[string, string]>([
    ["replication-stopped", "3311=master 3312=broken 3313=broken"],
    ["replication-errors", "3311=master 3312=broken 3313=broken"],
    ["replica-writable", "3311=master 3312=replica 3313=replica"],
    ["replica-downtimed", "3311=master 3312=downtimed 3313=replica"],
    ["replica-delayed", "3311=master 3312=replica 3313=lagging"],
    ["replica-standalone", "3311=master 3312=replica 3313=standalone"],
    ["replica-detached", "3311=master 3312=replica 3313=standalone"],
    ["replica-unreachable", "3311=master 3312=replica 3313=unreachable"],
    ["stranger-replicates", "3311=master 3312=replica 3313=replica 3314=replica"],
    ["intermediate-master", "3311=master 3312=replica 3313=replica"],
    ["intermediate-master-stopped", "3311=master 3312=broken 3313=astray"],
    ["co-masters", "3311=master 3312=replica 3313=replica"],
    ["master-read-only", "3311=master 3312=replica 3313=replica"],
    ["master-unreachable", "3311=unreachable 3312=broken 3313=broken"],
    ["another-claims", "3311=unreachable 3312=standalone 3313=astray"],
    ["nobody-reachable", "3311=unreachable 3312=unreachable 3313=unreachable"],
    ["alias-lost", "3311=master 3312=replica 3313=replica"],
  ])("%s", (situation, states) => {
    expect(statesOf(situation, at3311)).toBe(states);
  });

  test.each<[string, string]>([
    ["graceful-takeover", "3311=downtimed 3312=master 3313=replica"],
    ["former-master-follows", "3311=replica 3312=master 3313=replica"],
    ["moved-by-hand", "3311=replica 3312=master 3313=replica"],
    ["recovery-ended", "3311=downtimed 3312=master 3313=replica"],
    ["after-dead-co-master", "3311=downtimed 3312=master 3313=replica"],
    ["co-master-returned-writable", "3311=downtimed 3312=master 3313=replica"],
  ])("%s, by a record that names 3312", (situation, states) => {
    expect(statesOf(situation, at3312)).toBe(states);
  });

  test("lost in a recovery: downtimed, and cut off its source by Orchestrator", () => {
    expect(statesOf("replica-lost-in-recovery", at3312, WITH_3314)).toBe(
      "3311=downtimed 3312=master 3313=downtimed 3314=replica",
    );
    expect(factsOf("replica-lost-in-recovery", at3313, at3312)).toMatchObject({
      replicatesFrom: null,
      followsMaster: false,
      downtime: { reason: "lost-in-recovery", endsAt: null },
    });
  });

  test("a stopped thread and one that can't connect are told apart", () => {
    expect(factsOf("replication-stopped", at3312)).toMatchObject({
      ioThread: "stopped",
      sqlThread: "running",
    });
    expect(factsOf("replication-stopped", at3313)).toMatchObject({
      ioThread: "running",
      sqlThread: "stopped",
    });
    expect(factsOf("replication-errors", at3312)).toMatchObject({
      ioThread: "running",
      sqlThread: "stopped",
    });
    expect(factsOf("replication-errors", at3313)).toMatchObject({
      ioThread: "connecting",
      lagSeconds: null,
    });
  });

  test("of a dead replica Orchestrator repeats that it replicates without lag", () => {
    const [raw] = recordedView("replica-unreachable").servers.filter((one) => one.server.port === 3313);
    expect(raw).toMatchObject({ ioThread: "running", lagSeconds: 0, recentlyChecked: true });
    expect(factsOf("replica-unreachable", at3313)).toMatchObject({ replicating: false, lagSeconds: null });
  });

  test("a delayed replica's lag is what Orchestrator says: its delay is not taken off", () => {
    expect(factsOf("replica-delayed", at3313).lagSeconds).toBe(34);
  });

  test("an operator's downtime has an end, a demoted master's has none", () => {
    expect(factsOf("replica-downtimed", at3312).downtime).toEqual({
      reason: "backup",
      endsAt: "2026-11-21T20:09:35.000Z",
    });
    expect(factsOf("graceful-takeover", at3311, at3312)).toMatchObject({
      downtime: { reason: "lost-in-recovery", endsAt: null },
      ioThread: "stopped",
      followsMaster: false,
      readOnly: true,
    });
  });
});

describe("who the master is", () => {
  test.each<[string, string, Look]>([
    ["replica-writable", "in-agreement", {}],
    ["replica-detached", "in-agreement", {}],
    ["co-masters", "in-agreement", {}],
    ["co-masters-both-writable", "second-writable-master", {}],
    ["co-masters-other-writable", "another-master", {}],
    ["second-writable-master", "second-writable-master", {}],
    ["second-writable-master", "former-master-writable", { record: { quarantined: [at3313] } }],
    ["master-read-only", "master-read-only", {}],
    ["master-unreachable", "master-unreachable", {}],
    ["promotion-not-applied", "master-replicates", { record: NOW_3312 }],
    ["promotion-not-applied-detached", "master-replicates", { record: NOW_3312 }],
    ["moved-by-hand", "another-master", {}],
    ["another-claims", "another-master", {}],
    ["another-claims", "former-master-claims", { record: { quarantined: [at3312] } }],
    ["another-claims", "no-candidate-claims", { layout: NO_CANDIDATE }],
    ["downtimed-server-claims", "downtimed-server-claims", {}],
    ["several-claim", "several-claim", {}],
    ["unknown-server-claims", "unknown-server-claims", {}],
    ["unknown-server-claims", "another-master", { layout: WITH_3314 }],
    ["alias-lost", "alias-unknown", {}],
    ["alias-elsewhere", "alias-elsewhere", {}],
    ["nobody-reachable", "nobody-reachable", {}],
    ["orchestrator-just-started", "nothing-checked", {}],
    ["orchestrator-empty", "nothing-known", {}],
    ["follower-alone", "nothing-checked", {}],
  ])("%s: %s", (situation, rules, look) => {
    const decision = decide(situation, look);
    expect(rulesOf(decision)).toBe(rules);
    expect(decision.event).toBeNull();
  });

  test("a writable co-master is not said to replicate from nobody", () => {
    expect(decide("co-masters-both-writable").reason).toBe(
      "127.0.0.1:3312 is writable beside the master, as its co-master",
    );
  });
});

describe("a takeover of which the record knows", () => {
  test.each<[string, string]>([
    ["graceful-takeover", "in-agreement"],
    ["former-master-follows", "in-agreement"],
    ["after-dead-co-master", "in-agreement"],
    ["co-master-returned-writable", "former-master-writable"],
    // Orchestrator had begun another recovery of the dead master beside the one whose hook took long.
    ["recovery-ended", "recovery-running"],
  ])("%s: %s", (situation, rules) => {
    const [first] = recordedView(situation).recoveries;
    const beganAt = first?.beganAt ?? "";
    const record = { master: at3312, previous: at3311, quarantined: [at3311], decidedAt: beganAt };
    const cause = { ...recordOf().cause, recoveryUid: first?.uid ?? "" };
    const decision = decide(situation, { record: { ...record, cause }, policy: "repair" });
    expect(rulesOf(decision)).toBe(rules);
    expect(decision.event).toBeNull();
  });
});

describe("repair", () => {
  const repair = { policy: "repair" } as const;

  test.each<[string, string, Look]>([
    ["moved-by-hand", "repair-master another-master", {}],
    ["co-masters-other-writable", "repair-master another-master", {}],
    ["moved-by-hand", "repair-waits another-master", { heldMs: 29_999 }],
    ["another-claims", "repair-no-predecessor another-master", {}],
    ["downtimed-server-claims", "downtimed-server-claims", {}],
    ["several-claim", "several-claim", {}],
    ["unknown-server-claims", "unknown-server-claims", {}],
  ])("%s: %s", (situation, rules, look) => {
    const decision = decide(situation, { ...repair, ...look });
    expect(rulesOf(decision)).toBe(rules);
    expect(decision.event?.kind ?? null).toBe(rules.startsWith("repair-master") ? "open" : null);
  });
});

describe("recoveries", () => {
  test.each<[string, string, string]>([
    ["graceful-takeover", "DeadMaster", "127.0.0.1:3312"],
    ["recovery-ended", "DeadMaster", "127.0.0.1:3312"],
    ["after-dead-co-master", "DeadCoMaster", "127.0.0.1:3312"],
    ["replica-lost-in-recovery", "DeadMaster", "127.0.0.1:3312"],
  ])("%s: a hook that did not come is replayed, %s, %s", (situation, failureType, successor) => {
    const { rule, event } = decide(situation);
    expect(rule).toBe("replay-recovery");
    expect(event).toMatchObject({ kind: "open", outgoing: at3311, cause: { failureType } });
    expect(event?.kind === "open" && `${event.successor.host}:${String(event.successor.port)}`).toBe(
      successor,
    );
  });

  test.each<[string, string, Look]>([
    ["graceful-takeover", "replay-waits another-master", { heldMs: 4999 }],
    ["recovery-running", "recovery-running master-unreachable", {}],
    ["recovery-aborted", "recovery-running master-unreachable", {}],
    ["recovery-aborted", "master-unreachable", { laterMs: 120_000 }],
    ["successor-read-only", "replay-unconfirmed master-unreachable", {}],
    ["promotion-not-applied", "replay-unconfirmed master-unreachable", {}],
    ["promotion-not-applied-detached", "replay-unconfirmed master-unreachable", {}],
    ["intermediate-master-recovered", "in-agreement", {}],
  ])("%s: %s", (situation, rules, look) => {
    const decision = decide(situation, look);
    expect(rulesOf(decision)).toBe(rules);
    expect(decision.event).toBeNull();
  });
});

describe("where Primacy opens masters itself", () => {
  const layout = layoutOf({ servers: [at3311, at3312, at3313], openedBy: "primacy" });

  test.each(["promotion-not-applied", "promotion-not-applied-detached"])(
    "%s: the successor is read-only and has its old source, or what Orchestrator left of it",
    (situation) => {
      expect(decide(situation, { layout })).toMatchObject({
        rule: "replay-recovery",
        event: { kind: "open", outgoing: at3311, successor: at3312 },
      });
    },
  );
});

describe("a drain whose deadline is over", () => {
  /** Over for so long when it was recorded. */
  const drained = (situation: string, overMs: number): RecordDecision => {
    const deadline = new Date(Date.parse(recordedAt(situation)) - overMs).toISOString();
    return decide(situation, { record: { phase: "draining", deadline } });
  };

  test.each<[string, number, string, string | null]>([
    ["healthy", 10_000, "deadline-aborts", "abort"],
    ["healthy", 500, "deadline-waits", null],
    ["master-read-only", 10_000, "deadline-shouts master-read-only", null],
    ["master-unreachable", 10_000, "deadline-shouts master-unreachable", null],
    ["second-writable-master", 10_000, "deadline-shouts second-writable-master", null],
    ["graceful-takeover", 10_000, "replay-recovery another-master", "open"],
  ])("%s, over for %i ms: %s", (situation, overMs, rules, event) => {
    const decision = drained(situation, overMs);
    expect(rulesOf(decision).split(" ").slice(0, 2).join(" ")).toBe(rules);
    expect(decision.event?.kind ?? null).toBe(event);
  });
});

describe("members, over several looks", () => {
  const settings = { worseAfterMs: 3000, betterAfterMs: 5000, settleMs: 60_000 };
  const layout = layoutOf({ servers: [at3311, at3312, at3313], discover: true });

  /** Looks at each situation once a second, for so many seconds. */
  const watched = (...looks: readonly (readonly [string, number])[]): string => {
    let nowMs = 0;
    let membership = newMembership(at3311);
    for (const [situation, seconds] of looks) {
      const view = recordedView(situation, layout);
      for (let second = 0; second < seconds; second++) {
        nowMs += 1000;
        membership = observe(membership, view, { layout, record: recordOf(BEFORE), nowMs, settings });
      }
    }
    const joined = membership.servers.filter((one) => one.joined).map((one) => String(one.server.port));
    const states = beliefs(membership).map(({ server, state }) => `${String(server.port)}=${state}`);
    return `${states.sort().join(" ")} joined ${joined.join(" ") || "none"}`;
  };
  const fine = "3311=master 3312=replica 3313=replica";

  test.each<[string, readonly (readonly [string, number])[], string]>([
    ["a stranger joins", [["stranger-replicates", 70]], `${fine} 3314=replica joined 3314`],
    [
      "and leaves",
      [
        ["stranger-replicates", 70],
        ["healthy", 61],
      ],
      `${fine} joined none`,
    ],
    [
      "another cluster's servers, to which the alias has moved, don't join, and nobody leaves",
      [
        ["stranger-replicates", 70],
        ["alias-elsewhere", 300],
      ],
      `${fine} 3314=standalone 3315=astray 3316=astray 3317=astray joined 3314`,
    ],
    [
      "an alias that is lost for minutes changes nothing",
      [
        ["stranger-replicates", 70],
        ["alias-lost", 300],
      ],
      `${fine} 3314=replica joined 3314`,
    ],
    [
      "replicas of a master that is away go on reading for the layout's lag, and no longer",
      [
        ["healthy", 10],
        ["master-unreachable", 30],
      ],
      "3311=unreachable 3312=replica 3313=replica joined none",
    ],
    [
      "one that is dead itself does not",
      [
        ["healthy", 10],
        ["replica-unreachable", 4],
      ],
      "3311=master 3312=replica 3313=unreachable joined none",
    ],
  ])("%s", (_what, looks, expected) => {
    expect(watched(...looks)).toBe(expected);
  });
});
