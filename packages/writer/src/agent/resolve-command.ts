import { type Layout, type MasterRecord, formatServer } from "@primacy/contract";
import { isEnding, readUsableCluster } from "../commands/cluster-state.js";
import { commitEvent } from "../commit.js";
import { type Ending, commitEnding } from "../ending.js";
import { type Run, clusterWord, commitContext, freshDeadline, usage } from "../run.js";
import { type RecordDecision, decideRecord } from "./decide.js";
import { type AgentOptions, readAgentOptions } from "./options.js";
import { OrchestratorClient } from "./orchestrator/client.js";
import { OrchestratorError } from "./orchestrator/error.js";

/**
 * `primacy-writer resolve <cluster> [--json]`: ends a drain or a fence whose deadline has passed, once, as the agent
 * would: by Orchestrator's word and by the same decision.
 */
export async function resolveCommand(run: Run): Promise<Ending> {
  const cluster = clusterWord(run);
  if (!cluster.ok) return usage(cluster.problem);
  const path = run.flags["config"] || run.environment["PRIMACY_CONFIG"] || undefined;
  const options = await readAgentOptions(path, run.flags, run.environment, run.settings);
  if (!options.ok) return usage(options.problem);
  const state = await readUsableCluster(run, cluster.value);
  if (isEnding(state)) return state;
  const { record, layout } = state;
  const early = tooEarly(record, run.world.now());
  const { decision, ending } =
    early === undefined
      ? await decideAndEnd(run, options.value, cluster.value, [record, layout])
      : { decision: undefined, ending: early };
  if (!run.switches.has("json")) return ending;
  run.terminal.out(jsonText(record, decision, ending));
  // Nothing but JSON on stdout.
  return ending.exit === "ok" ? { ...ending, line: "" } : ending;
}

/** Why there is nothing to end. */
function tooEarly(record: MasterRecord, nowMs: number): Ending | undefined {
  const says = `${record.cluster} generation ${String(record.generation)}: ${formatServer(record.master)} is ${record.phase}`;
  if (record.phase === "open") return { exit: "ok", line: `${says}: nothing to end` };
  if (record.deadline !== null && Date.parse(record.deadline) >= nowMs) {
    return { exit: "ok", line: `${says} until ${record.deadline}: its hook has its time` };
  }
  return undefined;
}

interface Resolved {
  readonly decision: RecordDecision | undefined;
  readonly ending: Ending;
}

async function decideAndEnd(
  run: Run,
  { settings, orchestrator }: AgentOptions,
  cluster: string,
  [record, layout]: readonly [MasterRecord, Layout],
): Promise<Resolved> {
  const client = new OrchestratorClient(orchestrator, {
    monotonicNow: run.world.elapsed,
    wallNow: run.world.now,
  });
  try {
    const view = await client.readCluster(
      run.flags["alias"] ?? settings.aliasOf(cluster),
      layout,
      run.signal,
    );
    const decision = decideRecord(view, record, layout, {
      nowMs: run.world.now(),
      // A person asks: what the agent waits for has been waited for.
      heldFor: () => Number.POSITIVE_INFINITY,
      settings: { ...settings.follower.decision, policy: "report" },
    });
    return { decision, ending: await end(run, cluster, decision) };
  } catch (error) {
    if (!(error instanceof OrchestratorError)) throw error;
    const line = `${cluster}: nothing can be decided while Orchestrator is not heard: ${error.message}`;
    return { decision: undefined, ending: { exit: "orchestrator-unusable", line } };
  } finally {
    client.close();
  }
}

async function end(run: Run, cluster: string, { event, findings }: RecordDecision): Promise<Ending> {
  const [first, ...rest] = findings.map(({ reason, rule }) => `${reason} [${rule}]`);
  if (event === null) return { exit: "stays-fenced", line: `${cluster}: ${first ?? ""}`, notes: rest };
  const outcome = await commitEvent(cluster, event, freshDeadline(run), commitContext(run, true));
  const ending = commitEnding(cluster, outcome);
  return { ...ending, notes: [...(ending.notes ?? []), ...(first === undefined ? [] : [first]), ...rest] };
}

function jsonText(record: MasterRecord, decision: RecordDecision | undefined, ending: Ending): string {
  const { cluster, generation, phase, master, deadline } = ending.standing?.record ?? record;
  const { event = null, findings = [] } = decision ?? {};
  const done = { outcome: ending.exit, line: ending.line, event: event?.kind ?? null, findings };
  return JSON.stringify(
    { cluster, generation, phase, master: formatServer(master), deadline, ...done },
    null,
    2,
  );
}
