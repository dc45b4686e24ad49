import type { HistoryEntry, Roster } from "@primacy/consul-store";
import { type Layout, type MasterRecord, formatServer } from "@primacy/contract";
import { leaderOf } from "../agent/status-command.js";
import { proxiesOf } from "../agent/proxies.js";
import { consulEnding, isEnding, readUsableCluster } from "../commands/cluster-state.js";
import { errorText } from "../errors.js";
import type { Ending } from "../ending.js";
import { databaseContext } from "../phases/databases.js";
import { type Run, clusterWord, usage } from "../run.js";
import { Spool } from "../spool/folder.js";
import { type CheckFinding, CHECKS, isGap } from "./findings.js";
import { guaranteesOf } from "./guarantees.js";
import { lastTakeoverFindings } from "./last-takeover.js";
import { lookAtServers, serverFindings } from "./servers.js";

/** `primacy-writer check <cluster> [--json]`: what the cluster's policies promise, and what takes away from it here. */
export async function checkCommand(run: Run): Promise<Ending> {
  const cluster = clusterWord(run);
  if (!cluster.ok) return usage(cluster.problem);
  const state = await readUsableCluster(run, cluster.value);
  if (isEnding(state)) return state;
  const { record, layout } = state;
  try {
    const findings = await findingsOf(run, record, layout);
    const stops = run.settings.stopOnFailure ?? layout.onFenceFailure === "stop";
    const hasAccount = run.settings.database !== undefined;
    show(run, record, guaranteesOf(layout, { stops, hasAccount }), findings);
    return { exit: findings.some(isGap) ? "not-ok" : "ok", line: "" };
  } catch (error) {
    return consulEnding(cluster.value, error);
  }
}

/** @throws {ConsulError} */
async function findingsOf(run: Run, record: MasterRecord, layout: Layout): Promise<readonly CheckFinding[]> {
  const { store, settings, signal } = run;
  const limits = { deadlineMs: settings.deadlineMs, signal };
  const history: HistoryEntry[] = await store.readHistory(record.cluster, limits);
  const roster = await store.readAcknowledgements(record.cluster, limits);
  const { leads } = await leaderOf(store, limits);
  return [
    ...lastTakeoverFindings(history),
    ...(await databaseFindings(run, record, layout)),
    ...agentFindings(leads),
    ...proxyFindings(record, roster),
    ...(await spoolFindings(run)),
  ];
}

async function databaseFindings(
  run: Run,
  record: MasterRecord,
  layout: Layout,
): Promise<readonly CheckFinding[]> {
  const { settings, world } = run;
  const remedy =
    "databaseUser and databasePasswordFile (docs/old-master.md), on each host that runs hooks or an agent.";
  if (settings.database === undefined) {
    if (layout.openedBy !== "primacy") return [];
    return [{ check: "database-account-missing", says: "no databaseUser is set here", remedy }];
  }
  const context = await databaseContext({ settings: settings.database, world });
  if (!context.ok) return [{ check: "database-account-unusable", says: context.problem, remedy }];
  if (context.value === undefined) return [];
  const deadline = world.elapsed() + settings.database.deadlineMs;
  return serverFindings(await lookAtServers(layout, deadline, context.value), record, layout);
}

/** Null: the token may not see the lock, so nothing is said. */
function agentFindings(leads: boolean | null): readonly CheckFinding[] {
  if (leads !== false) return [];
  const remedy = "primacy-writer agent beside each Orchestrator node (docs/agent.md).";
  return [{ check: "no-agent", says: "no agent leads", remedy }];
}

function proxyFindings(record: MasterRecord, roster: Roster): readonly CheckFinding[] {
  const proxies = proxiesOf(record, roster);
  if (proxies.length === 0) {
    const remedy = "primacy-watcher run beside each ProxySQL; its token may write acks/.";
    return [{ check: "no-proxy", says: "no live watcher acknowledges this cluster", remedy }];
  }
  return proxies
    .filter(({ behind }) => behind !== null)
    .map(({ proxy, behind }) => ({
      check: "proxy-behind",
      says: `${proxy}: ${behind ?? ""}`,
      remedy: `That watcher's /readyz and log.`,
    }));
}

async function spoolFindings({ settings }: Run): Promise<readonly CheckFinding[]> {
  const spool = new Spool(settings.spool.folder, settings.spool.limit);
  const remedy = "primacy-writer flush, as the user whose hooks write there.";
  try {
    const { length } = await spool.names();
    return length === 0
      ? []
      : [{ check: "spool-waits", says: `${String(length)} in ${spool.folder}`, remedy }];
  } catch (error) {
    return [{ check: "spool-waits", says: `${spool.folder} can't be read: ${errorText(error)}`, remedy }];
  }
}

function show(
  { terminal, switches }: Run,
  record: MasterRecord,
  guarantees: readonly string[],
  findings: readonly CheckFinding[],
): void {
  const { cluster, generation, phase, master } = record;
  if (switches.has("json")) {
    const all = findings.map((one) => ({ level: CHECKS[one.check].level, ...one }));
    terminal.out(JSON.stringify({ cluster, generation, guarantees, findings: all }, null, 2));
    return;
  }
  terminal.out(
    `${cluster} generation ${String(generation)}: ${formatServer(master)} is ${phase}. When the master changes:`,
  );
  for (const sentence of guarantees) terminal.out(`  ${sentence}`);
  for (const one of findings) {
    const { level } = CHECKS[one.check];
    terminal.out(`${terminal.paint(level === "gap" ? "red" : "yellow", level)}  ${one.says} [${one.check}]`);
    terminal.out(`  next: ${one.remedy}`);
  }
  if (findings.length === 0) terminal.out(terminal.paint("green", "nothing takes away from that here"));
}
