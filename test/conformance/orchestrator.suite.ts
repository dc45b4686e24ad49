import {
  createHookRecorder,
  type HookList,
  type HookRecorder,
  type MariaDb,
  type Orchestrator,
  startMariaDb,
  startOrchestrator,
  waitUntil,
} from "@primacy/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type KeyRecorder, recordKeys } from "./orchestrator.keys.js";
import {
  comparable,
  comparableCall,
  type Parts,
  recordedAnswer,
  recordedCalls,
} from "./orchestrator.recordings.js";

const PATHS = [
  "all-instances",
  "masters",
  "cluster/alias/main",
  "clusters-info",
  "master/main",
  "audit-recovery/alias/main",
  "leader-check",
  "downtimed",
  "status",
] as const;

/** One master, two replicas, hooks that record, and the Orchestrator under test. */
class Stage {
  readonly orchestrator: Orchestrator;
  readonly recorder: HookRecorder;
  readonly servers: readonly [MariaDb, MariaDb, MariaDb];

  constructor(
    orchestrator: Orchestrator,
    recorder: HookRecorder,
    servers: readonly [MariaDb, MariaDb, MariaDb],
  ) {
    this.orchestrator = orchestrator;
    this.recorder = recorder;
    this.servers = servers;
  }

  static async set(kind: "stand-in" | "real", configuration: Record<string, unknown> = {}): Promise<Stage> {
    const [servers, recorder] = await Promise.all([startTopology(), createHookRecorder()]);
    const orchestrator = await startOrchestrator({
      kind,
      clusters: [{ alias: "main", servers }],
      hooks: recorder.hooks,
      configuration,
    });
    // A look at a server that failed is what a takeover is refused for.
    await orchestrator.waitForReplication("main");
    return new Stage(orchestrator, recorder, servers);
  }

  async strike(): Promise<void> {
    await this.orchestrator.close();
    await Promise.all(this.servers.map((server) => server.close()));
    await this.recorder.close();
  }

  /** The lists of the calls so far. */
  async hooks(): Promise<HookList[]> {
    return (await this.calls()).map(({ hook }) => hook);
  }

  /** Of detections only those of a dead master: an unreachable one may come before. */
  async calls(): ReturnType<HookRecorder["calls"]> {
    return (await this.recorder.calls()).filter(({ env }) => env["ORC_FAILURE_TYPE"] === "DeadMaster");
  }

  async waitForHook(list: HookList, timeoutMs = 60_000): Promise<void> {
    const what = `the hook ${list}`;
    await waitUntil(async () => (await this.hooks()).includes(list), { timeoutMs, what });
  }

  async master(): Promise<number> {
    const { body } = await this.orchestrator.api("master/main");
    return (body as { Key: { Port: number } }).Key.Port;
  }

  /** After a restart it is seen again once Orchestrator has looked at its servers. */
  waitForMaster(): Promise<number> {
    return waitUntil(() => this.master(), { timeoutMs: 60_000, what: "a master of main" });
  }

  async answer(path: string, parts: Parts): Promise<unknown> {
    return comparable((await this.orchestrator.api(path)).body, parts);
  }
}

async function startTopology(): Promise<[MariaDb, MariaDb, MariaDb]> {
  const [master, second, third] = await Promise.all([
    startMariaDb({ serverId: 1 }),
    startMariaDb({ serverId: 2, readOnly: true }),
    startMariaDb({ serverId: 3, readOnly: true }),
  ]);
  await Promise.all([second.replicateFrom(master), third.replicateFrom(master)]);
  return [master, second, third];
}

function contains(text: string): string {
  return expect.stringContaining(text) as string;
}

function endsWith(text: string): string {
  return expect.stringMatching(new RegExp(`${text}$`)) as string;
}

async function isReadOnly(server: MariaDb): Promise<boolean> {
  const [row] = await server.query("SELECT @@global.read_only AS readOnly");
  return row?.["readOnly"] === 1;
}

async function masterPort(server: MariaDb): Promise<unknown> {
  return (await server.replicaStatus())?.["Master_Port"];
}

/** What Orchestrator 3.2.6 does. The stand-in is held to it, and the real program vouches for the suite. */
export function orchestratorSuite(kind: "stand-in" | "real"): void {
  takeoverSuite(kind);
  deadMasterSuite(kind);
  failureSuite(kind);
  administrationSuite(kind);
}

function takeoverSuite(kind: "stand-in" | "real"): void {
  describe("a graceful takeover", () => {
    let stage: Stage;
    let keys: KeyRecorder;
    beforeAll(async () => {
      keys = await recordKeys();
      stage = await Stage.set(kind, { ConsulAddress: keys.address });
    });
    afterAll(async () => {
      await stage?.strike();
      await keys.close();
    });

    it("does its steps in order, each before the hook that follows it", async () => {
      const { orchestrator, recorder, servers } = stage;
      const [old, successor, sibling] = servers;
      const held: HookList[] = [
        "PreGracefulTakeoverProcesses",
        "OnFailureDetectionProcesses",
        "PostMasterFailoverProcesses",
        "PostGracefulTakeoverProcesses",
      ];
      for (const list of held) await recorder.hold(list);
      const answer = orchestrator.gracefulTakeover("main", successor);

      await stage.waitForHook("PreGracefulTakeoverProcesses");
      expect(await masterPort(sibling)).toBe(successor.port);
      expect(await isReadOnly(old)).toBe(false);
      await recorder.letGo("PreGracefulTakeoverProcesses");

      await stage.waitForHook("OnFailureDetectionProcesses");
      expect(await isReadOnly(old)).toBe(true);
      expect(await isReadOnly(successor)).toBe(true);
      await recorder.letGo("OnFailureDetectionProcesses");

      await stage.waitForHook("PostMasterFailoverProcesses");
      expect(await isReadOnly(successor)).toBe(false);
      expect(await masterPort(successor)).toBeUndefined();
      expect(await masterPort(old)).toBeUndefined();
      expect(await stage.master()).toBe(successor.port);
      // Before the hooks, and one PUT each: nobody is sure to see all five as of one master.
      expect(keys.puts).toEqual([
        `mysql/master/main=127.0.0.1:${successor.port}`,
        "mysql/master/main/hostname=127.0.0.1",
        `mysql/master/main/port=${successor.port}`,
        "mysql/master/main/ipv4=127.0.0.1",
        "mysql/master/main/ipv6=",
      ]);
      await recorder.letGo("PostMasterFailoverProcesses");

      await stage.waitForHook("PostGracefulTakeoverProcesses");
      expect(await masterPort(old)).toBe(successor.port);
      await recorder.letGo("PostGracefulTakeoverProcesses");

      const { status, body } = await answer;
      expect({ status, body }).toMatchObject({
        status: 200,
        body: { Code: "OK", Message: "graceful-master-takeover: successor promoted" },
      });
      expect(await isReadOnly(old)).toBe(true);
      await successor.query("CREATE TABLE app.after_takeover (id INT)");
      await Promise.all([old.catchUpWith(successor), sibling.catchUpWith(successor)]);
    });

    it("calls the hooks as recorded", async () => {
      const [old, successor, sibling] = stage.servers;
      const parts = new Map([
        [old.port, 3311],
        [successor.port, 3312],
        [sibling.port, 3313],
      ]);
      const calls = (await stage.calls()).map((call) => comparableCall(call, parts));
      expect(calls).toEqual(recordedCalls("graceful-master-takeover").map((call) => comparableCall(call)));
    });

    it("gives all hooks after the detection one UID, and that one to the audit", async () => {
      const uids = (await stage.calls()).map(({ env }) => env["ORC_RECOVERY_UID"]);
      const [before, detection, ...rest] = uids;
      expect(before).toBe("");
      expect(new Set(rest).size).toBe(1);
      expect(detection).not.toBe(rest[0]);
      const { body } = await stage.orchestrator.api("audit-recovery/alias/main");
      expect((body as { UID: string }[]).map(({ UID }) => UID)).toEqual([rest[0]]);
    });

    it("leaves the former master in downtime, replicating", async () => {
      const { body } = await stage.orchestrator.api("downtimed");
      expect(body).toMatchObject([
        { Key: { Port: stage.servers[0].port }, DowntimeReason: "lost-in-recovery", ReadOnly: true },
      ]);
    });
  });
}

function deadMasterSuite(kind: "stand-in" | "real"): void {
  describe("a dead master", () => {
    let stage: Stage;
    let parts: Parts;
    beforeAll(async () => {
      stage = await Stage.set(kind);
      parts = new Map(stage.servers.map(({ port }, index) => [port, 3311 + index]));
    });
    afterAll(() => stage?.strike());

    it.each(PATHS)("is not there yet: /api/%s answers as recorded", async (path) => {
      await answersAsRecorded(stage, path, { situation: "healthy", parts });
    });

    it("is replaced, and the hooks are called as recorded", async () => {
      const [old, ...replicas] = stage.servers;
      await old.kill9();
      await stage.waitForHook("PostFailoverProcesses");
      const promoted = await stage.master();
      const other = replicas.find(({ port }) => port !== promoted);
      expect(await isReadOnly(replicas.find(({ port }) => port === promoted)!)).toBe(false);
      const asRecorded = new Map([
        [old.port, 3312],
        [promoted, 3311],
        [other!.port, 3313],
      ]);
      const calls = (await stage.calls()).map((call) => comparableCall(call, asRecorded));
      expect(calls).toEqual(recordedCalls("dead-master").map((call) => comparableCall(call)));
      // In the recorded answers it is the second that was promoted.
      parts = new Map([
        [old.port, 3311],
        [promoted, 3312],
        [other!.port, 3313],
      ]);
      await waitUntil(async () => (await masterPort(other!)) === promoted, {
        timeoutMs: 60_000,
        what: "the other replica below the new master",
      });
    });

    it.each(PATHS)("stays in the API: /api/%s answers as recorded", async (path) => {
      await answersAsRecorded(stage, path, { situation: "after-dead-master", parts });
    });

    it("that comes back writable stays in the API as a second master", async () => {
      const [old] = stage.servers;
      await old.start(false);
      for (const path of PATHS) {
        await answersAsRecorded(stage, path, { situation: "old-master-returned-writable", parts });
      }
      expect(await isReadOnly(old)).toBe(false);
    });
  });
}

/** Orchestrator looks at its servers once a second: the answer comes to be as recorded. */
async function answersAsRecorded(
  stage: Stage,
  path: string,
  { situation, parts }: { situation: string; parts: Parts },
): Promise<void> {
  const recorded = comparable(recordedAnswer(situation, path));
  let answer: unknown;
  await waitUntil(
    async () => {
      answer = await stage.answer(path, parts);
      return JSON.stringify(answer) === JSON.stringify(recorded);
    },
    { timeoutMs: 30_000, intervalMs: 200, what: `${path} as recorded` },
  ).catch(() => undefined);
  expect(answer).toEqual(recorded);
}

function failureSuite(kind: "stand-in" | "real"): void {
  describe("a failover that does not go through", () => {
    let stage: Stage;
    beforeAll(async () => {
      stage = await Stage.set(kind, {
        ReasonableMaintenanceReplicationLagSeconds: 1,
        RecoveryPeriodBlockSeconds: 2,
      });
    });
    afterAll(() => stage?.strike());

    it("leaves the master read-only without a hook when the replica does not catch up", async () => {
      const { orchestrator, recorder, servers } = stage;
      const [master, replica] = servers;
      await replica.query("STOP SLAVE SQL_THREAD");
      await master.query("CREATE TABLE app.not_replicated (id INT)");
      const { status, body } = await orchestrator.gracefulTakeover("main", replica);
      expect(status).toBe(500);
      expect(body).toMatchObject({
        Code: "ERROR",
        Message: contains("reached maxWait"),
      });
      expect(await stage.hooks()).toEqual(["PreGracefulTakeoverProcesses"]);
      expect(await isReadOnly(master)).toBe(true);
      await replica.query("START SLAVE SQL_THREAD");
      await replica.catchUpWith(master);
      await master.query("SET GLOBAL read_only=0");
      await recorder.clear();
    });

    it("is aborted by the hook before it, without any hook after it, and begins again after the block", async () => {
      const { recorder, servers } = stage;
      await recorder.exitWith("PreFailoverProcesses", 7);
      await servers[0].kill9();
      const attempts = async () =>
        (await stage.hooks()).filter((hook) => hook === "PreFailoverProcesses").length;
      await waitUntil(async () => (await attempts()) >= 2, { timeoutMs: 60_000, what: "a second attempt" });
      const hooks = await stage.hooks();
      expect(hooks.filter((hook) => hook !== "PreFailoverProcesses")).toEqual([
        "OnFailureDetectionProcesses",
      ]);
      const uids = (await stage.calls())
        .filter(({ hook }) => hook === "PreFailoverProcesses")
        .map(({ env }) => env["ORC_RECOVERY_UID"]);
      expect(new Set(uids).size).toBe(uids.length);
      await recorder.exitWith("PreFailoverProcesses", 0);
      await stage.waitForHook("PostFailoverProcesses");
    });

    it("runs PostUnsuccessfulFailoverProcesses when nobody may follow", async () => {
      const { orchestrator, recorder } = stage;
      await orchestrator.stop();
      await orchestrator.start({ PromotionIgnoreHostnameFilters: ["127.0.0.1"] });
      await stage.waitForMaster();
      await recorder.clear();
      const { status, body } = await orchestrator.forceMasterFailover("main");
      expect(status).toBe(500);
      expect(body).toMatchObject({
        Code: "ERROR",
        Message: "chooseCandidateReplica: no candidate replica found",
      });
      const calls = await stage.calls();
      expect(calls.map(({ hook }) => hook)).toEqual([
        "OnFailureDetectionProcesses",
        "PreFailoverProcesses",
        "PostUnsuccessfulFailoverProcesses",
      ]);
      const [last] = calls.slice(-1);
      expect(last?.env).toMatchObject({ ORC_COMMAND: "force-master-failover", ORC_IS_SUCCESSFUL: "false" });
      expect(last?.env).not.toHaveProperty("ORC_SUCCESSOR_HOST");
      expect(last?.placeholders["successorHost"]).toBe("{successorHost}");
    });
  });
}

function administrationSuite(kind: "stand-in" | "real"): void {
  describe("administration", () => {
    let stage: Stage;
    beforeAll(async () => {
      stage = await Stage.set(kind);
    });
    afterAll(() => stage?.strike());

    it("puts servers into downtime and takes them out", async () => {
      const { orchestrator, servers } = stage;
      const server = `127.0.0.1/${servers[1].port}`;
      const { body } = await orchestrator.api(`begin-downtime/${server}/dba/upgrade/1h`);
      expect(body).toMatchObject({ Code: "OK", Details: { Hostname: "127.0.0.1", Port: servers[1].port } });
      const { body: downtimed } = await orchestrator.api("downtimed/main");
      expect(downtimed).toMatchObject([
        { IsDowntimed: true, DowntimeOwner: "dba", DowntimeReason: "upgrade" },
      ]);
      expect(await orchestrator.api(`end-downtime/${server}`)).toMatchObject({
        status: 200,
        body: { Code: "OK" },
      });
      expect(await orchestrator.api("downtimed")).toEqual({ status: 200, body: [] });
    });

    it("answers an error for what it does not know", async () => {
      const { orchestrator } = stage;
      expect(await orchestrator.api("cluster/alias/nobody")).toEqual({
        status: 500,
        body: { Code: "ERROR", Message: "No cluster found for alias nobody", Details: null },
      });
      expect(await orchestrator.api("master/nobody")).toMatchObject({
        status: 500,
        body: {
          Code: "ERROR",
          Message: endsWith("ERROR Unable to determine cluster name. clusterHint=nobody"),
        },
      });
      expect(await orchestrator.gracefulTakeover("main", { host: "127.0.0.1", port: 1 })).toMatchObject({
        status: 500,
        body: {
          Code: "ERROR",
          Message: contains("must be directly replicating from the master"),
        },
      });
      expect((await orchestrator.api("no-such-path")).status).toBe(404);
    });

    it("recovers nothing while recoveries are off, and loses the hooks of a leader that dies", async () => {
      const { orchestrator, recorder, servers } = stage;
      expect(await orchestrator.api("disable-global-recoveries")).toMatchObject({
        body: { Details: "disabled" },
      });
      await servers[0].kill9();
      await stage.waitForHook("OnFailureDetectionProcesses");
      await recorder.hold("PostMasterFailoverProcesses");
      expect(await stage.hooks()).toEqual(["OnFailureDetectionProcesses"]);
      expect(await orchestrator.api("enable-global-recoveries")).toMatchObject({
        body: { Details: "enabled" },
      });
      await stage.waitForHook("PostMasterFailoverProcesses");
      await orchestrator.kill9();
      await recorder.letGo("PostMasterFailoverProcesses");
      await orchestrator.start();
      expect(await stage.waitForMaster()).not.toBe(servers[0].port);
      expect(await stage.hooks()).not.toContain("PostFailoverProcesses");
    });
  });
}
