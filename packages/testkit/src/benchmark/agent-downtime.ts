import { pause } from "../wait-until.js";
import type { AgentFleet } from "./agent-fleet.js";
import type { Row } from "./table.js";

/** A replica is downtimed at Orchestrator, and its downtime is ended, again and again. */
export async function downtimeRows(
  fleet: AgentFleet,
  rounds: number,
  say: (what: string) => void,
): Promise<Row[]> {
  const begun: number[] = [];
  const ended: number[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    await fleet.settled();
    const { replicas } = await fleet.roles();
    const replica = replicas[round % replicas.length];
    if (replica === undefined) throw new RangeError("there is no replica");
    const server = `${replica.host}/${String(replica.port)}`;
    // No round begins in step with the agent's.
    await pause(Math.random() * 1000);
    const beganMs = performance.now();
    await fleet.order(`begin-downtime/${server}/operator/benchmark/1h`);
    begun.push((await fleet.allProxies("reader", [replica], "OFFLINE_SOFT")) - beganMs);
    await pause(Math.random() * 1000);
    const endedMs = performance.now();
    await fleet.order(`end-downtime/${server}`);
    ended.push((await fleet.allProxies("reader", replicas)) - endedMs);
    if (round % 5 === 0 || round === rounds) say(`downtime ${String(round)} of ${String(rounds)}`);
  }
  const seconds = (values: readonly number[]): number[] => values.map((ms) => ms / 1000);
  return [
    { what: "begin-downtime -> OFFLINE_SOFT on every proxy", unit: "s", values: seconds(begun) },
    { what: "end-downtime -> ONLINE on every proxy", unit: "s", values: seconds(ended) },
  ];
}
