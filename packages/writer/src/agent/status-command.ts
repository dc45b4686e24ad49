import { ConsulError, type ConsulStore, type Roster } from "@primacy/consul-store";
import { consulEnding } from "../commands/cluster-state.js";
import type { Ending } from "../ending.js";
import { type Run, clusterWord, usage } from "../run.js";
import { type Heartbeat, LEADER_LOCK, readHeartbeat } from "./leadership.js";
import { type ClusterStatus, type StatusState, clusterStatus } from "./status.js";

/** `primacy-writer status [<cluster>] [--json]`: from record, members and acknowledgements, and what to do next. */
export async function statusCommand(run: Run): Promise<Ending> {
  const named = run.words[0] === undefined ? null : clusterWord(run);
  if (named?.ok === false) return usage(named.problem);
  const { store } = run;
  try {
    const limits = { deadlineMs: run.settings.deadlineMs, signal: run.signal };
    const clusters = named === null ? await store.listClusters(limits) : [named.value];
    const leader = await leaderOf(store, limits);
    const all: ClusterStatus[] = [];
    for (const cluster of clusters) all.push(await statusOf(store, cluster, { run, leader }));
    show(run, all, leader);
    // Fit for a check: anything but ok has an exit code of its own, and a wiped Consul has nothing that is not ok.
    const ok = all.length > 0 && all.every((one) => one.state === "ok");
    return { exit: ok ? "ok" : "not-ok", line: "" };
  } catch (error) {
    return consulEnding(named?.value ?? "clusters", error);
  }
}

interface Leader {
  readonly leads: boolean | null;
  readonly heartbeat: Heartbeat | null;
}

/** A token that may not see the lock must not make it look as if nobody led. */
export async function leaderOf(
  store: ConsulStore,
  limits: { readonly deadlineMs: number; readonly signal: AbortSignal },
): Promise<Leader> {
  try {
    const lock = await store.readLock(LEADER_LOCK, limits);
    return { leads: lock?.sessionId != null, heartbeat: readHeartbeat(lock?.value ?? null) };
  } catch (error) {
    if (error instanceof ConsulError && error.code === "CONSUL_DENIED")
      return { leads: null, heartbeat: null };
    throw error;
  }
}

async function statusOf(
  store: ConsulStore,
  cluster: string,
  { run, leader }: { readonly run: Run; readonly leader: Leader },
): Promise<ClusterStatus> {
  const limits = { deadlineMs: run.settings.deadlineMs, signal: run.signal };
  const snapshot = await store.readCluster(cluster, limits);
  let roster: Roster | null = null;
  try {
    roster = await store.readAcknowledgements(cluster, limits);
  } catch (error) {
    if (!(error instanceof ConsulError)) throw error;
  }
  return clusterStatus({ snapshot, roster, agentLeads: leader.leads, nowMs: run.world.now() });
}

const COLOURS: Record<StatusState, "red" | "yellow" | "green"> = {
  ok: "green",
  draining: "yellow",
  fenced: "red",
  "failing over": "yellow",
  degraded: "yellow",
  disagreement: "red",
  down: "red",
};

function show(run: Run, all: readonly ClusterStatus[], leader: Leader): void {
  const { terminal } = run;
  if (run.switches.has("json")) {
    terminal.out(
      JSON.stringify({ agent: leader.heartbeat, agentLeads: leader.leads, clusters: all }, null, 2),
    );
    return;
  }
  for (const { cluster, state, says, next, notes } of all) {
    terminal.out(`${cluster}  ${terminal.paint(COLOURS[state], state)}  ${says}`);
    if (next !== null) terminal.out(`  next: ${next}`);
    for (const note of notes) terminal.out(`  note: ${note}`);
  }
  if (all.length === 0) terminal.out("there is no cluster yet (or the token may not see any)");
  if (leader.heartbeat !== null && leader.leads === true) {
    terminal.out(
      `agent ${leader.heartbeat.agent} leads since ${leader.heartbeat.since}, last heard ${leader.heartbeat.at}`,
    );
  }
}
