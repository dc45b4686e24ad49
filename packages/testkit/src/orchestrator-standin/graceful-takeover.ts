import type { AnalysisEntry } from "./analysis-entry.js";
import { chooseCandidate } from "./candidate.js";
import { failOver } from "./failover.js";
import { type FailoverTools, runRecoveryHooks } from "./failover-run.js";
import { filtersMatchServer } from "./filters.js";
import { runHooks } from "./hook-runner.js";
import { type Instance, type InstanceKey, keyText, sameKey } from "./instance.js";
import type { Recovery } from "./recovery.js";
import { GRACEFUL_TAKEOVER_STEPS, type GracefulTakeoverStep } from "./steps.js";

/** What an operator asks for. */
export interface TakeoverRequest {
  clusterName: string;
  /** Undefined: the only replica, or with `auto` one of Orchestrator's choice. */
  to: InstanceKey | undefined;
  /** Also starts replication on the demoted master. */
  auto: boolean;
}

interface Takeover {
  readonly tools: FailoverTools;
  readonly request: TakeoverRequest;
  master: Instance;
  designated: Instance | null;
  /** As it was before the hooks: what they and the failover are told. */
  analysis: AnalysisEntry | null;
  recovery: Recovery | null;
  /** What went wrong after the switch; the hooks after it still run. */
  problem: unknown;
}

const HANDLERS: Record<GracefulTakeoverStep, (takeover: Takeover) => Promise<void>> = {
  "find-designated-replica": findDesignated,
  "relocate-siblings": relocateSiblings,
  "run-pre-graceful-takeover-hooks": runPreGracefulTakeoverHooks,
  "set-master-read-only": setMasterReadOnly,
  "wait-for-catch-up": waitForCatchUp,
  recover,
  "change-demoted-master": changeDemotedMaster,
  "run-post-graceful-takeover-hooks": async ({ tools, recovery }) => {
    if (recovery !== null) await runRecoveryHooks(tools, recovery, "PostGracefulTakeoverProcesses", false);
  },
};

/**
 * A planned takeover: GRACEFUL_TAKEOVER_STEPS in their order (3.2.6, GracefulMasterTakeover).
 *
 * @throws when a step fails. After set-master-read-only the old master then STAYS read-only and no hook says so, except
 *   where the failover itself found no replica (percona/orchestrator#43).
 */
export async function gracefulTakeover(tools: FailoverTools, request: TakeoverRequest): Promise<Recovery> {
  const takeover: Takeover = {
    tools,
    request,
    master: onlyMaster(tools, request.clusterName),
    designated: null,
    analysis: null,
    recovery: null,
    problem: undefined,
  };
  for (const step of GRACEFUL_TAKEOVER_STEPS) await HANDLERS[step](takeover);
  if (takeover.problem !== undefined) throw takeover.problem;
  if (takeover.recovery === null) throw new Error("graceful-master-takeover: no successor promoted");
  return takeover.recovery;
}

/** An analysis that is taken as given, whatever the servers say (forceAnalysisEntry). */
export function forcedAnalysis(tools: FailoverTools, master: InstanceKey, command: string): AnalysisEntry {
  const server = tools.backend.server(master);
  if (server === undefined) throw new Error(`Cannot read instance: ${keyText(master)}`);
  const analysis = tools.backend.analyse(server);
  return {
    ...analysis,
    Analysis: "DeadMaster",
    CommandHint: command,
    ClusterDetails: tools.backend.clusterInfo(server.instance.ClusterName),
    IsActionableRecovery: true,
  };
}

/** @throws where the cluster has no root or several */
export function onlyMaster(tools: FailoverTools, clusterName: string): Instance {
  const masters = tools.backend.clusterMasters(clusterName);
  const [master] = masters;
  if (master === undefined || masters.length !== 1) {
    throw new Error(
      `Cannot deduce cluster master for ${clusterName}. Found ${masters.length} potential masters`,
    );
  }
  return master.instance;
}

async function findDesignated(takeover: Takeover): Promise<void> {
  const { tools, request, master } = takeover;
  const replicas = tools.backend.replicasOf(master.Key).map(({ instance }) => instance);
  if (replicas.length === 0) throw new Error(`Master ${keyText(master.Key)} doesn't seem to have replicas`);
  const designated = designatedReplica(takeover, replicas);
  const ignored = tools.configuration.PromotionIgnoreHostnameFilters;
  if (filtersMatchServer(ignored, designated.Key)) {
    throw new Error(
      `GracefulMasterTakeover: designated instance ${keyText(designated.Key)} cannot be promoted due to promotion rule or it is explicitly ignored in PromotionIgnoreHostnameFilters configuration`,
    );
  }
  const limit = tools.configuration.ReasonableMaintenanceReplicationLagSeconds;
  if (designated.SecondsBehindMaster.Int64 > limit) {
    throw new Error(
      `Desginated instance ${keyText(designated.Key)} seems to be lagging too much for this operation. Aborting.`,
    );
  }
  if (request.to === undefined && replicas.length > 1) await tools.topology.startReplication(designated.Key);
  takeover.designated = designated;
}

function designatedReplica({ tools, request, master }: Takeover, replicas: Instance[]): Instance {
  const { to, auto } = request;
  const [single] = replicas;
  if (to !== undefined) {
    const found = replicas.find(({ Key }) => sameKey(Key, to));
    if (found !== undefined) return found;
    throw new Error(
      `GracefulMasterTakeover: indicated designated instance ${keyText(to)} must be directly replicating from the master ${keyText(master.Key)}`,
    );
  }
  if (replicas.length === 1 && single !== undefined) return single;
  if (!auto) {
    throw new Error(
      `GracefulMasterTakeover: target instance not indicated, auto=false, and master ${keyText(master.Key)} has ${replicas.length} replicas. orchestrator cannot choose where to failover to. Aborting`,
    );
  }
  const { candidate } = chooseCandidate(replicas, tools.configuration.PromotionIgnoreHostnameFilters);
  if (candidate !== null) return candidate;
  throw new Error(
    `GracefulMasterTakeover: no target instance indicated, failed to auto-detect candidate replica for master ${keyText(master.Key)}. Aborting`,
  );
}

/** Before any hook runs. Siblings stay where they have been moved when the takeover fails later (openark/orchestrator#744). */
async function relocateSiblings(takeover: Takeover): Promise<void> {
  const { tools, master } = takeover;
  const designated = designatedOf(takeover);
  const siblings = tools.backend
    .replicasOf(master.Key)
    .filter(({ instance }) => !sameKey(instance.Key, designated.Key));
  const moves = siblings.map(({ instance }) => tools.topology.moveBelow(instance.Key, designated.Key));
  const results = await Promise.allSettled(moves);
  for (const [index, result] of results.entries()) {
    const sibling = siblings[index]?.instance.Key;
    const excused = sibling === undefined || tools.backend.isDowntimed(sibling);
    if (result.status === "rejected" && !excused) {
      throw new Error(
        `Desginated instance ${keyText(designated.Key)} cannot take over all of its siblings. Error: ${String(result.reason)}`,
      );
    }
  }
}

async function runPreGracefulTakeoverHooks(takeover: Takeover): Promise<void> {
  const { configuration, backend, log } = takeover.tools;
  takeover.analysis = forcedAnalysis(takeover.tools, takeover.master.Key, "graceful-master-takeover");
  const problem = await runHooks({
    shell: configuration.ProcessesShellCommand,
    description: "PreGracefulTakeoverProcesses",
    commands: configuration.hooks.PreGracefulTakeoverProcesses,
    situation: {
      analysis: takeover.analysis,
      // There is no recovery yet; the successor is the one designated.
      recoveryUid: "",
      successor: designatedOf(takeover).Key,
      successorBinlogCoordinates: null,
      lostReplicas: [],
      orchestratorHost: backend.identity.host,
    },
    failOnError: true,
    audit: log,
  });
  if (problem !== undefined) throw new Error(`Failed running PreGracefulTakeoverProcesses: ${problem}`);
}

async function setMasterReadOnly(takeover: Takeover): Promise<void> {
  takeover.master = await takeover.tools.topology.setReadOnly(takeover.master.Key, true);
}

async function waitForCatchUp(takeover: Takeover): Promise<void> {
  const { tools, master } = takeover;
  const limitMs = tools.configuration.ReasonableMaintenanceReplicationLagSeconds * 1000;
  const { Key } = designatedOf(takeover);
  takeover.designated = await tools.topology.waitForApplied(Key, master.SelfBinlogCoordinates, limitMs);
}

async function recover(takeover: Takeover): Promise<void> {
  const { tools, master, analysis } = takeover;
  if (analysis === null) throw new Error("the master has not been analysed yet");
  const designated = designatedOf(takeover).Key;
  const { attempted, recovery, problem } = await failOver(tools, { analysis, forced: true, designated });
  if (!attempted || recovery === null) {
    tools.log(`GracefulMasterTakeover: noting an error, and for now proceeding: ${String(problem)}`);
    throw new Error(
      "GracefulMasterTakeover: unexpected error: recovery not attempted. This should not happen",
    );
  }
  if (recovery.successor === null) {
    await tools.topology.setReadOnly(master.Key, false);
    throw new Error(
      `GracefulMasterTakeover: Recovery attempted yet no replica promoted; err=${String(problem)}`,
    );
  }
  takeover.recovery = recovery;
}

async function changeDemotedMaster(takeover: Takeover): Promise<void> {
  const { topology } = takeover.tools;
  const master = takeover.master.Key;
  const designated = designatedOf(takeover).Key;
  try {
    const demoted = await topology.changeMaster(master, designated);
    if (!demoted.HasReplicationCredentials) await topology.copyCredentials(designated, master);
    if (takeover.request.auto) await topology.startReplication(master);
  } catch (error) {
    takeover.problem = error;
  }
}

function designatedOf({ designated }: Takeover): Instance {
  if (designated === null) throw new Error("no replica has been designated yet");
  return designated;
}
