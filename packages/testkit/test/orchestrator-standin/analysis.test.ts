import { describe, expect, it } from "vitest";
import { actionFor, analyse } from "../../src/orchestrator-standin/analysis.js";
import { EMPTY_ANALYSIS } from "../../src/orchestrator-standin/analysis-entry.js";
import type { Instance } from "../../src/orchestrator-standin/instance.js";
import type { Downtime, KnownServer } from "../../src/orchestrator-standin/instance-view.js";
import { replica, root, seen, unreachable } from "./topologies.js";

const NOW = 1_000_500;

function problem(
  servers: KnownServer[],
  downtimeOf: (instance: Instance) => Downtime | undefined = () => undefined,
) {
  return analyse({
    server: servers[0]!,
    servers,
    downtimeOf,
    cluster: EMPTY_ANALYSIS.ClusterDetails,
    nowMs: NOW,
    checkLimitMs: 6000,
    reasonableLagSeconds: 10,
    orchestrator: { host: "vm", token: "t" },
  });
}

const connecting = { ReplicationIOThreadState: 2 } as const;
const lagging = { SecondsBehindMaster: { Int64: 60, Valid: true } };

describe("the analysis of a master", () => {
  it.each([
    ["healthy", [seen(root(1)), seen(replica(2, 1)), seen(replica(3, 1))], "NoProblem", "nothing"],
    ["dead without replicas", [unreachable(root(1))], "DeadMasterWithoutReplicas", "nothing"],
    [
      "dead, nobody replicates",
      [unreachable(root(1)), seen(replica(2, 1, connecting)), seen(replica(3, 1, connecting))],
      "DeadMaster",
      "recover",
    ],
    [
      "dead with some of its replicas",
      [unreachable(root(1)), seen(replica(2, 1, connecting)), unreachable(replica(3, 1))],
      "DeadMasterAndSomeReplicas",
      "recover",
    ],
    [
      "dead with all replicas",
      [unreachable(root(1)), unreachable(replica(2, 1))],
      "DeadMasterAndReplicas",
      "detect",
    ],
    [
      "unreachable, but one still replicates",
      [unreachable(root(1)), seen(replica(2, 1)), seen(replica(3, 1, connecting))],
      "UnreachableMaster",
      "detect",
    ],
    [
      "unreachable, replicas lag",
      [unreachable(root(1)), seen(replica(2, 1, lagging))],
      "UnreachableMasterWithLaggingReplicas",
      "detect",
    ],
    [
      "reachable, nobody replicates",
      [seen(root(1)), seen(replica(2, 1, connecting)), seen(replica(3, 1, connecting))],
      "AllMasterReplicasNotReplicating",
      "detect",
    ],
    [
      "reachable, one dead and none replicates",
      [seen(root(1)), seen(replica(2, 1, connecting)), unreachable(replica(3, 1))],
      "AllMasterReplicasNotReplicatingOrDead",
      "detect",
    ],
    [
      "reachable, its only replica stopped",
      [seen(root(1)), seen(replica(2, 1, connecting))],
      "MasterSingleReplicaNotReplicating",
      "nothing",
    ],
    [
      "reachable, its only replica dead",
      [seen(root(1)), unreachable(replica(2, 1))],
      "MasterSingleReplicaDead",
      "nothing",
    ],
  ] as const)("%s", (_what, servers, code, action) => {
    const found = problem([...servers]);
    expect(found.Analysis).toBe(code);
    expect(actionFor(found.Analysis)).toBe(action);
  });

  it("takes a master whose check has been under way for longer than the limit as unreachable", () => {
    const hung = { ...seen(root(1)), attemptedAtMs: 1_000_000 + 6001 };
    expect(problem([hung, seen(replica(2, 1, connecting))]).Analysis).toBe("DeadMaster");
    const slow = { ...seen(root(1)), attemptedAtMs: 1_000_000 + 5999 };
    expect(problem([slow, seen(replica(2, 1, connecting))]).Analysis).toBe(
      "MasterSingleReplicaNotReplicating",
    );
  });

  it("leaves replicas alone", () => {
    expect(
      problem([unreachable(replica(2, 1)), seen(root(1)), seen(replica(3, 2, connecting))]).Analysis,
    ).toBe("NoProblem");
  });

  it("marks a server in downtime as not to be recovered, until the downtime is over", () => {
    const servers = [unreachable(root(1)), seen(replica(2, 1, connecting))];
    const downtime = (endsAtMs: number) => ({ owner: "dba", reason: "upgrade", beginsAtMs: 0, endsAtMs });
    expect(problem(servers, () => downtime(NOW + 1)).SkippableDueToDowntime).toBe(true);
    expect(problem(servers, () => downtime(NOW)).SkippableDueToDowntime).toBe(false);
  });
});
