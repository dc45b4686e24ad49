import { writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  type AgentProcess,
  type Consul,
  Fleet,
  type MariaDb,
  findServer,
  serverForTests,
  startConsul,
  waitUntil,
} from "@primacy/testkit";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ClusterInConsul, startQuickAgent } from "./agent.support.js";

const TESTS = "the agent with real database servers, proxies and an Orchestrator whose hooks never come";
const isReady =
  serverForTests("mariadb", TESTS) !== undefined && serverForTests("consul", TESTS) !== undefined;
const kindOf = (name: "proxysql" | "orchestrator"): "stand-in" | "real" =>
  typeof findServer(name) === "string" ? "stand-in" : "real";

/** Of a test: its own waits come first. */
const LIMIT_MS = 600_000;

let consul: Consul;
let fleet: Fleet;
let inConsul: ClusterInConsul;
let agent: AgentProcess | undefined;

afterEach(async () => {
  await agent?.close();
  agent = undefined;
  inConsul?.close();
  await fleet?.close();
  await consul?.close();
});

/** Two proxies, three databases, and no hook that calls the writer. */
beforeEach(async () => {
  consul = await startConsul();
  fleet = await Fleet.start({
    routing: "primacy",
    clusters: { main: 3 },
    proxies: 2,
    hooks: [],
    proxySqlKind: kindOf("proxysql"),
    orchestratorKind: kindOf("orchestrator"),
    consul: { address: consul.httpAddr, close: async () => consul.close() },
  });
  inConsul = new ClusterInConsul(consul.httpAddr);
}, LIMIT_MS);

async function startAgent(settings: Record<string, unknown> = {}): Promise<AgentProcess> {
  agent = await startQuickAgent({
    name: "orc1",
    consul: consul.httpAddr,
    orchestrator: [fleet.orchestrator.url],
    settings: { pollSeconds: 0.5, replayAfterSeconds: 1, ...settings },
  });
  await readers({ [db(0).port]: "", [db(1).port]: "ONLINE", [db(2).port]: "ONLINE" });
  await inConsul.waitForMembers((members) => members.servers.length === 3, "the members of the cluster");
  return agent;
}

const db = (index: number): MariaDb => fleet.cluster("main").databases[index] as MariaDb;

async function layout(changes: Record<string, unknown>): Promise<void> {
  const { writer, reader, databases } = fleet.cluster("main");
  const servers = databases.map(({ host, port }) => ({ host, port }));
  const file = join(fleet.folder, "main-again.json");
  writeFileSync(
    file,
    JSON.stringify({ cluster: "main", hostgroups: { writer, reader }, servers, ...changes }),
  );
  const run = await fleet.writer("layout", "apply", file, "--yes");
  expect(run.code, run.stderr).toBe(0);
}

/** Waits until the reader hostgroup of every proxy's runtime is so, by port; `""`: not there, or OFFLINE_HARD. */
async function readers(wanted: Record<number, string>, timeoutMs = 90_000): Promise<void> {
  await hostgroup(fleet.cluster("main").reader, wanted, timeoutMs);
}

async function writers(wanted: Record<number, string>, timeoutMs = 90_000): Promise<void> {
  await hostgroup(fleet.cluster("main").writer, wanted, timeoutMs);
}

async function hostgroup(id: number, wanted: Record<number, string>, timeoutMs: number): Promise<void> {
  for (const proxy of fleet.proxies) {
    await waitUntil(
      async () => {
        const rows = await proxy.admin(
          `SELECT port, status FROM runtime_mysql_servers WHERE hostgroup_id=${String(id)}`,
        );
        const seen = new Map(
          rows.map((row) => [Number(row["port"]), row["status"] === "OFFLINE_HARD" ? "" : row["status"]]),
        );
        const wrong = Object.entries(wanted).filter(
          ([port, status]) => (seen.get(Number(port)) ?? "") !== status,
        );
        if (wrong.length > 0)
          throw new Error(
            `${JSON.stringify([...seen])}, wanted ${JSON.stringify(wanted)}; ${agent?.output ?? ""}`,
          );
        return true;
      },
      { timeoutMs, intervalMs: 50, what: `hostgroup ${String(id)} as wanted` },
    );
  }
}

describe.runIf(isReady)("the agent, with real servers", { timeout: LIMIT_MS }, () => {
  test("a dead master whose hook is swallowed; the old one comes back writable and is never copied", async () => {
    await layout({ quarantineSeconds: 3 });
    await startAgent();
    const [old, other] = [db(0), db(1)];
    await old.kill9();
    const record = await inConsul.waitForGeneration(2);
    const audit = (await fleet.orchestrator.api("audit-recovery/alias/main")).body as { UID: string }[];
    expect(audit.map((one) => one.UID)).toContain(record.cause.recoveryUid);
    const master = fleet.cluster("main").databases.find((one) => one.port === record.master.port) as MariaDb;
    const replica = master === other ? db(2) : other;
    await writers({ [master.port]: "ONLINE", [old.port]: "", [replica.port]: "" });
    await readers({ [replica.port]: "ONLINE", [old.port]: "" });
    await old.start(false);
    await inConsul.waitForMembers(
      (seen) => seen.disagreement?.rule === "former-master-writable",
      "the alarm",
    );
    expect((await inConsul.record()).generation).toBe(2);
    await writers({ [master.port]: "ONLINE", [old.port]: "" });
    await readers({ [old.port]: "" });
    // Somebody repairs it: it reads again once it has been read-only and replicating for the layout's time.
    await old.query("SET GLOBAL read_only=1");
    await old.replicateFrom(master);
    await fleet.orchestrator.api(`end-downtime/${old.host}/${String(old.port)}`);
    await readers({ [old.port]: "ONLINE", [replica.port]: "ONLINE" });
    const members = await inConsul.members();
    const back = members.servers.find((one) => one.port === old.port);
    const followedMs = Date.parse(members.observedAt) - Date.parse(back?.followsMasterSince ?? "");
    expect(followedMs).toBeGreaterThanOrEqual(3000);
    expect(await inConsul.record()).toMatchObject({ generation: 2, quarantined: [{ port: old.port }] });
  });

  test("a dead master that nobody replaces: its replicas go on reading, and it does not", async () => {
    await layout({ maxLagSeconds: 3600 });
    const one = await startAgent();
    const [dead, ...replicas] = fleet.cluster("main").databases as [MariaDb, ...MariaDb[]];
    await fleet.orchestrator.api("disable-global-recoveries");
    await dead.kill9();
    await inConsul.waitForMembers(
      (seen) => seen.servers.some((each) => each.port === dead.port && !each.reachable),
      "the dead master",
    );
    const passes = async (): Promise<number> => (await one.metric("primacy_agent_pass_seconds_count")) ?? 0;
    await waitUntil(
      async () => {
        const { body } = await fleet.orchestrator.api("cluster/alias/main");
        const states = (body as { ReplicationIOThreadState: number }[]).map(
          (each) => each.ReplicationIOThreadState,
        );
        if (states.includes(1)) throw new Error(JSON.stringify(states));
        return true;
      },
      { timeoutMs: 90_000, what: "Orchestrator to see that nobody replicates" },
    );
    const before = await passes();
    await waitUntil(async () => (await passes()) > before + 20, {
      timeoutMs: 90_000,
      what: "twenty more looks",
    });
    await inConsul.waitForMembers(
      (seen) => seen.disagreement?.rule === "master-unreachable",
      "the report that the master can't be reached",
    );
    await readers({ [dead.port]: "", ...Object.fromEntries(replicas.map(({ port }) => [port, "ONLINE"])) });
    const status = await fleet.writer("status", "main");
    expect(status.stdout).toMatch(/^main {2}down {2}Orchestrator can't reach/);
  });

  test("a graceful takeover without -auto: the old master is standalone and reads nothing until it replicates", async () => {
    await layout({ quarantineSeconds: 2 });
    await startAgent();
    const [old, next, replica] = [db(0), db(1), db(2)];
    const answer = await fleet.orchestrator.api(
      `graceful-master-takeover/main/${next.host}/${String(next.port)}`,
    );
    expect(answer.status, JSON.stringify(answer.body)).toBe(200);
    expect(await inConsul.waitForGeneration(2)).toMatchObject({ master: { port: next.port } });
    await writers({ [next.port]: "ONLINE", [old.port]: "" });
    const members = await inConsul.waitForMembers(
      (seen) =>
        seen.master.port === next.port &&
        seen.servers.some((one) => one.port === old.port && !one.replicating),
      "the old master, standalone",
    );
    expect(members.servers.find((one) => one.port === old.port)?.followsMasterSince).toBeNull();
    await readers({ [old.port]: "", [replica.port]: "ONLINE" });
    await old.query("START SLAVE");
    await fleet.orchestrator.api(`end-downtime/${old.host}/${String(old.port)}`);
    await readers({ [old.port]: "ONLINE" });
  });

  test("a downtime: OFFLINE_SOFT on every proxy, and back when it ends", async () => {
    await startAgent();
    const [, one] = [db(0), db(1)];
    const address = `${one.host}/${String(one.port)}`;
    await fleet.orchestrator.api(`begin-downtime/${address}/operator/backup/1h`);
    await readers({ [one.port]: "OFFLINE_SOFT", [db(2).port]: "ONLINE" });
    const { servers } = await inConsul.members();
    const downtime = servers.find((each) => each.port === one.port)?.downtime;
    expect(downtime?.reason).toBe("backup");
    const left = Date.parse(downtime?.endsAt ?? "") - Date.now();
    expect(left).toBeGreaterThan(50 * 60_000);
    expect(left).toBeLessThan(61 * 60_000);
    await fleet.orchestrator.api(`end-downtime/${address}`);
    await readers({ [one.port]: "ONLINE" });
  });

  test("replication broken on one replica, then on all: the master reads; repaired: it reads no more", async () => {
    await startAgent();
    const [master, one, other] = [db(0), db(1), db(2)];
    await one.query("STOP SLAVE");
    await readers({ [one.port]: "", [other.port]: "ONLINE", [master.port]: "" });
    await other.query("STOP SLAVE SQL_THREAD");
    await readers({ [one.port]: "", [other.port]: "", [master.port]: "ONLINE" });
    await waitUntil(() => fleet.watchers[0]?.log.includes("0 of 2 replicas may read"), {
      timeoutMs: 90_000,
      what: "the watcher to say that too few replicas may read",
    });
    await one.query("START SLAVE");
    await other.query("START SLAVE");
    await readers({ [one.port]: "ONLINE", [other.port]: "ONLINE", [master.port]: "" });
    expect((await inConsul.record()).generation).toBe(1);
  });

  test("a replica that the layout doesn't name joins, is routed by what it is, leaves and comes back", async () => {
    const [known, found] = [db(1), db(2)];
    const servers = [db(0), known].map(({ host, port }) => ({ host, port }));
    await layout({ servers, discover: true });
    await startAgent({ settleSeconds: 1 });
    const joined = await inConsul.waitForMembers(
      (seen) => seen.servers.some((one) => one.port === found.port && one.discovered),
      "the discovered replica",
    );
    expect(joined.removed).toEqual([]);
    await found.query("STOP SLAVE");
    await readers({ [found.port]: "", [known.port]: "ONLINE" });
    await found.query("START SLAVE");
    await readers({ [found.port]: "ONLINE" });
    await found.kill9();
    await waitUntil(
      async () => {
        // Orchestrator finds it again as long as its master lists it.
        await fleet.orchestrator.api(`forget/${found.host}/${String(found.port)}`);
        return (await inConsul.members()).removed.some((one) => one.port === found.port);
      },
      { timeoutMs: 90_000, intervalMs: 300, what: "the replica to leave" },
    );
    await readers({ [found.port]: "", [known.port]: "ONLINE" });
    await found.start();
    await fleet.orchestrator.api(`discover/${found.host}/${String(found.port)}`);
    await readers({ [found.port]: "ONLINE" });
    expect((await inConsul.members()).removed).toEqual([]);
  });

  describe("a master that somebody moves by hand", () => {
    const moveByHand = async (): Promise<void> => {
      const [old, next, replica] = [db(0), db(1), db(2)];
      await old.query("SET GLOBAL read_only=1");
      await next.catchUpWith(old);
      await next.query("STOP SLAVE");
      await next.query("RESET SLAVE ALL");
      await old.replicateFrom(next);
      await replica.replicateFrom(next);
      await next.query("SET GLOBAL read_only=0");
    };

    test("is reported, and the record stays", async () => {
      await startAgent();
      await moveByHand();
      await inConsul.waitForMembers((seen) => seen.disagreement?.rule === "another-master", "the report");
      expect((await inConsul.record()).generation).toBe(1);
      const status = await fleet.writer("status", "main");
      expect(status.code).toBe(30);
      expect(status.stdout).toContain("disagreement");
    });

    test("is followed where the policy is repair, once it has held", async () => {
      await startAgent({ policy: "repair", repairAfterSeconds: 3 });
      await moveByHand();
      expect(await inConsul.waitForGeneration(2)).toMatchObject({
        master: { port: db(1).port },
        cause: { kind: "repair" },
      });
      await writers({ [db(1).port]: "ONLINE", [db(0).port]: "" });
    });
  });
});
