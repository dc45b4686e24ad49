import { type Layout, type MasterRecord, type Members, membersText, readMembers } from "@primacy/contract";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { meaningOf, membersDocument, membershipFrom } from "../../src/agent/members-document.js";
import { type Membership, beliefs, newMembership, observe } from "../../src/agent/membership.js";
import type { Instance } from "../../src/agent/orchestrator/instance.js";
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
  replica,
  root,
  viewOf,
} from "./samples.js";
import { RECORDED_LAYOUT, at3311, at3312, recordedAt, recordedView } from "./recorded.js";

const settings = { worseAfterMs: 3000, betterAfterMs: 5000, settleMs: 60_000 };

/** A cluster that is looked at second by second. */
class Watch {
  nowMs = NOW_MS;
  membership: Membership;

  constructor(
    readonly layout: Layout = layoutOf(),
    public record: MasterRecord = recordOf(),
    membership?: Membership,
  ) {
    this.membership = membership ?? newMembership(record.master);
  }

  /** Looks once a second, as long as told; the last look is at the end. */
  see(parts: ViewParts, seconds = 60): this {
    for (let second = 0; second < seconds; second++) {
      this.nowMs += 1000;
      const { layout, record, nowMs } = this;
      this.membership = observe(this.membership, viewOf(parts, layout), { layout, record, nowMs, settings });
    }
    return this;
  }

  get document(): Members {
    return membersDocument(this.membership, {
      cluster: "main",
      nowMs: this.nowMs,
      observedMs: this.nowMs,
      observedBy: "agent1",
      held: null,
      disagreement: null,
    });
  }

  get meaning(): string {
    return meaningOf(this.document, this.record, this.layout);
  }

  get states(): string {
    return beliefs(this.membership)
      .map(({ server, state }) => `${server.host}=${state}`)
      .sort()
      .join(" ");
  }

  member(host: string) {
    return this.document.servers.find((one) => one.host === host);
  }
}

const listedWith = (...changed: Instance[]): ViewParts => ({
  listed: HEALTHY.map((one) => changed.find((other) => other.name === one.name) ?? one),
});

describe("what a server is", () => {
  test.each<[string, ViewParts, string]>([
    ["healthy", { listed: HEALTHY }, "db1=master db2=replica db3=replica"],
    [
      "behind an intermediate master",
      listedWith(replica(db3, { source: db2 })),
      "db1=master db2=replica db3=replica",
    ],
    [
      "behind an intermediate master that has stopped, without any lag of its own",
      listedWith(replica(db2, { ioThread: "stopped" }), replica(db3, { source: db2 })),
      "db1=master db2=broken db3=astray",
    ],
    [
      "behind an intermediate master that can't be seen now",
      listedWith(replica(db2, DEAD), replica(db3, { source: db2 })),
      "db1=master db2=unreachable db3=replica",
    ],
    [
      "behind a server that nobody knows",
      listedWith(replica(db3, { source: db4 })),
      "db1=master db2=replica db3=replica",
    ],
    [
      "in a circle",
      listedWith(replica(db2, { source: db3 }), replica(db3, { source: db2 })),
      "db1=master db2=astray db3=astray",
    ],
    ["lagging", listedWith(replica(db2, { lagSeconds: 31 })), "db1=master db2=lagging db3=replica"],
    ["of unknown lag", listedWith(replica(db2, { lagSeconds: null })), "db1=master db2=broken db3=replica"],
    [
      "broken by its SQL thread",
      listedWith(replica(db2, { sqlThread: "stopped" })),
      "db1=master db2=broken db3=replica",
    ],
    [
      "still connecting",
      listedWith(replica(db2, { ioThread: "connecting" })),
      "db1=master db2=broken db3=replica",
    ],
    ["standalone", listedWith(root(db2, { readOnly: true })), "db1=master db2=standalone db3=replica"],
    [
      "cut off by Orchestrator",
      listedWith(replica(db2, { source: null, detached: true })),
      "db1=master db2=standalone db3=replica",
    ],
    ["downtimed", listedWith(replica(db2, LOST)), "db1=master db2=downtimed db3=replica"],
    ["unreachable", listedWith(replica(db2, DEAD)), "db1=master db2=unreachable db3=replica"],
    [
      "not checked lately",
      listedWith(replica(db2, { recentlyChecked: false })),
      "db1=master db2=unreachable db3=replica",
    ],
    ["a master in downtime", listedWith(root(db1, LOST)), "db1=master db2=replica db3=replica"],
    [
      "a master out of Orchestrator's reach",
      listedWith(root(db1, DEAD)),
      "db1=unreachable db2=replica db3=replica",
    ],
  ])("%s", (_what, parts, states) => {
    expect(new Watch().see(parts).states).toBe(states);
  });

  test("of an unreachable server, what Orchestrator repeats of it is no fact", () => {
    expect(
      new Watch().see(listedWith(replica(db2, { ...DEAD, readOnly: false }))).member("db2"),
    ).toMatchObject({
      reachable: false,
      readOnly: null,
      replicating: false,
      ioThread: null,
      lagSeconds: null,
      lastSeenAt: "2026-11-21T09:59:30.000Z",
    });
  });

  test("a demoted master after a graceful takeover without -auto: a source, and nothing runs", () => {
    const demoted = replica(db1, { source: db2, ioThread: "stopped", sqlThread: "stopped", ...LOST });
    const watch = new Watch(layoutOf(), recordOf({ master: db2, quarantined: [db1] }));
    watch.see({ listed: [root(db2), demoted, replica(db3, { source: db2 })] });
    expect(watch.member("db1")).toMatchObject({
      replicating: false,
      followsMaster: false,
      followsMasterSince: null,
    });
  });

  test("on the recorded answers: the dead master is no reader, the others follow the new one", () => {
    const record = recordOf({ master: at3312, quarantined: [at3311] });
    const watch = (situation: "after-dead-master" | "old-master-returned-writable") =>
      membersDocument(
        [0, 4000].reduce<Membership>(
          (before, after) =>
            observe(before, recordedView(situation), {
              layout: RECORDED_LAYOUT,
              record,
              nowMs: Date.parse(recordedAt(situation)) + after,
              settings,
            }),
          newMembership(at3312),
        ),
        {
          cluster: "main",
          nowMs: NOW_MS,
          observedMs: NOW_MS,
          observedBy: "agent1",
          held: null,
          disagreement: null,
        },
      ).servers.map(({ port, reachable, readOnly, followsMaster }) => ({
        port,
        reachable,
        readOnly,
        followsMaster,
      }));
    const others = [
      { port: 3312, reachable: true, readOnly: false, followsMaster: null },
      { port: 3313, reachable: true, readOnly: true, followsMaster: true },
    ];
    expect(watch("after-dead-master")).toEqual([
      { port: 3311, reachable: false, readOnly: null, followsMaster: null },
      ...others,
    ]);
    expect(watch("old-master-returned-writable")).toEqual([
      { port: 3311, reachable: true, readOnly: false, followsMaster: false },
      ...others,
    ]);
  });
});

describe("hysteresis", () => {
  const bad = listedWith(replica(db2, DEAD));
  const good = { listed: HEALTHY };

  test("a failed check that doesn't last changes nothing", () => {
    const watch = new Watch().see(good);
    const before = watch.meaning;
    expect(watch.see(bad, 3).meaning).toBe(before);
    expect(watch.see(good, 1).see(bad, 3).meaning).toBe(before);
  });

  test("one that lasts is believed, and so is a return that lasts", () => {
    const watch = new Watch().see(good).see(bad, 4);
    expect(watch.states).toContain("db2=unreachable");
    expect(watch.see(good, 5).states).toContain("db2=unreachable");
    expect(watch.see(good, 1).states).toContain("db2=replica");
  });

  test("broken and unreachable in turn is one doubt", () => {
    const watch = new Watch().see(good);
    for (let turn = 0; turn < 2; turn++)
      watch.see(bad, 1).see(listedWith(replica(db2, { ioThread: "stopped" })), 1);
    expect(watch.states).not.toContain("db2=replica");
  });

  test("a downtime and its end hold at once", () => {
    const watch = new Watch().see(good);
    expect(
      watch.see(listedWith(replica(db2, { downtime: { reason: "backup", endsAt: null } })), 1).states,
    ).toContain("db2=downtimed");
    expect(watch.see(good, 1).states).toContain("db2=replica");
  });

  test("a server that comes and goes must stay longer each time", () => {
    const watch = new Watch().see(good);
    const secondsToReturn = (): number => {
      watch.see(bad, 5);
      let seconds = 0;
      while (!watch.states.includes("db2=replica")) {
        watch.see(good, 1);
        seconds++;
      }
      return seconds;
    };
    expect([secondsToReturn(), secondsToReturn(), secondsToReturn(), secondsToReturn()]).toEqual([
      6, 11, 21, 41,
    ]);
    watch.see(good, 601);
    expect(secondsToReturn()).toBe(6);
  });

  test("nothing is said of a server before it has been looked at for a while", () => {
    const watch = new Watch().see(bad, 2);
    expect(watch.document.servers.map((one) => one.host)).toEqual(["db1"]);
    expect(watch.see(bad, 2).document.servers).toHaveLength(3);
  });

  test("a server that is missing from the answers stays as it was", () => {
    const watch = new Watch().see(good);
    const before = watch.meaning;
    expect(watch.see({ listed: HEALTHY.slice(0, 2) }, 600).meaning).toBe(before);
  });
});

describe("while the master is dead and nobody has followed it", () => {
  const waits = { ioThread: "connecting", lagSeconds: null } as const;
  const dead = listedWith(root(db1, DEAD), replica(db2, waits), replica(db3, waits));

  test("its replicas go on reading, for as long as they can't be too far behind", () => {
    const watch = new Watch().see({ listed: HEALTHY });
    const before = watch.document.servers.slice(1);
    expect(watch.see(dead, 30).document.servers.slice(1)).toEqual(before);
    expect(watch.see(dead, 1).states).toBe("db1=unreachable db2=broken db3=broken");
  });

  test("so do those behind an intermediate master", () => {
    const chain = listedWith(root(db1, DEAD), replica(db2, waits), replica(db3, { source: db2 }));
    const watch = new Watch().see({ listed: HEALTHY }).see(chain, 30);
    expect(watch.states).toBe("db1=unreachable db2=replica db3=replica");
  });

  test("so do those that follow a successor of which no hook has told, and then it is looked at anew", () => {
    const watch = new Watch().see({ listed: HEALTHY }).see(dead, 10).see(AFTER_FAILOVER, 10);
    expect(watch.states).toBe("db1=unreachable db2=replica db3=replica");
    watch.record = recordOf({ master: db2, quarantined: [db1], generation: 8 });
    const late = { ...AFTER_FAILOVER, listed: [root(db2), replica(db3, { source: db1, ...waits })] };
    expect(watch.see(late, 3).states).toBe("db1=downtimed db2=master db3=replica");
    expect(watch.see(AFTER_FAILOVER, 10).states).toBe("db1=downtimed db2=master db3=replica");
  });

  test("one that is away itself, or that an operator takes out, is out as ever", () => {
    const watch = new Watch().see({ listed: HEALTHY });
    watch.see(listedWith(root(db1, DEAD), replica(db2, DEAD), replica(db3, { ...waits, ...LOST })), 4);
    expect(watch.states).toBe("db1=unreachable db2=unreachable db3=downtimed");
  });

  test("a master that is back has no further patience with them", () => {
    const back = listedWith(root(db1), replica(db2, waits), replica(db3));
    const watch = new Watch().see({ listed: HEALTHY }).see(dead, 10).see(back, 1);
    expect(watch.states).toBe("db1=master db2=broken db3=replica");
  });

  test("a quarantine that is not over does not end, and one that was is no worse than the others", () => {
    const record = recordOf({ master: db2, quarantined: [db1] });
    const follows = { listed: [root(db2), replica(db1, { source: db2 }), replica(db3, { source: db2 })] };
    const gone = {
      listed: [
        root(db2, DEAD),
        replica(db1, { source: db2, ...waits }),
        replica(db3, { source: db2, ...waits }),
      ],
    };
    const since = (seconds: number) =>
      new Watch(layoutOf(), record).see(follows, seconds).see(gone, 25).member("db1")?.followsMasterSince;
    expect(since(50)).toBeNull();
    expect(since(90)).toBe(new Date(NOW_MS + 1000).toISOString());
  });
});

describe("a former master", () => {
  const record = recordOf({ master: db2, quarantined: [db1], decidedAt: "2026-11-21T09:59:50.000Z" });
  const follows = { listed: [root(db2), replica(db1, { source: db2 }), replica(db3, { source: db2 })] };
  const flickers = {
    listed: [root(db2), replica(db1, { source: db2, ...DEAD }), replica(db3, { source: db2 })],
  };
  const writable = {
    listed: [root(db2), replica(db1, { source: db2, readOnly: false }), replica(db3, { source: db2 })],
  };
  const cutLoose = { listed: [root(db2), root(db1), replica(db3, { source: db2 })] };
  const watching = () => new Watch(layoutOf(), record);
  const heldSeconds = (watch: Watch): number | null => {
    const since = watch.member("db1")?.followsMasterSince ?? null;
    return since === null ? null : (watch.nowMs - Date.parse(since)) / 1000;
  };

  test("is counted from when it is first seen read-only and following", () => {
    expect(heldSeconds(watching().see(AFTER_FAILOVER).see(follows, 11))).toBe(10);
  });

  test("a failed check is no break, seen writable is one at once", () => {
    expect(heldSeconds(watching().see(follows, 10).see(flickers, 2).see(follows, 10))).toBe(21);
    expect(heldSeconds(watching().see(follows, 10).see(writable, 1).see(follows, 10))).toBe(9);
    expect(heldSeconds(watching().see(follows, 10).see(cutLoose, 1).see(follows, 10))).toBe(9);
    expect(heldSeconds(watching().see(follows, 10).see(flickers, 5).see(follows, 10))).toBe(9);
  });

  test("following the wrong server is not following", () => {
    const astray = { listed: [root(db2), replica(db1, { source: db3 }), root(db3, { readOnly: true })] };
    expect(heldSeconds(watching().see(astray))).toBeNull();
  });

  test("that its time is over is news, the seconds before are not", () => {
    const watch = watching().see(follows, 30);
    const meanings = new Set<string>();
    for (let second = 0; second < 60; second++) meanings.add(watch.see(follows, 1).meaning);
    expect(meanings.size).toBe(2);
  });

  test("begins anew when another one becomes master", () => {
    const watch = watching().see(follows, 90);
    watch.record = recordOf({ master: db3, quarantined: [db1, db2], generation: 9 });
    expect(heldSeconds(watch.see(follows, 1))).toBeNull();
    const moved = { listed: [root(db3), replica(db1, { source: db3 }), replica(db2, { source: db3 })] };
    expect(heldSeconds(watch.see(moved, 1).see(moved, 9))).toBe(9);
  });
});

describe("a change of agents", () => {
  const takenOver = (watch: Watch): Watch => {
    const stored = readMembers(membersText(watch.document));
    if (stored.kind !== "valid") throw new Error("unreadable");
    const nowMs = watch.nowMs + 20_000;
    const membership = membershipFrom(stored.value, watch.record, watch.layout, nowMs);
    const next = new Watch(watch.layout, watch.record, membership);
    next.nowMs = nowMs;
    return next;
  };

  test("changes nothing that was believed", () => {
    const before = new Watch().see(
      listedWith(replica(db2, { ioThread: "stopped" }), replica(db3, { lagSeconds: 40 })),
    );
    expect(takenOver(before).meaning).toBe(before.meaning);
    expect(takenOver(before).see(listedWith(replica(db2, DEAD)), 1).states).toContain("db2=broken");
  });

  test("begins a quarantine anew that was not over, and leaves one alone that was", () => {
    const record = recordOf({ master: db2, quarantined: [db1] });
    const follows = { listed: [root(db2), replica(db1, { source: db2 })] };
    const after = (seconds: number) => {
      const next = takenOver(new Watch(layoutOf(), record).see(follows, seconds)).see(follows, 10);
      const since = next.member("db1")?.followsMasterSince ?? null;
      return since === null ? null : (next.nowMs - Date.parse(since)) / 1000;
    };
    expect(after(30)).toBe(9);
    expect(after(90)).toBeGreaterThan(90);
  });
});

describe("what is written", () => {
  test("seconds of lag are no news, too many are", () => {
    const watch = new Watch().see({ listed: HEALTHY });
    const before = watch.meaning;
    expect(watch.see(listedWith(replica(db2, { lagSeconds: 29 })), 10).meaning).toBe(before);
    expect(watch.see(listedWith(replica(db2, { lagSeconds: 31 })), 10).meaning).not.toBe(before);
  });

  test("the end of a lost server's downtime, which moves with every poll, is no news", () => {
    const watch = new Watch().see(AFTER_FAILOVER);
    const before = watch.meaning;
    expect(watch.see(AFTER_FAILOVER, 30).meaning).toBe(before);
  });

  test.each<[string, Partial<Members>]>([
    [
      "that judgements are held",
      { held: { since: "2026-11-21T10:00:00.000Z", rule: "orchestrator-away", reason: "x" } },
    ],
    [
      "a disagreement",
      { disagreement: { since: "2026-11-21T10:00:00.000Z", rule: "another-master", reason: "x" } },
    ],
  ])("%s is news", (_what, changes) => {
    const watch = new Watch().see({ listed: HEALTHY });
    expect(meaningOf({ ...watch.document, ...changes }, watch.record, watch.layout)).not.toBe(watch.meaning);
  });
});

describe("servers that the layout doesn't name", () => {
  const layout = layoutOf({ discover: true });
  const withDb4 = { listed: [...HEALTHY, replica(db4)] };
  const hosts = (watch: Watch) => watch.document.servers.map((one) => one.host).join(" ");

  test("join after a settling time, where the layout wants that", () => {
    expect(hosts(new Watch(layout).see(withDb4, 60))).toBe("db1 db2 db3");
    const watch = new Watch(layout).see(withDb4, 64);
    expect(hosts(watch)).toBe("db1 db2 db3 db4");
    expect(watch.member("db4")).toMatchObject({ discovered: true, followsMaster: true });
    expect(hosts(new Watch(layoutOf()).see(withDb4, 300))).toBe("db1 db2 db3");
  });

  test.each<[string, Instance]>([
    ["replicate from nobody", root(db4)],
    ["follow another server", replica(db4, { source: { host: "db9", port: 3306 } })],
    ["are broken", replica(db4, { sqlThread: "stopped" })],
    ["can't be reached", replica(db4, DEAD)],
  ])("do not join while they %s", (_what, seen) => {
    expect(hosts(new Watch(layout).see({ listed: [...HEALTHY, seen] }, 300))).toBe("db1 db2 db3");
  });

  test("begin to settle anew after a gap", () => {
    const watch = new Watch(layout).see(withDb4, 50).see({ listed: HEALTHY }, 1).see(withDb4, 50);
    expect(hosts(watch)).toBe("db1 db2 db3");
  });

  test("stay, once they have joined, whatever becomes of them but leaving", () => {
    const watch = new Watch(layout).see(withDb4, 90).see({ listed: [...HEALTHY, replica(db4, DEAD)] }, 300);
    expect(watch.member("db4")).toMatchObject({ reachable: false });
  });

  test("leave after a settling time, and are named so that proxies drop them", () => {
    const watch = new Watch(layout).see(withDb4, 90).see({ listed: HEALTHY }, 60);
    expect(hosts(watch)).toBe("db1 db2 db3 db4");
    watch.see({ listed: HEALTHY }, 1);
    expect(hosts(watch)).toBe("db1 db2 db3");
    expect(watch.document.removed).toEqual([db4]);
    expect(watch.see({ listed: HEALTHY }, 600).document.removed).toEqual([db4]);
    expect(watch.see(withDb4, 90).document.removed).toEqual([]);
  });

  test.each<[string, ViewParts]>([
    ["has lost the alias", { listed: null, askedFor: HEALTHY }],
    ["answers an empty list", { listed: [], askedFor: HEALTHY }],
    [
      "has moved the alias to another cluster",
      { listed: [root({ host: "db9", port: 3306 }, { clusterName: "db9:3306" })], askedFor: HEALTHY },
    ],
    ["has given the alias to a successor of which no hook has told", AFTER_FAILOVER],
  ])("don't leave because Orchestrator %s", (_why, parts) => {
    const watch = new Watch(layout).see(withDb4, 90).see(parts, 600);
    expect(hosts(watch)).toBe("db1 db2 db3 db4");
    expect(watch.document.removed).toEqual([]);
  });

  test("leave at once where the layout no longer wants them, and stay where it names them", () => {
    const joined = new Watch(layout).see(withDb4, 90);
    const off = new Watch(layoutOf(), recordOf(), joined.membership).see(withDb4, 1);
    expect([hosts(off), off.document.removed]).toEqual(["db1 db2 db3", [db4]]);
    const named = new Watch(layoutOf({ servers: [db1, db2, db3, db4] }), recordOf(), joined.membership).see(
      withDb4,
      1,
    );
    expect([hosts(named), named.document.removed, named.member("db4")?.discovered]).toEqual([
      "db1 db2 db3 db4",
      [],
      false,
    ]);
  });
});

describe("laws of the members", () => {
  const anySeen = fc.record({
    checkValid: fc.boolean(),
    recentlyChecked: fc.boolean(),
    readOnly: fc.boolean(),
    source: fc.constantFrom(db1, db2, db3, db4, null),
    ioThread: fc.constantFrom("running", "stopped", "connecting", "none") as fc.Arbitrary<
      Instance["ioThread"]
    >,
    lagSeconds: fc.constantFrom(0, 31, null),
    downtime: fc.constantFrom(null, LOST.downtime),
  });
  const anyList = fc.array(
    fc.tuple(fc.constantFrom(db1, db2, db3, db4), anySeen).map(([name, seen]) => replica(name, seen)),
    { maxLength: 5 },
  );

  test("whatever is answered, the document can be read again, and means the same", () => {
    fc.assert(
      fc.property(fc.array(anyList, { maxLength: 12 }), fc.boolean(), (answers, discover) => {
        const watch = new Watch(layoutOf({ discover }));
        for (const listed of answers) watch.see({ listed }, 5);
        const read = readMembers(membersText(watch.document));
        if (read.kind !== "valid") throw new Error(`unreadable: ${JSON.stringify(read)}`);
        expect(meaningOf(read.value, watch.record, watch.layout)).toBe(watch.meaning);
      }),
    );
  });

  test("whatever was answered before, a replica that is healthy for a while is one", () => {
    fc.assert(
      fc.property(fc.array(anyList, { maxLength: 12 }), (answers) => {
        const watch = new Watch();
        for (const listed of answers) watch.see({ listed }, 5);
        watch.see({ listed: HEALTHY }, 310);
        expect(watch.states).toBe("db1=master db2=replica db3=replica");
      }),
    );
  });

  test("whatever is answered, only a server seen read-only and following is said to follow", () => {
    fc.assert(
      fc.property(fc.array(anyList, { maxLength: 12 }), (answers) => {
        const watch = new Watch();
        const everFollowed = new Set<string>();
        for (const listed of answers) {
          const last = new Map(viewOf({ listed }).servers.map((one) => [one.server.host, one]));
          for (const [host, seen] of last) {
            if (seen.checkValid && seen.recentlyChecked && seen.readOnly && seen.ioThread === "running")
              everFollowed.add(host);
          }
          watch.see({ listed }, 1);
          for (const member of watch.document.servers) {
            if (member.followsMasterSince !== null) expect(everFollowed).toContain(member.host);
          }
        }
      }),
    );
  });
});
