import { ConsulStore, consulOptionsFromEnvironment } from "@primacy/consul-store";
import { type AgentProcess, startAgent } from "../primacy/agent.js";
import { startConsul } from "../servers/consul.js";
import { pause } from "../wait-until.js";
import { bootstrapCluster } from "./convergence.js";
import { RecordedOrchestrator, recordedClusters } from "./recorded-orchestrator.js";
import type { Row } from "./table.js";

/** How a leader ends, and how it comes back as a standby. */
interface Ending {
  readonly what: string;
  readonly end: (leader: AgentProcess) => unknown;
  readonly comeBack: (former: AgentProcess) => Promise<void> | void;
}

const ENDINGS: readonly Ending[] = [
  {
    what: "leader killed (SIGKILL) -> another leads",
    end: (leader) => leader.kill9(),
    comeBack: (former) => former.start(),
  },
  {
    what: "leader frozen (SIGSTOP) -> another leads",
    end: (leader) => leader.suspend(),
    comeBack: (former) => former.resume(),
  },
  {
    what: "leader told to end (SIGTERM) -> another leads",
    end: (leader) => leader.stop(),
    comeBack: (former) => former.start(),
  },
];

/** Two agents with a few healthy clusters; whoever leads is ended. */
export async function takeoverRows(rounds: number, say: (what: string) => void): Promise<Row[]> {
  const consul = await startConsul();
  const clusters = recordedClusters(3);
  const orchestrator = await RecordedOrchestrator.start(clusters);
  const agents: AgentProcess[] = [];
  try {
    const settings = consulOptionsFromEnvironment({ CONSUL_HTTP_ADDR: consul.httpAddr });
    if (!settings.ok) throw new Error(settings.problem);
    const store = new ConsulStore(settings.value);
    for (const { name, servers } of clusters) await bootstrapCluster(store, name, servers);
    store.close();
    for (const name of ["agent1", "agent2"]) {
      agents.push(await startAgent({ name, consul: consul.httpAddr, orchestrator: [orchestrator.url] }));
      await agents[0]?.waitFor((seen) => seen.leads && seen.ready, "to lead");
    }
    const [leader, standby] = agents as [AgentProcess, AgentProcess];
    return await inTurn({ leader, standby }, rounds, say);
  } catch (error) {
    throw new Error(agents.map((one) => `${one.name}:\n${one.output}`).join("\n"), { cause: error });
  } finally {
    for (const agent of agents) await agent.close();
    await orchestrator.close();
    await consul.close();
  }
}

interface Pair {
  readonly leader: AgentProcess;
  readonly standby: AgentProcess;
}

/** Each ending once a round, so that all see the same moods of the machine. */
async function inTurn(first: Pair, rounds: number, say: (what: string) => void): Promise<Row[]> {
  const rows = ENDINGS.map((ending) => ({ ending, values: [] as number[] }));
  let pair = first;
  for (let round = 1; round <= rounds; round += 1) {
    for (const { ending, values } of rows) {
      values.push((await takeover(pair, ending)) / 1000);
      pair = { leader: pair.standby, standby: pair.leader };
    }
    say(`takeovers ${String(round)} of ${String(rounds)}`);
  }
  return rows.map(({ ending, values }) => ({ what: ending.what, unit: "s", values }));
}

/** Milliseconds from the leader's end until the other leads. */
async function takeover({ leader, standby }: Pair, { end, comeBack }: Ending): Promise<number> {
  await leader.waitFor((seen) => seen.leads && seen.ready, "to lead");
  await standby.waitFor(
    (seen) => !seen.leads && seen.leader === leader.name,
    `to stand by for ${leader.name}`,
  );
  // No takeover begins in step with the heartbeat.
  await pause(Math.random() * 2000);
  const endedMs = performance.now();
  await end(leader);
  await standby.waitFor((seen) => seen.leads, "to take over");
  const tookMs = performance.now() - endedMs;
  await comeBack(leader);
  return tookMs;
}
