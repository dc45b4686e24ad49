import { describe, expect, it } from "vitest";
import { readStandInConfiguration } from "../../src/orchestrator-standin/configuration.js";
import { EMPTY_ANALYSIS, type AnalysisEntry } from "../../src/orchestrator-standin/analysis-entry.js";
import type { Recovery } from "../../src/orchestrator-standin/recovery.js";
import { auditView } from "../../src/orchestrator-standin/recovery.js";
import { RecoveryLog } from "../../src/orchestrator-standin/recovery-log.js";
import { recordedAnswer } from "./recordings.js";
import { key } from "./topologies.js";

function log(blockSeconds = 6) {
  const clock = { nowMs: 1_795_252_461_786 };
  const configuration = readStandInConfiguration({ RecoveryPeriodBlockSeconds: blockSeconds });
  return { clock, recoveries: new RecoveryLog(configuration, () => clock.nowMs) };
}

function dead(port: number): AnalysisEntry {
  return {
    ...EMPTY_ANALYSIS,
    AnalyzedInstanceKey: key(port),
    Analysis: "DeadMaster",
    ClusterDetails: {
      ...EMPTY_ANALYSIS.ClusterDetails,
      ClusterName: `127.0.0.1:${port}`,
      ClusterAlias: "main",
    },
  };
}

function registered(recovery: Recovery | string): Recovery {
  if (typeof recovery === "string") throw new Error(recovery);
  return recovery;
}

describe("recoveries", () => {
  it("have UIDs of nanoseconds and a hash, a new one each", () => {
    const { recoveries } = log();
    const [first, second] = [recoveries.newUid(), recoveries.newUid()];
    expect(first).toMatch(/^1795252461786\d{6}:[0-9a-f]{64}$/);
    expect(first).not.toBe(second);
  });

  it("block an automatic recovery of the same cluster, and of the server just promoted, for their period", () => {
    const { clock, recoveries } = log();
    const first = registered(recoveries.register(dead(1), false));
    first.successor = key(2);
    clock.nowMs += 5999;
    recoveries.expire();
    expect(recoveries.register(dead(1), false)).toMatch(/recently experienced a failover/);
    expect(recoveries.register(dead(2), false)).toMatch(/recently been promoted/);
    expect(registered(recoveries.register(dead(3), false)).id).toBe(2);
    clock.nowMs += 2;
    recoveries.expire();
    expect(registered(recoveries.register(dead(2), false)).id).toBe(3);
  });

  it("block nobody once they are acknowledged", () => {
    const { recoveries } = log();
    registered(recoveries.register(dead(1), false)).successor = key(2);
    expect(recoveries.acknowledge(() => true, "dba", "seen")).toBe(1);
    expect(recoveries.acknowledge(() => true, "dba", "again")).toBe(0);
    registered(recoveries.register(dead(2), false));
  });

  it("do not block an operator, but for one of the same server that is still under way", () => {
    const { clock, recoveries } = log();
    const first = registered(recoveries.register(dead(1), false));
    expect(recoveries.register(dead(1), true)).toMatch(/will not issue another/i);
    first.resolvedAtMs = clock.nowMs;
    registered(recoveries.register(dead(1), true));
    expect(first.acknowledged).toMatchObject({ by: "orchestrator" });
  });

  it("detect a failure once, until it is acknowledged", () => {
    const { recoveries } = log();
    expect(recoveries.registerDetection(dead(1))).toBe(true);
    expect(recoveries.registerDetection(dead(1))).toBe(false);
    expect(recoveries.registerDetection(dead(2))).toBe(true);
    // What can't be recovered from is registered beside it.
    expect(recoveries.registerDetection({ ...dead(1), Analysis: "UnreachableMaster" })).toBe(true);
    recoveries.acknowledgeDetections(key(1));
    expect(recoveries.registerDetection(dead(1))).toBe(true);
  });

  it("are audited as recorded", () => {
    const [recorded] = recordedAnswer("after-dead-master", "audit-recovery/alias/main") as Record<
      string,
      unknown
    >[];
    const { recoveries } = log();
    recoveries.registerDetection(dead(3311));
    const analysis = dead(3311);
    const recovery = registered(
      recoveries.register(
        {
          ...analysis,
          CountReplicas: 2,
          Replicas: [key(3312), key(3313)],
          SlaveHosts: [key(3312), key(3313)],
          IsMaster: true,
          ProcessingNodeHostname: "vm",
          ProcessingNodeToken: recorded!["ProcessingNodeToken"] as string,
          ClusterDetails: {
            ...analysis.ClusterDetails,
            CountInstances: 3,
            HasAutomatedMasterRecovery: true,
            HasAutomatedIntermediateMasterRecovery: true,
          },
        },
        false,
      ),
    );
    const endedAtMs = Date.parse("2026-11-21T09:46:10.500Z");
    const view = auditView({
      ...recovery,
      uid: recorded!["UID"] as string,
      startedAtMs: Date.parse("2026-11-21T09:46:10.100Z"),
      resolvedAtMs: endedAtMs,
      active: false,
      successor: key(3312),
      successorBinlogCoordinates: { LogFile: "mysql-bin.000001", LogPos: 2926, Type: 0 },
    });
    expect(view).toEqual(recorded);
    expect(Object.keys(view)).toEqual(Object.keys(recorded!));
  });
});
