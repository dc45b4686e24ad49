import { ConsulStore, consulOptionsFromEnvironment } from "@primacy/consul-store";
import { type AgentProcess, startAgent } from "../primacy/agent.js";
import { type Consul, startConsul } from "../servers/consul.js";
import { pause, waitUntil } from "../wait-until.js";
import { acknowledgementOf } from "./acknowledger.js";
import { changedKeys, kvIndexes, logIndex } from "./consul-writes.js";
import { bootstrapCluster } from "./convergence.js";
import { seriesOf } from "./metrics-text.js";
import { processorSeconds, residentMebibytes } from "./process-usage.js";
import { type RecordedCluster, RecordedOrchestrator, recordedClusters } from "./recorded-orchestrator.js";
import type { Row } from "./table.js";

/** Live proxies that have acknowledged every cluster's record. */
const PROXIES = ["proxy1", "proxy2"];
/** A beginning is over when nothing has been written for this long. Milliseconds. */
const QUIET_MS = 15_000;
/** How long Consul's own entries are counted without an agent. Milliseconds. */
const ALONE_MS = 10_000;
const WRITES = "primacy_agent_members_writes_total";

/** What a pass over so many healthy clusters costs, in which nothing changes. */
export async function passRows(count: number, rounds: number, say: (what: string) => void): Promise<Row[]> {
  const clusters = recordedClusters(count);
  const orchestrator = await RecordedOrchestrator.start(clusters);
  const consul = await startConsul();
  let agent: AgentProcess | undefined;
  try {
    await writeClusters(consul, clusters);
    say(`${String(count)} clusters are in Consul`);
    const aloneFrom = await logIndex(consul);
    await pause(ALONE_MS);
    const alone = ((await logIndex(consul)) - aloneFrom) / (ALONE_MS / 1000);
    agent = await startAgent({
      name: "agent1",
      consul: consul.httpAddr,
      orchestrator: [orchestrator.url],
    });
    const begin = await beginning(agent, count);
    say(`${String(count)} clusters: the beginning is over`);
    const quiet = await quietRounds({ agent, orchestrator, consul }, rounds);
    const what = (text: string): string => `${String(count)} clusters: ${text}`;
    return [
      { what: what("begin -> every cluster has a members document"), unit: "s", values: [begin.seconds] },
      { what: what("writes of members at the beginning"), unit: "", values: [begin.writes] },
      { what: what("one round"), unit: "ms", values: quiet.roundSeconds.map((one) => one * 1000) },
      { what: what("resident memory"), unit: "MiB", values: quiet.mebibytes },
      { what: what("processor"), unit: "% core", values: [quiet.processor * 100] },
      { what: what("keys written in quiet rounds, but for the lock's"), unit: "", values: [quiet.changed] },
      {
        what: what("Consul's log, entries a second more than alone"),
        unit: "",
        values: [quiet.entriesPerSecond - alone],
      },
    ];
  } catch (error) {
    throw new Error(`${String(count)} clusters: ${agent?.output ?? ""}`, { cause: error });
  } finally {
    await agent?.close();
    await orchestrator.close();
    await consul.close();
  }
}

async function writeClusters(consul: Consul, clusters: readonly RecordedCluster[]): Promise<void> {
  const settings = consulOptionsFromEnvironment({ CONSUL_HTTP_ADDR: consul.httpAddr });
  if (!settings.ok) throw new Error(settings.problem);
  const store = new ConsulStore(settings.value);
  const session = { ttlSeconds: 3600, behavior: "delete", lockDelaySeconds: 0 } as const;
  const sessions = await Promise.all(
    PROXIES.map(async (name) => ({ name, sessionId: await store.createSession({ ...session, name }) })),
  );
  for (const { name, servers } of clusters) {
    const record = await bootstrapCluster(store, name, servers);
    for (const { name: proxy, sessionId } of sessions)
      await store.acknowledge(name, proxy, acknowledgementOf(record, proxy), { sessionId });
  }
  store.close();
}

/** From the agent's first breath until it has written nothing more for a while. */
async function beginning(agent: AgentProcess, count: number): Promise<{ seconds: number; writes: number }> {
  const beganMs = performance.now();
  let completeMs: number | undefined;
  let lastMs = beganMs;
  let writes = 0;
  const limit = { timeoutMs: 60_000 + count * 300, intervalMs: 500 };
  await waitUntil(
    async () => {
      const series = seriesOf(await agent.metrics(), WRITES);
      const sum = series.reduce((total, value) => total + value, 0);
      if (sum !== writes) lastMs = performance.now();
      writes = sum;
      if (series.length === count) completeMs ??= performance.now();
      if (completeMs !== undefined && performance.now() - lastMs > QUIET_MS) return true;
      throw new Error(`${String(series.length)} of ${String(count)} have members, ${String(sum)} writes`);
    },
    { ...limit, what: `the members of ${String(count)} clusters, and then nothing more to write` },
  );
  await agent.waitFor((seen) => seen.ready && seen.clusters.every((one) => !one.held), "to hold no cluster");
  return { seconds: ((completeMs ?? Number.NaN) - beganMs) / 1000, writes };
}

interface QuietParts {
  readonly agent: AgentProcess;
  readonly orchestrator: RecordedOrchestrator;
  readonly consul: Consul;
}

async function quietRounds({ agent, orchestrator, consul }: QuietParts, rounds: number) {
  const roundSeconds: number[] = [];
  const mebibytes: number[] = [];
  const before = { keys: await kvIndexes(consul), log: await logIndex(consul) };
  const [beganMs, processor] = [performance.now(), processorSeconds(agent.pid)];
  for (let round = 0; round < rounds; round += 1) {
    // Reading the metrics disturbs the round in which it is done: the one after that is taken.
    const wanted = orchestrator.rounds + 2;
    await waitUntil(() => orchestrator.rounds >= wanted, {
      timeoutMs: 120_000,
      intervalMs: 5,
      what: `round ${String(wanted)} of the agent to begin; ${String(orchestrator.rounds)} have`,
    });
    roundSeconds.push(...seriesOf(await agent.metrics(), "primacy_agent_round_seconds"));
    mebibytes.push(residentMebibytes(agent.pid));
  }
  const seconds = (performance.now() - beganMs) / 1000;
  return {
    roundSeconds,
    mebibytes,
    processor: (processorSeconds(agent.pid) - processor) / seconds,
    entriesPerSecond: ((await logIndex(consul)) - before.log) / seconds,
    changed: changedKeys(before.keys, await kvIndexes(consul)),
  };
}
