import { readFileSync } from "node:fs";
import { recoveryUid } from "@primacy/testkit";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type World, onlineIn, serversOf, startLoneProxySql, startWorld } from "./world.js";

interface Recording {
  calls: { hook: string; env: Record<string, string> }[];
}

function recording(name: string): Recording {
  const file = new URL(`../fixtures/orchestrator-hooks/${name}.json`, import.meta.url);
  return JSON.parse(readFileSync(file, "utf8")) as Recording;
}

const MAIN = { name: "main", writer: 10, reader: 20, servers: serversOf("127.0.0.1", 3311, 3312, 3313) };
const SHOP = { name: "shop", writer: 11, reader: 21, servers: serversOf("127.0.0.1", 3321, 3322) };

let world: World;
const startedMs = Date.now();

beforeAll(async () => {
  world = await startWorld([MAIN, SHOP]);
  await world.bootstrap(SHOP, SHOP.servers[0]!);
});
afterAll(async () => {
  await world?.close();
});

/**
 * Runs every call of a recording, in its order, with its very environment. Only the recovery UIDs are of now: an event
 * that began before the record was made would be refused as stale.
 */
async function replay(
  name: string,
  { nowMs = Date.now(), without = "" } = {},
): Promise<{ hook: string; code: number | null; line: string }[]> {
  const uids = new Map<string, string>();
  const renewed = (uid: string): string => {
    if (uid !== "" && !uids.has(uid)) uids.set(uid, recoveryUid(nowMs + uids.size));
    return uids.get(uid) ?? "";
  };
  const runs: { hook: string; code: number | null; line: string }[] = [];
  for (const { hook, env } of recording(name).calls.filter((call) => call.hook !== without)) {
    const run = await world.writerWith(
      { ...env, ORC_RECOVERY_UID: renewed(env["ORC_RECOVERY_UID"] ?? "") },
      "hook",
      hook,
    );
    runs.push({ hook, code: run.code, line: `${run.stdout}${run.stderr}` });
  }
  return runs;
}

describe("the recorded takeovers of a real Orchestrator, through three ProxySQLs and two clusters", () => {
  test("graceful: every proxy ends with the successor and nobody else", async () => {
    const [first] = recording("graceful-master-takeover").calls;
    const failed = { host: first!.env["ORC_FAILED_HOST"]!, port: Number(first!.env["ORC_FAILED_PORT"]) };
    await world.bootstrap(MAIN, failed);
    for (const proxy of ["proxy1", "proxy2", "proxy3"]) {
      await world.addProxy(await startLoneProxySql(), proxy);
    }
    const runs = await replay("graceful-master-takeover");
    expect(runs.map((run) => run.code)).toEqual(runs.map(() => 0));
    await everywhere(world, successorOf("graceful-master-takeover"));
  });

  test("dead master: every proxy ends with the successor, and the other cluster is as it was", async () => {
    const before = await world.record("shop");
    const runs = await replay("dead-master");
    expect(runs.map((run) => run.code)).toEqual(runs.map(() => 0));
    await everywhere(world, successorOf("dead-master"));
    expect(await world.record("shop")).toEqual(before);
    for (const { proxysql } of world.pairs) expect(await onlineIn(proxysql, 11)).toEqual(["127.0.0.1:3321"]);
  });

  test("the hooks of the takeover before it once more, late: nothing changes", async () => {
    const before = await world.record("main");
    const runs = await replay("graceful-master-takeover", {
      nowMs: startedMs,
      // It has no recovery UID: whenever it comes, it is about now.
      without: "PreGracefulTakeoverProcesses",
    });
    expect(await world.record("main")).toEqual(before);
    const late = runs.find((run) => run.hook.startsWith("PostMasterFailover"));
    expect(late?.line).toMatch(/refused|stale|already/);
  });
});

function successorOf(name: string): string {
  const call = recording(name).calls.find(({ hook }) => hook.startsWith("PostMasterFailover"));
  return `${call!.env["ORC_SUCCESSOR_HOST"]}:${call!.env["ORC_SUCCESSOR_PORT"]}`;
}

async function everywhere(here: World, writer: string): Promise<void> {
  const record = await here.record("main");
  expect(record.phase).toBe("open");
  expect(`${record.master.host}:${record.master.port}`).toBe(writer);
  await here.acknowledged("main", record.generation);
  for (const { proxysql } of here.pairs) {
    expect(await onlineIn(proxysql, 10)).toEqual([writer]);
    const former = `${record.previous?.host}:${record.previous?.port}`;
    expect(await onlineIn(proxysql, 20)).not.toContain(former);
  }
}
