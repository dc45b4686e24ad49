import { describe, expect, it } from "vitest";
import { readStandInConfiguration } from "../../src/orchestrator-standin/configuration.js";

describe("the stand-in's configuration", () => {
  it("has Orchestrator's defaults and passes over keys that it does not know", () => {
    const configuration = readStandInConfiguration({ RaftEnabled: false, InstancePollSeconds: 1 });
    expect(configuration).toMatchObject({
      InstancePollSeconds: 1,
      RecoveryPeriodBlockSeconds: 3600,
      ProcessesShellCommand: "bash",
      KVClusterMasterPrefix: "mysql/master",
      StandInDieAfterStep: "",
    });
    expect(configuration.hooks.PostMasterFailoverProcesses).toEqual([]);
  });

  it.each([
    [{ InstancePollSeconds: "1" }, /InstancePollSeconds/],
    [{ DiscoverySeeds: "db1" }, /DiscoverySeeds/],
    [{ PostFailoverProcesses: "true" }, /PostFailoverProcesses/],
    [{ StandInDieAfterStep: "nonsense" }, /no step "nonsense"/],
  ])("refuses %j", (json, problem) => {
    expect(() => readStandInConfiguration(json)).toThrow(problem);
  });
});
