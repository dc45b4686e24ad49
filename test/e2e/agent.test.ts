import { execFileSync } from "node:child_process";
import type { Members } from "@primacy/contract";
import {
  type AgentOptions,
  type AgentProcess,
  type Consul,
  serverForTests,
  startConsul,
  startProxySql,
  proxySqlAccounts,
  waitUntil,
} from "@primacy/testkit";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { RecordedOrchestrator } from "../../packages/writer/test/agent/recorded-orchestrator.js";
import { ClusterInConsul, firstRecord, layoutOf, startQuickAgent, told } from "./agent.support.js";
import { Recovery, WriterHost, bundleWriter } from "./writer.support.js";

const consulIsThere = serverForTests("consul", "the agent with a real Consul") !== undefined;

const SERVERS = [3311, 3312, 3313].map((port) => ({ host: "127.0.0.1", port }));
const [at3311, at3312] = SERVERS as [(typeof SERVERS)[0], (typeof SERVERS)[0], (typeof SERVERS)[0]];
const UID = "1795254370778455226:57f3e7c1d6fa7ed140fea956891b0bb686607f070900ebfded5ed38c3b020199";

let program: string;
let removeProgram: () => void;
let consul: Consul;
let orchestrator: RecordedOrchestrator;
let inConsul: ClusterInConsul;
const open: { close: () => unknown }[] = [];

beforeAll(async () => {
  ({ program, remove: removeProgram } = await bundleWriter());
});
afterAll(() => removeProgram());
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

function closing<T extends { close: () => unknown }>(one: T): T {
  open.push(one);
  return one;
}

const agent = async (options: Partial<AgentOptions> = {}): Promise<AgentProcess> => {
  const one = await startQuickAgent({
    program,
    name: "orc1",
    consul: consul.httpAddr,
    orchestrator: [orchestrator.url],
    ...options,
  });
  return closing(one);
};

const HEALTHY = "3311 alone, 3312 replicating, 3313 replicating";
const healthy = (): Promise<unknown> =>
  inConsul.waitForMembers((members) => told(members) === HEALTHY, "the members of a healthy cluster");

/** Times are told from a clock that nobody sets, so between two documents they may differ by a millisecond. */
const withoutTimes = (members: Members) => ({
  ...members,
  observedAt: null,
  servers: members.servers.map((one) => ({ ...one, followsMasterSince: null })),
});

/** Waits until an agent knows that orc1 leads. */
const standsBy = (standby: AgentProcess): Promise<unknown> =>
  waitUntil(
    async () => {
      const readiness = await standby.readiness();
      if (readiness.leader === "orc1" && readiness.ready && !readiness.leads) return true;
      throw new Error(JSON.stringify(readiness));
    },
    { timeoutMs: 60_000, what: "the standby to know the leader" },
  );

describe.skipIf(!consulIsThere)("the agent, on the recorded answers of a real Orchestrator", () => {
  beforeEach(async () => {
    consul = closing(await startConsul());
    orchestrator = closing(await RecordedOrchestrator.start());
    inConsul = closing(new ClusterInConsul(consul.httpAddr));
    await inConsul.begin(firstRecord(at3311), layoutOf(SERVERS));
  });

  test("says how each server is, once it is sure, and then nothing more while nothing changes", async () => {
    const one = await agent();
    await healthy();
    const rounds = () =>
      orchestrator.requests.filter((request) => request.path.endsWith("alias/main")).length;
    // Where the machine stands still for the 3 s that Orchestrator has to answer, something does change.
    await waitUntil(
      async () => {
        const [index, before] = [await inConsul.membersIndex(), rounds()];
        await waitUntil(() => rounds() > before + 20, { timeoutMs: 30_000, what: "twenty more looks" });
        return (await inConsul.membersIndex()) === index;
      },
      { timeoutMs: 60_000, what: "twenty looks after which nothing was written" },
    );
    await healthy();
    expect(await one.metric('primacy_agent_members{cluster="main",state="replica"}')).toBe(2);
    expect(await one.metric("primacy_agent_leader")).toBe(1);
    expect(await one.readiness()).toMatchObject({ ready: true, leads: true, leader: "orc1" });
    expect(one.log.map((line) => line["msg"])).toContain(
      "127.0.0.1:3311 is the master by the record and by Orchestrator [in-agreement]",
    );
    expect(await one.stop()).toMatchObject({ code: 0 });
  });

  test("a dead master whose hook is swallowed: the next generation, by the recovery's own UID", async () => {
    await agent({ settings: { replayAfterSeconds: 0.5 } });
    await healthy();
    orchestrator.situation = "after-dead-master";
    const record = await inConsul.waitForGeneration(2);
    expect(record).toMatchObject({
      generation: 2,
      phase: "open",
      master: at3312,
      previous: at3311,
      quarantined: [at3311],
      cause: { kind: "dead-master", rule: "open-new-master", recoveryUid: UID },
      writtenBy: "agent orc1",
    });
    const members = await inConsul.waitForMembers(
      (seen) => seen.master.port === 3312 && told(seen) === "3311 downtimed, 3312 alone, 3313 replicating",
      "the members judged against the new master",
    );
    expect(members.disagreement).toBeNull();
    orchestrator.situation = "old-master-returned-writable";
    await inConsul.waitForMembers(
      (seen) => seen.disagreement?.rule === "former-master-writable",
      "the alarm",
    );
    expect((await inConsul.record()).generation).toBe(2);
    const kept = await inConsul.store.readHistory("main");
    expect(kept.map((entry) => entry.generation)).toEqual([1, 2]);
  });

  test("the hook that comes late changes nothing any more", async () => {
    await agent({ settings: { replayAfterSeconds: 0.2 } });
    orchestrator.situation = "after-dead-master";
    await inConsul.waitForGeneration(2);
    const host = new WriterHost(program, consul.httpAddr);
    const late = await host.hook("PostMasterFailover", {
      ORC_FAILURE_TYPE: "DeadMaster",
      ORC_COMMAND: "",
      ORC_FAILED_HOST: "127.0.0.1",
      ORC_FAILED_PORT: "3311",
      ORC_SUCCESSOR_HOST: "127.0.0.1",
      ORC_SUCCESSOR_PORT: "3312",
      ORC_FAILURE_CLUSTER_ALIAS: "main",
      ORC_RECOVERY_UID: UID,
      ORC_IS_SUCCESSFUL: "true",
    });
    host.remove();
    expect(late).toMatchObject({ code: 0 });
    expect(late.out).toContain("open-already");
    expect((await inConsul.record()).generation).toBe(2);
  });

  test("a downtime begins and ends", async () => {
    await agent();
    await healthy();
    orchestrator.changes.set(3312, { IsDowntimed: true, DowntimeReason: "backup" });
    const members = await inConsul.waitForMembers(
      (seen) => told(seen) === "3311 alone, 3312 downtimed, 3313 replicating",
      "the downtime",
    );
    expect(members.servers[1]?.downtime?.reason).toBe("backup");
    orchestrator.changes.clear();
    await healthy();
  });

  test("replication broken on one, on all, and repaired", async () => {
    await agent();
    await healthy();
    const broken = { ReplicationSQLThreadState: 0, ReplicationLagSeconds: { Int64: 0, Valid: false } };
    orchestrator.changes.set(3312, broken);
    await inConsul.waitForMembers(
      (seen) => told(seen) === "3311 alone, 3312 broken, 3313 replicating",
      "one broken",
    );
    orchestrator.changes.set(3313, broken);
    await inConsul.waitForMembers(
      (seen) => told(seen) === "3311 alone, 3312 broken, 3313 broken",
      "all broken",
    );
    orchestrator.changes.clear();
    await healthy();
    expect((await inConsul.record()).generation).toBe(1);
  });

  test("the alias is lost and comes back: servers are found one by one, and it is said", async () => {
    await agent();
    await healthy();
    orchestrator.alias = "127.0.0.1:3311";
    const members = await inConsul.waitForMembers((seen) => seen.disagreement !== null, "the lost alias");
    expect(members.disagreement).toMatchObject({ rule: "alias-unknown" });
    expect(told(members)).toBe(HEALTHY);
    orchestrator.alias = "main";
    await inConsul.waitForMembers((seen) => seen.disagreement === null, "the alias");
  });

  test("an Orchestrator that answers garbage, errors, or nothing: the members stay, and the agent says so", async () => {
    const one = await agent({ settings: { orchestrator: { timeoutSeconds: 2 } } });
    await healthy();
    const before = await inConsul.members();
    for (const fault of ["html", "half", "errors", "refuses", "hangs"] as const) {
      orchestrator.fault = fault;
      await waitUntil(async () => (await one.metric('primacy_agent_held{cluster="main"}')) === 1, {
        timeoutMs: 60_000,
        what: `the agent to hold when Orchestrator ${fault}`,
      });
      await one.waitForReadyz(503);
      const held = await inConsul.waitForMembers((seen) => seen.held !== null, `held members (${fault})`);
      expect(held.held, fault).toMatchObject({ rule: "orchestrator-away" });
      expect(withoutTimes(held), fault).toEqual({ ...withoutTimes(before), held: held.held });
      orchestrator.fault = "none";
      await inConsul.waitForMembers((seen) => seen.held === null, `believed members (${fault})`);
      await one.waitForReadyz(200);
    }
  });

  test("without Consul nobody leads and nothing is written; with it the agent goes on", async () => {
    const one = await agent({ settings: { replayAfterSeconds: 0.2 } });
    await healthy();
    await consul.stop();
    await waitUntil(async () => !(await one.readiness()).leads, {
      timeoutMs: 60_000,
      what: "the agent to stand by",
    });
    expect((await one.get("/livez")).status).toBe(200);
    orchestrator.situation = "after-dead-master";
    await consul.start();
    await one.waitToLead();
    expect(await inConsul.waitForGeneration(2)).toMatchObject({ master: at3312 });
    await one.waitForReadyz(200);
  });

  test("a cluster that is made later is looked after, and one that is gone leaves no series behind", async () => {
    const one = await agent();
    await healthy();
    const series = 'primacy_agent_record_generation{cluster="main"}';
    expect(await one.metric(series)).toBe(1);
    await fetch(`${consul.httpAddr}/v1/kv/primacy/clusters/main/?recurse`, { method: "DELETE" });
    await waitUntil(async () => (await one.metric(series)) === undefined, {
      timeoutMs: 60_000,
      what: "no series",
    });
    await fetch(`${consul.httpAddr}/v1/kv/primacy/history/main/?recurse`, { method: "DELETE" });
    await inConsul.begin(firstRecord(at3311, { incarnation: "incarnation-2" }), layoutOf(SERVERS));
    await healthy();
    expect(await one.metric(series)).toBe(1);
  });

  test("a follower's stale view is not believed, and the leader is followed when it changes", async () => {
    const follower = closing(await RecordedOrchestrator.start());
    follower.leads = false;
    follower.situation = "after-dead-master";
    const one = await agent({
      orchestrator: [follower.url, orchestrator.url],
      settings: { replayAfterSeconds: 0.2 },
    });
    await healthy();
    expect((await inConsul.record()).generation).toBe(1);
    [follower.leads, orchestrator.leads] = [true, false];
    await inConsul.waitForGeneration(2);
    expect(one.output).not.toContain("please report");
  });

  test("a fence whose deadline is over is ended where the master is alive and writable", async () => {
    const before = await inConsul.store.readCluster("main");
    const fenced = firstRecord(at3311, {
      generation: 2,
      phase: "fenced",
      deadline: new Date(Date.now() - 60_000).toISOString(),
      writeId: "write-id-2",
    });
    const commit = { expectedIndex: before.recordIndex, record: fenced };
    await inConsul.store.commitRecord("main", commit, { deadlineMs: 10_000 });
    await agent();
    expect(await inConsul.waitForGeneration(3)).toMatchObject({
      generation: 3,
      phase: "open",
      master: at3311,
      cause: { kind: "deadline", rule: "abort-reopens" },
    });
  });

  test("events on this machine's disk are delivered, whoever leads", async () => {
    const leader = await agent({ name: "orc2" });
    await leader.waitToLead();
    const standby = await agent();
    const host = new WriterHost(program, consul.httpAddr, { PRIMACY_SPOOL: standby.spool });
    const takeover = new Recovery("dead-master", Date.now(), [3311, 3312]);
    const spooled = await host.hook("PostMasterFailover", {
      ...takeover.environment("PostMasterFailover"),
      CONSUL_HTTP_ADDR: "http://127.0.0.1:1",
      PRIMACY_DEADLINE: "0.5",
    });
    host.remove();
    expect(spooled.code).toBe(15);
    expect(await inConsul.waitForGeneration(2)).toMatchObject({ master: at3312, writtenBy: "agent orc1" });
    await waitUntil(async () => (await standby.metric("primacy_agent_spooled_events")) === 0, {
      timeoutMs: 60_000,
      what: "an empty spool",
    });
  });

  describe("several agents", () => {
    test("one leads; when it is told to end, another leads at once", async () => {
      const first = await agent();
      await healthy();
      const second = await agent({ name: "orc2" });
      await standsBy(second);
      await first.stop();
      await second.waitToLead();
      // What means the same is not written again: only a change shows who writes.
      orchestrator.situation = "after-dead-master";
      await inConsul.waitForMembers((seen) => seen.observedBy === "orc2", "members by the second agent");
    });

    test("one is killed: another leads within seconds, and goes on where it stopped", async () => {
      const first = await agent();
      await healthy();
      const second = await agent({ name: "orc2", settings: { replayAfterSeconds: 0.2 } });
      await standsBy(second);
      await first.kill9();
      orchestrator.situation = "after-dead-master";
      await second.waitToLead();
      expect(await inConsul.waitForGeneration(2)).toMatchObject({ writtenBy: "agent orc2" });
    });

    test("one is frozen, another leads; thawed, it finds out before it writes", async () => {
      const first = await agent({ settings: { replayAfterSeconds: 0 } });
      await healthy();
      const second = await agent({ name: "orc2", settings: { replayAfterSeconds: 0.2 } });
      await standsBy(second);
      first.suspend();
      await second.waitToLead();
      orchestrator.situation = "after-dead-master";
      const record = await inConsul.waitForGeneration(2);
      first.resume();
      await waitUntil(async () => !(await first.readiness()).leads, {
        timeoutMs: 60_000,
        what: "the first to stand by",
      });
      expect(record.writtenBy).toBe("agent orc2");
      expect((await inConsul.record()).generation).toBe(2);
      await second.waitToLead();
    });
  });

  /** Writes the generations up to this one. */
  const takeovers = async (upTo: number): Promise<void> => {
    let { recordIndex } = await inConsul.store.readCluster("main");
    for (let generation = 2; generation <= upTo; generation++) {
      const record = firstRecord(at3311, { generation, writeId: `write-id-${String(generation)}` });
      const written = await inConsul.store.commitRecord(
        "main",
        { expectedIndex: recordIndex, record },
        { deadlineMs: 20_000 },
      );
      recordIndex = written.outcome === "committed" ? written.index : -1;
    }
  };
  const historyIs = (place: ClusterInConsul, generations: string): Promise<unknown> =>
    waitUntil(
      async () => {
        const kept = (await place.store.readHistory("main")).map((entry) => entry.generation);
        if (kept.join(" ") !== generations) throw new Error(kept.join(" "));
        return true;
      },
      { timeoutMs: 60_000, what: `the history ${generations}` },
    );

  test("the history is pruned by the schedule", async () => {
    await takeovers(6);
    await agent({ settings: { historyKeep: 2, prune: "* * * * * *" } });
    await historyIs(inConsul, "5 6");
  });

  describe("another datacenter", () => {
    let far: Consul;
    let there: ClusterInConsul;
    beforeEach(async () => {
      far = closing(await startConsul());
      there = closing(new ClusterInConsul(far.httpAddr));
    });
    const mirrored = (): Promise<AgentProcess> =>
      agent({
        settings: { replayAfterSeconds: 0.2, datacenters: [{ name: "dc2", addresses: [far.httpAddr] }] },
      });
    const arrives = (generation: number): Promise<unknown> =>
      waitUntil(
        async () => {
          const record = await there.record();
          if (record.generation !== generation) throw new Error(JSON.stringify(record));
          return record;
        },
        { timeoutMs: 60_000, what: `generation ${String(generation)} in the other datacenter` },
      );

    test("gets record, layout and members, and every change of them", async () => {
      await mirrored();
      await arrives(1);
      orchestrator.situation = "after-dead-master";
      await arrives(2);
      expect(await there.record()).toEqual(await inConsul.record());
      await there.waitForMembers((seen) => seen.master.port === 3312, "members in the other datacenter");
      const snapshot = await there.store.readCluster("main");
      expect(snapshot.layout).toMatchObject({ kind: "valid" });
      expect((await there.store.readHistory("main")).map((entry) => entry.generation)).toEqual([1, 2]);
    });

    test("has its history pruned as well", async () => {
      const settings = { datacenters: [{ name: "dc2", addresses: [far.httpAddr] }], historyKeep: 2 };
      const one = await agent({ settings: { ...settings, prune: "0 0 1 1 *" } });
      await arrives(1);
      await takeovers(4);
      await arrives(4);
      await historyIs(there, "1 2 3 4");
      await one.close();
      await agent({ settings: { ...settings, prune: "* * * * * *" } });
      await historyIs(there, "3 4");
      expect(await there.record()).toMatchObject({ generation: 4 });
    });

    test("that is away holds nothing up, and gets what it missed when it is back", async () => {
      const one = await mirrored();
      await arrives(1);
      await far.stop();
      orchestrator.situation = "after-dead-master";
      await inConsul.waitForGeneration(2);
      await waitUntil(
        async () => (await one.metric('primacy_agent_mirror_problem{datacenter="dc2",cluster="main"}')) === 1,
        { timeoutMs: 60_000, what: "the metric of the copy that is behind" },
      );
      await far.start();
      await arrives(2);
      const kept = await there.store.readHistory("main");
      expect(kept.map((entry) => entry.generation)).toEqual([1, 2]);
    });

    test("that is ahead, or has another history, is never taken back", async () => {
      await there.begin(firstRecord(at3312, { generation: 9 }), layoutOf(SERVERS));
      const one = await mirrored();
      await waitUntil(
        async () => (await one.metric('primacy_agent_mirror_problem{datacenter="dc2",cluster="main"}')) === 1,
        { timeoutMs: 60_000, what: "the metric of the copy that is ahead" },
      );
      expect(await there.record()).toMatchObject({ generation: 9, master: at3312 });
      expect(one.output).toContain("it is ahead: generation 9 there, 1 here");
    });
  });

  describe("for operators", () => {
    const run = async (args: readonly string[], variables: Record<string, string> = {}) => {
      const host = new WriterHost(program, consul.httpAddr, variables);
      const result = await host.run(args);
      host.remove();
      return result;
    };

    test("status tells the state of a cluster and what to do next", async () => {
      const before = await run(["status"]);
      expect(before).toMatchObject({ code: 30 });
      expect(before.out).toMatch(/^main {2}degraded {2}.*no live watcher follows/);
      expect(before.out).toContain("note: no agent leads");
      expect(await run(["status", "--prefix", "elsewhere/"])).toMatchObject({ code: 30 });
      await agent();
      await healthy();
      await inConsul.acknowledge("proxysql1");
      const ok = await run(["status", "main"]);
      expect(ok.code).toBe(0);
      expect(ok.out).toMatch(/^main {2}ok {2}127\.0\.0\.1:3311 takes writes on 1 proxy at generation 1/);
      expect(ok.out).toMatch(/agent orc1 leads since/);
      orchestrator.changes.set(3313, { ReplicationIOThreadState: 0 });
      await inConsul.waitForMembers((seen) => told(seen).includes("3313 broken"), "a broken replica");
      const degraded = await run(["status", "--json"]);
      expect(degraded.code).toBe(30);
      const [cluster] = (JSON.parse(degraded.out) as { clusters: { state: string; next: string }[] })
        .clusters;
      expect(cluster).toMatchObject({ state: "degraded" });
    });

    test("adopt takes over what runs: rows of a ProxySQL, Orchestrator's keys and its API", async () => {
      const consulStore = inConsul.store;
      for (const [key, value] of [
        ["mysql/master/other", "127.0.0.1:3311"],
        ["mysql/master/other/port", "3311"],
      ] as const) {
        execFileSync("curl", ["-sf", "-X", "PUT", "-d", value, `${consul.httpAddr}/v1/kv/${key}`]);
      }
      orchestrator.alias = "other";
      const follower = closing(await RecordedOrchestrator.start());
      follower.leads = false;
      const proxy = closing(
        await startProxySql({
          kind: "stand-in here",
          servers: SERVERS.flatMap(({ host, port }) => [
            { hostgroup_id: 10, hostname: host, port, status: port === 3311 ? "ONLINE" : "OFFLINE_HARD" },
            { hostgroup_id: 20, hostname: host, port, weight: port - 3300, max_connections: 77 },
          ]),
        }),
      );
      const from = [
        "--from-keys",
        "mysql/master",
        "--orchestrator",
        `${follower.url},${orchestrator.url}`,
        "--proxysql",
        `127.0.0.1:${String(proxy.adminPort)}`,
        "--writer-hostgroup",
        "10",
        "--reader-hostgroup",
        "20",
      ];
      const login = { PRIMACY_PROXYSQL_PASSWORD: proxySqlAccounts.admin.password };
      const user = ["--proxysql-user", proxySqlAccounts.admin.user, "--orchestrator-keys", "mysql/other"];
      const shown = await run(["adopt", "other", ...from, ...user], login);
      expect(shown.code, shown.err).toBe(20);
      expect(shown.out).toContain("+ other: generation 1, open, master 127.0.0.1:3311");
      expect(shown.out).toContain("+ mysql/other/other: 127.0.0.1:3311");
      expect(shown.out).toContain("+ mysql/other/other/port: 3311");
      expect((await consulStore.readCluster("other")).record.kind).toBe("absent");
      const done = await run(["adopt", "other", ...from, ...user, "--yes"], login);
      expect(done.code, done.err).toBe(0);
      const adopted = await consulStore.readCluster("other");
      expect(adopted.record).toMatchObject({ value: { master: at3311, generation: 1 } });
      expect(adopted.layout).toMatchObject({
        value: {
          hostgroups: { writer: 10, reader: 20 },
          servers: [
            { port: 3311, weight: 11, maxConnections: 77 },
            { port: 3312, weight: 12 },
            { port: 3313, weight: 13 },
          ],
        },
      });
      expect(JSON.stringify([shown, done])).not.toContain(login.PRIMACY_PROXYSQL_PASSWORD + '"');
      const again = await run(["adopt", "other", ...from, ...user, "--yes"], login);
      expect(again.code).toBe(14);
    });

    test("a wrong setting ends the agent with a message that names it", async () => {
      const host = new WriterHost(program, consul.httpAddr);
      const config = host.file("writer.json", JSON.stringify({ agent: { polSeconds: 1 } }));
      const wrong = await host.run(["agent", "--config", config, "--orchestrator", orchestrator.url]);
      host.remove();
      expect(wrong).toMatchObject({ code: 10 });
      expect(wrong.err).toContain("polSeconds");
    });
  });
});
