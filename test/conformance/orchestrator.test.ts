import {
  createHookRecorder,
  type HookRecorder,
  type MariaDb,
  type Orchestrator,
  serverForTests,
  startMariaDb,
  startOrchestrator,
} from "@primacy/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { orchestratorSuite } from "./orchestrator.suite.js";

const mariadb = serverForTests("mariadb", "Orchestrator's takeovers and failovers");
const real = serverForTests("orchestrator", "the same suite on the real Orchestrator");

describe.skipIf(!mariadb)("the Orchestrator stand-in", () => {
  orchestratorSuite("stand-in");

  describe("told to die in a failover", () => {
    let servers: [MariaDb, MariaDb];
    let recorder: HookRecorder;
    let orchestrator: Orchestrator;

    beforeAll(async () => {
      servers = await Promise.all([
        startMariaDb({ serverId: 1 }),
        startMariaDb({ serverId: 2, readOnly: true }),
      ]);
      await servers[1].replicateFrom(servers[0]);
      recorder = await createHookRecorder();
      orchestrator = await startOrchestrator({
        clusters: [{ alias: "main", servers }],
        hooks: recorder.hooks,
        configuration: { StandInDieAfterStep: "set-successor-writeable" },
      });
    });
    afterAll(async () => {
      await orchestrator?.close();
      await Promise.all((servers ?? []).map((server) => server.close()));
      await recorder?.close();
    });

    it("is gone between the promotion and the hooks after it, as a leader that was killed", async () => {
      await expect(orchestrator.forceMasterFailover("main")).rejects.toThrow();
      await expect(orchestrator.api("status")).rejects.toThrow();
      expect(await servers[1].query("SELECT @@global.read_only AS readOnly")).toEqual([{ readOnly: 0 }]);
      // Of detections only that of the master that is taken for dead: a busy one may have been called unreachable before.
      const calls = (await recorder.calls()).filter(({ env }) => env["ORC_FAILURE_TYPE"] === "DeadMaster");
      expect(calls.map(({ hook }) => hook)).toEqual(["OnFailureDetectionProcesses", "PreFailoverProcesses"]);
    });
  });
});

describe.skipIf(!mariadb || !real)("the real Orchestrator", () => {
  orchestratorSuite("real");
});
