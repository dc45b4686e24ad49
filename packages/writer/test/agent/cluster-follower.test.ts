import type { Layout, MasterRecord, Server } from "@primacy/contract";
import { formatServer, sameServer } from "@primacy/contract";
import * as fc from "fast-check";
import { pino } from "pino";
import { describe, expect, test } from "vitest";
import { ClusterFollower } from "../../src/agent/cluster-follower.js";
import { AgentMetrics } from "../../src/agent/metrics.js";
import { commitEvent } from "../../src/commit.js";
import { OrchestratorError } from "../../src/agent/orchestrator/error.js";
import type { Instance } from "../../src/agent/orchestrator/instance.js";
import type { Recovery } from "../../src/agent/orchestrator/recovery.js";
import { clusterView } from "../../src/agent/view.js";
import { MemoryConsul, TestWorld, commitContextOf } from "./memory-consul.js";
import {
  AFTER_FAILOVER,
  DEAD,
  HEALTHY,
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
} from "./samples.js";

const silent = pino({ level: "silent" });
const metrics = new AgentMetrics();
const never = new AbortController().signal;

interface ScenarioOptions {
  readonly record?: Partial<MasterRecord>;
  readonly layout?: Layout;
  readonly policy?: "report" | "repair";
  readonly replayAfterMs?: number;
}

/** One cluster, its Consul and its Orchestrator; agents come and go. */
class Scenario {
  readonly world = new TestWorld(NOW_MS);
  readonly consul: MemoryConsul;
  readonly layout: Layout;
  /** What Orchestrator answers; null: nothing. */
  answer: ViewParts | null = { listed: HEALTHY };
  /** Done while Orchestrator is asked, once. */
  meanwhile: (() => Promise<unknown>) | null = null;
  leads = true;
  follower: ClusterFollower;
  readonly policy: "report" | "repair";

  constructor(private readonly options: ScenarioOptions = {}) {
    this.layout = options.layout ?? layoutOf();
    this.policy = options.policy ?? "report";
    this.consul = new MemoryConsul(recordOf(options.record), this.layout);
    this.follower = this.#newFollower();
  }

  /** Looks once a second. */
  async see(answer: ViewParts | null, seconds: number): Promise<this> {
    this.answer = answer;
    for (let second = 0; second < seconds; second++) {
      this.world.elapsedMs += 1000;
      await this.follower.pass(never);
    }
    return this;
  }

  /** The agent is gone, and another one begins from what lies in Consul. */
  replaceAgent(): void {
    this.consul.knife = null;
    this.follower = this.#newFollower();
  }

  get master(): string {
    const { generation, phase, master } = this.consul.master;
    return `${String(generation)} ${phase} ${master.host}`;
  }

  get memberStates(): string {
    const members = this.consul.memberDocument;
    if (members === null) return "none";
    return members.servers
      .map((one) => `${one.host}=${one.reachable ? (one.replicating ? "replicating" : "alone") : "away"}`)
      .join(" ");
  }

  #newFollower(): ClusterFollower {
    return new ClusterFollower(
      "main",
      "main",
      {
        decision: {
          policy: this.policy,
          repairAfterMs: 30_000,
          replayAfterMs: this.options.replayAfterMs ?? 5000,
          recoveryPatienceMs: 120_000,
        },
        membership: { worseAfterMs: 3000, betterAfterMs: 5000, settleMs: 60_000 },
        heldAfterMs: 10_000,
        reportAfterMs: 5000,
        consulDeadlineMs: 5000,
      },
      {
        store: this.consul,
        client: {
          readCluster: async () => {
            const { meanwhile } = this;
            this.meanwhile = null;
            await meanwhile?.();
            if (this.answer === null) {
              throw new OrchestratorError("ORCHESTRATOR_NO_LEADER", "no Orchestrator leads");
            }
            const { listed = [], askedFor = [], recoveries = [] } = this.answer;
            return clusterView({ listed: fresh(listed, this.world), askedFor, recoveries }, this.layout);
          },
        },
        commit: commitContextOf(this.consul, this.world),
        metrics,
        log: silent,
        agent: "orc1",
        leads: () => this.leads,
        onChange: () => undefined,
      },
    );
  }
}

/** Orchestrator looks at what it reaches all the time. */
function fresh(instances: readonly Instance[] | null, world: TestWorld): readonly Instance[] | null {
  return instances?.map((one) => (one.checkValid ? { ...one, answeredAtMs: world.now() } : one)) ?? null;
}

describe("a pass", () => {
  test("writes how the servers are once that is certain, and then only when it means something else", async () => {
    const scenario = await new Scenario().see({ listed: HEALTHY }, 120);
    expect(scenario.memberStates).toBe("db1=alone db2=replicating db3=replicating");
    // First the master, of which the record speaks; then the replicas, when they have been looked at for a while.
    expect(scenario.consul.writtenMembers).toHaveLength(2);
    await scenario.see({ listed: [root(db1), replica(db2, { lagSeconds: 20 }), replica(db3)] }, 60);
    expect(scenario.consul.writtenMembers).toHaveLength(2);
  });

  test("replays a lost hook, once and by its UID", async () => {
    const scenario = await new Scenario().see({ listed: HEALTHY }, 10);
    await scenario.see(AFTER_FAILOVER, 60);
    expect(scenario.master).toBe("8 open db2");
    expect(scenario.consul.history).toHaveLength(2);
    expect(scenario.consul.master.cause).toMatchObject({
      kind: "dead-master",
      rule: "open-new-master",
      recoveryUid: AFTER_FAILOVER.recoveries?.[0]?.uid,
    });
    expect(scenario.consul.memberDocument).toMatchObject({ master: db2, disagreement: null });
  });

  test("judges nobody against a master that it has just replaced", async () => {
    const scenario = await new Scenario({ replayAfterMs: 3000 }).see(AFTER_FAILOVER, 20);
    expect(scenario.master).toBe("8 open db2");
    expect(scenario.consul.writtenMembers.map((one) => one.master)).not.toContainEqual(db1);
  });

  test("keeps what it knew while Orchestrator is away, and says so once it lasts", async () => {
    const scenario = await new Scenario().see({ listed: HEALTHY }, 60);
    const before = scenario.memberStates;
    await scenario.see(null, 8);
    expect(scenario.consul.memberDocument?.held).toBeNull();
    await scenario.see(null, 600);
    expect(scenario.memberStates).toBe(before);
    expect(scenario.consul.memberDocument?.held).toMatchObject({ rule: "orchestrator-away" });
    expect(scenario.follower.status).toMatchObject({ held: true });
    await scenario.see({ listed: HEALTHY }, 2);
    expect(scenario.consul.memberDocument?.held).toBeNull();
  });

  test("says what it disagrees in, and since when, and takes it back", async () => {
    const scenario = await new Scenario().see({ listed: HEALTHY }, 60);
    const rival = { listed: [root(db1), root(db2), replica(db3)] };
    await scenario.see(rival, 30);
    expect(scenario.consul.memberDocument?.disagreement).toMatchObject({
      rule: "second-writable-master",
      since: new Date(NOW_MS + 61_000).toISOString(),
    });
    await scenario.see({ listed: HEALTHY }, 10);
    expect(scenario.consul.memberDocument?.disagreement).toBeNull();
  });

  test.each([
    ["back", -3_600_000],
    ["ahead", 3_600_000],
  ])(
    "a clock that is set %s by an hour neither hides a broken replica nor hurries a doubt",
    async (_way, ms) => {
      const scenario = await new Scenario().see({ listed: HEALTHY }, 60);
      const broken = { listed: [root(db1), replica(db2, { ioThread: "stopped" }), replica(db3)] };
      await scenario.see(broken, 1);
      scenario.world.setByMs = ms;
      await scenario.see(broken, 2);
      expect(scenario.memberStates).toBe("db1=alone db2=replicating db3=replicating");
      await scenario.see(broken, 2);
      expect(scenario.memberStates).toBe("db1=alone db2=alone db3=replicating");
    },
  );

  test("a clock that is set ahead lets no former master out of quarantine early", async () => {
    const record = { master: db2, quarantined: [db1] };
    const follows = {
      listed: [root(db2), replica(db1, { source: db2 }), replica(db3, { source: db2 })],
    };
    const scenario = await new Scenario({ record }).see(follows, 30);
    scenario.world.setByMs = 3_600_000;
    const heldSeconds = (): number => {
      const { observedAt, servers } = scenario.consul.memberDocument!;
      const since = servers.find((one) => one.host === "db1")?.followsMasterSince ?? observedAt;
      return (Date.parse(observedAt) - Date.parse(since)) / 1000;
    };
    await scenario.see(follows, 20);
    expect(heldSeconds()).toBeLessThan(60);
    await scenario.see(follows, 20);
    expect(heldSeconds()).toBe(60);
  });

  test("an alias that flaps, is lost, or leads to another cluster moves nobody", async () => {
    const scenario = await new Scenario().see({ listed: HEALTHY }, 30);
    const [before] = [scenario.memberStates];
    const elsewhere = { listed: [root(db4, { clusterName: "db4:3306" })], askedFor: HEALTHY };
    for (let turn = 0; turn < 40; turn++) {
      await scenario.see({ listed: null, askedFor: HEALTHY }, 1 + (turn % 3));
      await scenario.see(elsewhere, 1 + (turn % 4));
      await scenario.see({ listed: HEALTHY }, turn % 2);
    }
    expect([scenario.master, scenario.memberStates]).toEqual(["7 open db1", before]);
    expect(scenario.consul.memberDocument?.servers).toHaveLength(3);
  });

  test("of an agent that does not lead any more writes nothing", async () => {
    const scenario = new Scenario();
    scenario.leads = false;
    await scenario.see({ listed: HEALTHY }, 20);
    await scenario.see(AFTER_FAILOVER, 60);
    expect([scenario.master, scenario.memberStates]).toEqual(["7 open db1", "none"]);
  });

  const moved = { listed: [replica(db1, { source: db2 }), root(db2), replica(db3, { source: db2 })] };

  test("an operator's word that comes while it decides stands: what was decided before is not written", async () => {
    const scenario = await new Scenario({ policy: "repair" }).see(moved, 30);
    expect(scenario.master).toBe("7 open db1");
    scenario.meanwhile = () =>
      commitEvent(
        "main",
        {
          kind: "set",
          master: db1,
          seenGeneration: 7,
          beganAt: new Date(scenario.world.now()).toISOString(),
          cause: { kind: "operator", failureType: "", recoveryUid: "", command: "" },
        },
        scenario.world.elapsed() + 1000,
        commitContextOf(scenario.consul, scenario.world),
      );
    await scenario.see(moved, 1);
    expect(scenario.master).toBe("8 open db1");
    await scenario.see(moved, 29);
    expect(scenario.master).toBe("8 open db1");
    await scenario.see(moved, 2);
    expect(scenario.master).toBe("9 open db2");
  });

  test("a record that it may not write is a disagreement that people hear of", async () => {
    const scenario = await new Scenario().see({ listed: HEALTHY }, 60);
    scenario.consul.recordDenied = true;
    await scenario.see(AFTER_FAILOVER, 30);
    expect(scenario.master).toBe("7 open db1");
    expect(scenario.consul.memberDocument?.disagreement).toMatchObject({ rule: "replay-recovery" });
    scenario.consul.recordDenied = false;
    await scenario.see(AFTER_FAILOVER, 10);
    expect(scenario.master).toBe("8 open db2");
    expect(scenario.consul.memberDocument?.disagreement).toBeNull();
  });

  test("goes on where it may not see which proxies follow", async () => {
    const scenario = new Scenario();
    scenario.consul.acknowledgementsDenied = true;
    for (let pass = 0; pass < 20; pass++) {
      await scenario.see({ listed: HEALTHY }, 1);
      expect(scenario.follower.status.says).toContain("in-agreement");
      expect(scenario.follower.status.heardAtMs).toBe(scenario.world.now());
    }
    expect(scenario.memberStates).toBe("db1=alone db2=replicating db3=replicating");
  });

  test("replaces no members document that it can't read", async () => {
    const scenario = new Scenario();
    scenario.consul.members = '{"format":2}';
    await scenario.see({ listed: HEALTHY }, 30);
    expect(scenario.consul.members).toBe('{"format":2}');
  });

  test("ends a fence whose deadline is over", async () => {
    const record = { phase: "fenced", deadline: new Date(NOW_MS + 5000).toISOString() } as const;
    const scenario = await new Scenario({ record }).see({ listed: HEALTHY }, 5);
    expect(scenario.master).toBe("7 fenced db1");
    await scenario.see({ listed: HEALTHY }, 5);
    expect(scenario.master).toBe("8 open db1");
  });
});

describe("an agent killed at any step", () => {
  const whole = async (scenario: Scenario): Promise<Scenario> => {
    await scenario.see({ listed: HEALTHY }, 6);
    await scenario.see(AFTER_FAILOVER, 10);
    return scenario;
  };
  const follows = {
    ...AFTER_FAILOVER,
    listed: [root(db2), replica(db1, { source: db2 }), replica(db3, { source: db2 })],
    askedFor: [],
  };

  test("is followed by one that ends at the same place", async () => {
    const undisturbed = await (await whole(new Scenario())).see(follows, 20);
    for (const after of [false, true]) {
      for (let calls = 0; calls < 30; calls++) {
        const scenario = new Scenario();
        scenario.consul.knife = { calls, after };
        await whole(scenario);
        scenario.replaceAgent();
        await scenario.see(AFTER_FAILOVER, 10);
        await scenario.see(follows, 20);
        const place = `cut ${after ? "after" : "before"} call ${String(calls)}`;
        expect(scenario.master, place).toBe(undisturbed.master);
        expect(scenario.consul.history.length, place).toBe(2);
        expect(scenario.memberStates, place).toBe(undisturbed.memberStates);
      }
    }
  });
});

describe("laws of the record", () => {
  const servers = [db1, db2, db3];
  const anyInstance = (name: Server): fc.Arbitrary<Instance> =>
    fc
      .record({
        checkValid: fc.boolean(),
        recentlyChecked: fc.constantFrom(true, true, false),
        readOnly: fc.boolean(),
        source: fc.constantFrom(null, null, db1, db2, db3),
        downtime: fc.constantFrom(null, null, { reason: "lost-in-recovery", endsAt: null }),
      })
      .map((seen) => replica(name, { ...seen, ioThread: seen.source === null ? "none" : "running" }));
  const anyRecovery: fc.Arbitrary<Recovery> = fc
    .record({
      failed: fc.constantFrom(...servers),
      successor: fc.constantFrom(null, ...servers),
      successful: fc.boolean(),
      ended: fc.boolean(),
      analysis: fc.constantFrom("DeadMaster", "DeadCoMaster", "DeadIntermediateMaster"),
      second: fc.integer({ min: -30, max: 300 }),
    })
    .map(({ failed, successor, second, ...rest }) =>
      recoveryOf(failed, successor, { ...rest, beganAt: new Date(NOW_MS + second * 1000).toISOString() }),
    );
  const anyViewParts = fc.record({
    listed: fc.option(fc.tuple(...servers.map(anyInstance))),
    recoveries: fc.array(anyRecovery, { maxLength: 3 }),
  }) as fc.Arbitrary<ViewParts>;
  const anyAnswer = fc.option(anyViewParts, { freq: 8 });
  const anyStory = fc.array(fc.tuple(anyAnswer, fc.integer({ min: 1, max: 40 })), { maxLength: 8 });

  /** Has any answer shown Orchestrator's promotion of this server, by a recovery or by its own predecessor's replication? */
  function everPromoted(server: Server, story: readonly (readonly [ViewParts | null, number])[]): boolean {
    return story.some(([answer]) => {
      const byRecovery = answer?.recoveries?.some(
        (one) =>
          one.successful &&
          one.ended &&
          one.analysis !== "DeadIntermediateMaster" &&
          sameServer(one.successor, server),
      );
      const byReplication = answer?.listed?.some((one) => one.checkValid && sameServer(one.source, server));
      return byRecovery === true || byReplication === true;
    });
  }

  /** And has any shown it as what a master is? */
  function everValid(server: Server, story: readonly (readonly [ViewParts | null, number])[]): boolean {
    return story.some(([answer]) =>
      answer?.listed?.some(
        (one) =>
          sameServer(one.name, server) &&
          one.checkValid &&
          one.recentlyChecked &&
          !one.readOnly &&
          one.source === null,
      ),
    );
  }

  test.each(["report", "repair"] as const)(
    "policy %s: no sequence of answers makes the record name a server that Orchestrator never promoted",
    async (policy) => {
      await fc.assert(
        fc.asyncProperty(anyStory, async (story) => {
          const scenario = new Scenario({ policy });
          for (const [answer, seconds] of story) await scenario.see(answer, seconds);
          for (const record of scenario.consul.history.slice(1)) {
            const name = formatServer(record.master);
            expect(everPromoted(record.master, story), `${name} was never promoted`).toBe(true);
            expect(everValid(record.master, story), `${name} was never a valid master`).toBe(true);
          }
        }),
        { numRuns: 100 },
      );
    },
  );

  test("under report, only recoveries change the master", async () => {
    await fc.assert(
      fc.asyncProperty(anyStory, async (story) => {
        const scenario = new Scenario();
        for (const [answer, seconds] of story) await scenario.see(answer, seconds);
        for (const record of scenario.consul.history.slice(1)) expect(record.cause.recoveryUid).not.toBe("");
      }),
      { numRuns: 60 },
    );
  });

  test("generations rise by one, and a fence is ended only where the master is alive or a recovery says who is", async () => {
    const record = { phase: "fenced", deadline: new Date(NOW_MS + 10_000).toISOString() } as const;
    await fc.assert(
      fc.asyncProperty(anyStory, async (story) => {
        const scenario = new Scenario({ record });
        for (const [answer, seconds] of story) await scenario.see(answer, seconds);
        const { history } = scenario.consul;
        history
          .slice(1)
          .forEach((one, index) => expect(one.generation).toBe((history[index]?.generation ?? 0) + 1));
        const [, first] = history;
        if (first?.cause.kind === "deadline") expect(everValid(db1, story)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  test("a dead master's successor is never the dead master", async () => {
    const scenario = await new Scenario({ policy: "repair" }).see(AFTER_FAILOVER, 20);
    const returned: ViewParts = { ...AFTER_FAILOVER, askedFor: [root(db1)] };
    await scenario.see(returned, 600);
    await scenario.see({ listed: [root(db1)], askedFor: [replica(db2, DEAD)] }, 600);
    expect(scenario.master).toBe("8 open db2");
    expect(scenario.consul.memberDocument?.disagreement).toMatchObject({ rule: "former-master-claims" });
  });
});
