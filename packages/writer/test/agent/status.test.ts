import type { AcknowledgementEntry } from "@primacy/consul-store";
import {
  ABSENT,
  type Acknowledgement,
  type Document,
  type Layout,
  type Member,
  type Members,
  layoutText,
  membersText,
  readLayout,
  readMembers,
  readRecord,
  recordText,
} from "@primacy/contract";
import { describe, expect, test } from "vitest";
import { type ClusterStatus, type StatusInput, clusterStatus } from "../../src/agent/status.js";
import {
  NOW,
  NOW_MS,
  db1,
  db2,
  db3,
  layoutOf,
  memberOf,
  membersOf as sampleMembers,
  recordOf,
} from "./samples.js";

const master = memberOf(db1, {
  readOnly: false,
  replicating: false,
  replicatesFrom: null,
  followsMaster: null,
});

function membersOf(servers: readonly Member[], changes: Partial<Members> = {}): Document<Members> {
  return readMembers(
    membersText(sampleMembers(servers, { observedAt: NOW, observedBy: "orc1", ...changes })),
  );
}

function entry(
  proxy: string,
  changes: Partial<Acknowledgement> = {},
  sessionId: string | null = "s",
): AcknowledgementEntry {
  const value: Acknowledgement = {
    format: 1,
    proxy,
    cluster: "main",
    generation: 7,
    incarnation: "incarnation-1",
    phase: "open",
    state: "applied",
    appliedGeneration: 7,
    writers: [db1],
    connectionsInUse: 0,
    at: NOW,
    tookMs: 3,
    reason: null,
    watcher: "0.1.0",
    ...changes,
  };
  return { proxy, document: { kind: "valid", value, text: "" }, sessionId, index: 1 };
}

interface Changes {
  readonly record?: StatusInput["snapshot"]["record"];
  readonly members?: Document<Members>;
  readonly layout?: Layout;
  readonly roster?: StatusInput["roster"];
  readonly agentLeads?: boolean;
  readonly folderEmpty?: boolean;
}

const healthy = membersOf([master, memberOf(db2), memberOf(db3)]);
const stored = (changes: Parameters<typeof recordOf>[0] = {}) => readRecord(recordText(recordOf(changes)));

function status(changes: Changes = {}): ClusterStatus {
  return clusterStatus({
    snapshot: {
      cluster: "main",
      record: changes.record ?? stored(),
      layout: readLayout(layoutText(changes.layout ?? layoutOf())),
      members: changes.members ?? healthy,
      folderEmpty: changes.folderEmpty ?? false,
    },
    roster:
      changes.roster === undefined ? { acknowledgements: [entry("px1"), entry("px2")] } : changes.roster,
    agentLeads: changes.agentLeads ?? true,
    nowMs: NOW_MS,
  });
}

const fenced = { phase: "fenced", deadline: "2026-11-21T10:00:30.000Z" } as const;
const disagreement = (rule: string) =>
  membersOf([master, memberOf(db2)], { disagreement: { since: NOW, rule, reason: "db2:3306 …" } });

describe("the state of a cluster", () => {
  test("ok: one sentence, and nothing to do", () => {
    expect(status()).toEqual({
      cluster: "main",
      state: "ok",
      says: "db1:3306 takes writes on 2 proxies at generation 7",
      next: null,
      proxies: [
        { proxy: "px1", generation: 7, behind: null },
        { proxy: "px2", generation: 7, behind: null },
      ],
      notes: [],
    });
  });

  test.each<[string, Changes, string, string]>([
    ["without a record", { record: ABSENT, folderEmpty: true }, "down", "bootstrap"],
    ["with a damaged record", { record: readRecord("{}") }, "down", "history"],
    ["draining", { record: stored({ ...fenced, phase: "draining" }) }, "draining", "wait"],
    ["fenced", { record: stored(fenced) }, "fenced", "wait"],
    [
      "fenced for too long",
      { record: stored({ ...fenced, deadline: "2026-11-21T09:59:30.000Z" }) },
      "fenced",
      "primacy-writer resolve main",
    ],
    [
      "whose master is dead",
      { members: membersOf([memberOf(db1, { reachable: false }), memberOf(db2)]) },
      "down",
      "Orchestrator's recoveries",
    ],
    [
      "whose master is read-only",
      { members: membersOf([{ ...master, readOnly: true }]) },
      "down",
      "takeover",
    ],
    ["in disagreement", { members: disagreement("another-master") }, "disagreement", "--generation 7"],
    [
      "with a former master that is writable",
      { members: disagreement("former-master-writable") },
      "disagreement",
      "read-only",
    ],
    [
      "without its alias",
      { members: disagreement("alias-unknown") },
      "disagreement",
      "DetectClusterAliasQuery",
    ],
    [
      "whose proxies are behind",
      { roster: { acknowledgements: [entry("px1"), entry("px2", { generation: 6, appliedGeneration: 6 })] } },
      "failing over",
      "px2",
    ],
    [
      "whose proxies refuse an older record",
      {
        roster: {
          acknowledgements: [
            entry("px1", { state: "refused", appliedGeneration: 9, reason: "lower-generation: …" }),
            entry("px2", { state: "refused", appliedGeneration: 12, reason: "lower-generation: …" }),
          ],
        },
      },
      "disagreement",
      "set main --master host:port --generation 7, until the generation is above 12",
    ],
    [
      "whose proxies refuse a record of another history",
      { roster: { acknowledgements: [entry("px1", { state: "refused", reason: "other-incarnation: …" })] } },
      "disagreement",
      "primacy-watcher accept --cluster main --generation 7",
    ],
    ["without a live watcher", { roster: { acknowledgements: [] } }, "degraded", "start primacy-watcher"],
    [
      "whose watchers are all gone",
      { roster: { acknowledgements: [entry("px1", {}, null)] } },
      "degraded",
      "start primacy-watcher",
    ],
    [
      "without a live watcher, under a lease",
      { layout: layoutOf({ onConsulLoss: "lease" }), roster: { acknowledgements: [] } },
      "down",
      "start primacy-watcher",
    ],
    [
      "whose proxies follow another history",
      { roster: { acknowledgements: [entry("px1", { incarnation: "incarnation-0" })] } },
      "failing over",
      "px1",
    ],
    [
      "with a broken replica",
      { members: membersOf([master, memberOf(db2, { replicating: false }), memberOf(db3)]) },
      "degraded",
      "SHOW REPLICA STATUS",
    ],
  ])("%s", (_what, changes, state, next) => {
    const told = status(changes);
    expect(told.state).toBe(state);
    expect(told.next).toContain(next);
  });

  test("names the proxies that are behind, and why", () => {
    const told = status({ roster: { acknowledgements: [entry("px1"), entry("px2", { generation: 6 })] } });
    expect(told.says).toBe("1 of 2 proxies are not at generation 7: px2 (at generation 6)");
  });

  test("a restored record's old master gets no advice of its own", () => {
    const told = status({
      members: membersOf([{ ...master, readOnly: true }]),
      roster: { acknowledgements: [entry("px1", { state: "refused", reason: "lower-generation: …" })] },
    });
    expect(told.says).toBe("1 of 1 proxies refuse generation 7: px1 (lower-generation: …)");
    expect(told.next).not.toContain("writable");
  });

  test("says nothing of proxies that could not be asked", () => {
    expect(status({ roster: null }).says).toBe("db1:3306 takes writes");
  });

  test("names the replicas that are broken", () => {
    const members = membersOf([
      master,
      memberOf(db2, { lagSeconds: 31 }),
      memberOf(db3, { reachable: false }),
    ]);
    expect(status({ members }).says).toBe(
      "db1:3306 takes writes; db2:3306 is lagging, db3:3306 is unreachable",
    );
  });

  test("a downtimed replica is as somebody wants it", () => {
    expect(
      status({
        members: membersOf([master, memberOf(db2, { downtime: { reason: "backup", endsAt: null } })]),
      }).state,
    ).toBe("ok");
  });

  test("one that a recovery has lost is not", () => {
    const members = membersOf([
      master,
      memberOf(db2, { reachable: false, downtime: { reason: "lost-in-recovery", endsAt: null } }),
    ]);
    expect(status({ members })).toMatchObject({
      state: "degraded",
      says: "db1:3306 takes writes; db2:3306 is lost-in-recovery",
    });
  });

  test("a replica that is behind on purpose, and serves no reads, is as somebody wants it", () => {
    const members = membersOf([master, memberOf(db2, { lagSeconds: 3600 })]);
    expect(status({ members, layout: layoutOf({ servers: [db1, { ...db2, reads: false }] }) }).state).toBe(
      "ok",
    );
    expect(status({ members, layout: layoutOf({ servers: [db1, db2] }) }).state).toBe("degraded");
  });

  test("a watcher that is gone is not behind", () => {
    expect(
      status({ roster: { acknowledgements: [entry("px1"), entry("px2", { generation: 1 }, null)] } }).state,
    ).toBe("ok");
  });

  test("judgements against another master say nothing of this one", () => {
    const members = membersOf([memberOf(db1, { reachable: false })], { master: db2 });
    expect(status({ members }).state).toBe("ok");
  });

  test.each<[string, Changes, string]>([
    ["that no agent leads", { agentLeads: false }, "no agent leads"],
    ["that nobody has judged the replicas", { members: ABSENT }, "all of them read"],
    [
      "that the replicas are held",
      { members: membersOf([master], { held: { since: NOW, rule: "orchestrator-away", reason: "away" } }) },
      "away",
    ],
    ["that the proxies are not known", { roster: null }, "could not be read"],
    [
      "that the master is not in the layout",
      { layout: layoutOf({ servers: [db2, db3] }), members: ABSENT },
      "db1:3306 is not in the layout",
    ],
    [
      "who is downtimed",
      { members: membersOf([master, memberOf(db2, { downtime: { reason: "backup", endsAt: null } })]) },
      "db2:3306 is downtimed",
    ],
  ])("notes %s", (_what, changes, note) => {
    const told = status(changes);
    expect(told.state).toBe("ok");
    expect(told.notes.join("\n")).toContain(note);
  });
});
