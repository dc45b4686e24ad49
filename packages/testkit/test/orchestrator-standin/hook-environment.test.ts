import { describe, expect, it } from "vitest";
import { analyse } from "../../src/orchestrator-standin/analysis.js";
import type { AnalysisEntry } from "../../src/orchestrator-standin/analysis-entry.js";
import {
  hookEnvironment,
  type HookSituation,
  prepareCommand,
} from "../../src/orchestrator-standin/hook-environment.js";
import { HOOK_LISTS } from "../../src/orchestrator-standin/hook-lists.js";
import type { KnownServer } from "../../src/orchestrator-standin/instance-view.js";
import { hookOrder } from "../../src/orchestrator-standin/steps.js";
import { recordedCalls, type RecordedCall } from "./recordings.js";
import { key, replica, root, seen, unreachable } from "./topologies.js";

function analysisOf(servers: KnownServer[], domain: string): AnalysisEntry {
  const [server] = servers;
  return analyse({
    server: server!,
    servers,
    downtimeOf: () => undefined,
    cluster: {
      ClusterName: server!.instance.ClusterName,
      ClusterAlias: "main",
      ClusterDomain: domain,
      CountInstances: 3,
      HeuristicLag: 0,
      HasAutomatedMasterRecovery: true,
      HasAutomatedIntermediateMasterRecovery: true,
    },
    nowMs: 1_000_100,
    checkLimitMs: 6000,
    reasonableLagSeconds: 10,
    orchestrator: { host: "vm", token: "t" },
  });
}

/** The recorded kill: both replicas have lost their master. */
function deadMaster(): AnalysisEntry {
  const lost = { ReplicationIOThreadState: 2 } as const;
  return analysisOf(
    [unreachable(root(3312)), seen(replica(3311, 3312, lost)), seen(replica(3313, 3312, lost))],
    "127.0.0.1:3312",
  );
}

/** The recorded takeover after the sibling has been moved below the designated replica. */
function beforeTakeover(): AnalysisEntry {
  const servers = [seen(root(3311)), seen(replica(3312, 3311)), seen(replica(3313, 3312))];
  return { ...analysisOf(servers, ""), Analysis: "DeadMaster", CommandHint: "graceful-master-takeover" };
}

/** What the stand-in knows when it runs a hook of this list. */
function situation(call: RecordedCall, analysis: AnalysisEntry, successorPort: number): HookSituation {
  const pre = call.hook === "PreGracefulTakeoverProcesses";
  const decided = call.hook.startsWith("Post");
  return {
    analysis,
    // Random in both: taken over, and checked for its form below.
    recoveryUid: call.env["ORC_RECOVERY_UID"]!,
    successor: pre || decided ? key(successorPort) : null,
    successorBinlogCoordinates: decided ? { LogFile: "mysql-bin.000001", LogPos: 2926, Type: 0 } : null,
    lostReplicas: [],
    orchestratorHost: "vm",
  };
}

/** Orchestrator lists replicas in no order. */
function sorted(values: Record<string, string>): Record<string, string> {
  const list = (text: string) => text.split(",").sort().join(",");
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [
      name,
      /replicaHosts|REPLICA_HOSTS/.test(name) ? list(value) : value,
    ]),
  );
}

describe.each([
  { scenario: "dead-master", analysis: deadMaster(), successor: 3311 },
  { scenario: "graceful-master-takeover", analysis: beforeTakeover(), successor: 3312 },
] as const)("$scenario as recorded", ({ scenario, analysis, successor }) => {
  const calls = recordedCalls(scenario);

  it("runs the hook lists in the recorded order", () => {
    expect(hookOrder(scenario)).toEqual(calls.map(({ hook }) => hook));
  });

  it.each(calls)("$hook gets the recorded variables, no more and no fewer", (call) => {
    const built = hookEnvironment(situation(call, analysis, successor));
    expect(sorted(built)).toEqual(sorted(call.env));
  });

  it.each(calls)("$hook gets the recorded placeholders, and those of no successor as they are", (call) => {
    for (const [name, recorded] of Object.entries(call.placeholders)) {
      const { text } = prepareCommand(`<{${name}}>`, situation(call, analysis, successor));
      expect(sorted({ [name]: text.slice(1, -1) })).toEqual(sorted({ [name]: recorded }));
    }
  });
});

describe("prepareCommand", () => {
  const call: RecordedCall = {
    hook: "PreFailoverProcesses",
    env: { ORC_RECOVERY_UID: "1:a" },
    placeholders: {},
  };
  const now = situation(call, deadMaster(), 3311);

  it("takes a trailing & off and says so", () => {
    expect(prepareCommand("  notify {failedPort} & ", now)).toEqual({ text: "notify 3312 ", async: true });
    expect(prepareCommand("notify && log", now)).toEqual({ text: "notify && log", async: false });
  });

  it("quotes nothing and takes a value for no pattern", () => {
    const odd = { ...now, recoveryUid: "$& '; rm -rf" };
    expect(prepareCommand("echo {recoveryUID}", odd).text).toBe("echo $& '; rm -rf");
  });

  it("leaves unknown placeholders", () => {
    expect(prepareCommand("{nobody} {successorPort}", now).text).toBe("{nobody} {successorPort}");
  });
});

describe("the hook lists", () => {
  it("are those of the recordings, and the one of a failed failover", () => {
    const recorded = new Set(
      [...recordedCalls("dead-master"), ...recordedCalls("graceful-master-takeover")].map(({ hook }) => hook),
    );
    expect(HOOK_LISTS.filter((list) => !recorded.has(list))).toEqual(["PostUnsuccessfulFailoverProcesses"]);
  });
});
