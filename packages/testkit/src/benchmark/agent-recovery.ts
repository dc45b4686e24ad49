import type { MariaDb } from "../servers/mariadb.js";
import { pause, waitUntil } from "../wait-until.js";
import type { AgentFleet } from "./agent-fleet.js";
import type { Row } from "./table.js";

const LIMIT_MS = 120_000;
/** How often is looked: how exact the figures are. Milliseconds. */
const LOOK_MS = 20;

interface SwallowedHook {
  readonly killToPromotedMs: number;
  readonly promotedToSwitchedMs: number;
  readonly endedToSwitchedMs: number;
}

/** The master dies and Orchestrator promotes a replica, but no hook ever comes. */
async function swallowedHook(fleet: AgentFleet): Promise<SwallowedHook> {
  const { master, replicas } = await fleet.roles();
  const { generation } = await fleet.record();
  const known = new Set((await fleet.recoveries()).map(({ UID }) => UID));
  const killedMs = performance.now();
  await master.kill9();
  const promotion = promoted(replicas);
  const [{ successor, atMs: promotedMs }, endedMs, switchedMs] = await Promise.all([
    promotion,
    recoveryEnded(fleet, known),
    promotion.then(async (one) => fleet.allProxies("writer", [one.successor])),
  ]);
  const record = await fleet.record();
  const uids = (await fleet.recoveries()).map(({ UID }) => UID).filter((uid) => !known.has(uid));
  const byTheAgent = record.writtenBy.includes("agent1") && uids.includes(record.cause.recoveryUid);
  if (record.generation !== generation + 1 || !byTheAgent || record.master.port !== successor.port)
    throw new Error(`the record is not the agent's replay of the recovery: ${JSON.stringify(record)}`);
  await fleet.repair(master);
  return {
    killToPromotedMs: promotedMs - killedMs,
    promotedToSwitchedMs: switchedMs - promotedMs,
    endedToSwitchedMs: switchedMs - endedMs,
  };
}

/** Waits until one of the replicas has been made writable. */
async function promoted(replicas: readonly MariaDb[]): Promise<{ successor: MariaDb; atMs: number }> {
  const look = async (): Promise<MariaDb | undefined> => {
    for (const one of replicas) {
      const [row] = await one.query("SELECT @@global.read_only AS readOnly");
      if (Number(row?.["readOnly"]) === 0) return one;
    }
    return undefined;
  };
  const what = "Orchestrator to promote a replica";
  const successor = await waitUntil(look, { timeoutMs: LIMIT_MS, intervalMs: LOOK_MS, what });
  return { successor, atMs: performance.now() };
}

/** Waits until a recovery that was not known before has ended, as Orchestrator's audit says. */
async function recoveryEnded(fleet: AgentFleet, known: ReadonlySet<string>): Promise<number> {
  const look = async (): Promise<boolean> => {
    const fresh = (await fleet.recoveries()).filter(({ UID }) => !known.has(UID));
    if (fresh.some((one) => one.RecoveryEndTimestamp !== "")) return true;
    throw new Error(`${String(fresh.length)} new recoveries, none of which has ended`);
  };
  await waitUntil(look, { timeoutMs: LIMIT_MS, intervalMs: LOOK_MS, what: "the end of the recovery" });
  return performance.now();
}

export async function recoveryRows(
  fleet: AgentFleet,
  rounds: number,
  say: (what: string) => void,
): Promise<Row[]> {
  const seen: SwallowedHook[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    await fleet.settled();
    // No round begins in step with Orchestrator's polls or the agent's.
    await pause(Math.random() * 1000);
    seen.push(await swallowedHook(fleet));
    say(`recovery without a hook ${String(round)} of ${String(rounds)}`);
  }
  const seconds = (pick: (one: SwallowedHook) => number): number[] => seen.map((one) => pick(one) / 1000);
  return [
    {
      what: "no hook: master killed -> promoted (Orchestrator)",
      unit: "s",
      values: seconds((one) => one.killToPromotedMs),
    },
    {
      what: "no hook: promoted -> every proxy switched",
      unit: "s",
      values: seconds((one) => one.promotedToSwitchedMs),
    },
    {
      what: "no hook: recovery ended -> every proxy switched",
      unit: "s",
      values: seconds((one) => one.endedToSwitchedMs),
    },
  ];
}
