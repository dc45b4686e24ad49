import { ConsulError } from "@primacy/consul-store";
import { pino } from "pino";
import { expect, test } from "vitest";
import { waitUntil } from "@primacy/testkit";
import { AgentMetrics } from "../../src/agent/metrics.js";
import { Mirror } from "../../src/agent/mirrors.js";
import { MemoryConsul, TestWorld } from "./memory-consul.js";
import { NOW_MS, layoutOf, recordOf } from "./samples.js";

const primary = Object.assign(new MemoryConsul(recordOf(), layoutOf()), {
  readHistory: () => Promise.resolve([]),
});

/** A copy in a datacenter that answers nothing until it is told to fail. */
function mirrorOf(follows: (cluster: string) => boolean) {
  const metrics = new AgentMetrics();
  const calls: (() => void)[] = [];
  const readCluster = () =>
    new Promise<never>((_resolve, reject) => {
      calls.push(() => reject(new ConsulError("CONSUL_UNREACHABLE", "away")));
    });
  const place = Object.assign(new MemoryConsul(recordOf(), layoutOf()), {
    writeLayout: readCluster,
    readCluster,
    pruneHistory: () => Promise.resolve(0),
  });
  const mirror = new Mirror({
    primary,
    place: { name: "dc2", store: place },
    orchestratorKeys: () => [],
    world: new TestWorld(NOW_MS),
    metrics,
    log: pino({ level: "silent" }),
    deadlineMs: 1000,
    follows,
  });
  const asked = (times: number) =>
    waitUntil(() => calls.length >= times, { timeoutMs: 30_000, what: `${String(times)} reads over there` });
  const series = async () =>
    (await metrics.registry.metrics()).split("\n").filter((line) => /^primacy_agent_mirror.*main/.test(line));
  return { mirror, calls, asked, series };
}

test("a datacenter that is away is a problem, as long as the cluster is ours to look after", async () => {
  const end = new AbortController();
  const { mirror, calls, asked, series } = mirrorOf(() => true);
  const running = mirror.run(end.signal);
  mirror.note("main");
  await asked(1);
  calls[0]?.();
  await waitUntil(async () => (await series()).length > 0, { timeoutMs: 30_000, what: "the series" });
  expect(await series()).toEqual(['primacy_agent_mirror_problem{datacenter="dc2",cluster="main"} 1']);
  end.abort();
  await running;
});

test("what ends after another agent has begun to lead, or the cluster is gone, leaves no alarm behind", async () => {
  const end = new AbortController();
  let ours = true;
  const { mirror, calls, asked, series } = mirrorOf((cluster) => cluster !== "main" || ours);
  const running = mirror.run(end.signal);
  mirror.note("main");
  await asked(1);
  ours = false;
  calls[0]?.();
  mirror.note("other");
  await asked(2);
  expect(await series()).toEqual([]);
  end.abort();
  calls[1]?.();
  await running;
});
