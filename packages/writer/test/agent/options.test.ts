import { describe, expect, test } from "vitest";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type AgentOptions, readAgentOptions } from "../../src/agent/options.js";
import { readConfigFile } from "../../src/config-file.js";
import { readSettings } from "../../src/options.js";
import { removeFoldersAfterEach, temporaryFolder } from "../fakes.js";

removeFoldersAfterEach();

type Variables = Record<string, string>;

/** Reads a file with this table, as the program does. */
async function read(
  table: unknown,
  environment: Variables = { PRIMACY_ORCHESTRATOR: "http://orc1:3000" },
  flags: Variables = {},
): Promise<AgentOptions | string> {
  const path = join(temporaryFolder(), "writer.json");
  writeFileSync(path, JSON.stringify({ agent: table }));
  const file = await readConfigFile(path);
  if (!file.ok) throw new Error(file.problem);
  const settings = readSettings(flags, environment, file.value);
  if (!settings.ok) throw new Error(settings.problem);
  const options = await readAgentOptions(path, flags, environment, settings.value);
  return options.ok ? options.value : options.problem;
}

async function optionsOf(...args: Parameters<typeof read>): Promise<AgentOptions> {
  const result = await read(...args);
  if (typeof result === "string") throw new Error(result);
  return result;
}

describe("the agent's settings", () => {
  test("need only Orchestrator's address", async () => {
    const { settings, orchestrator, datacenters, http } = await optionsOf({});
    expect(orchestrator).toMatchObject({
      urls: ["http://orc1:3000"],
      api: "v1",
      timeoutMs: 3000,
      basicAuth: undefined,
      token: undefined,
    });
    expect(settings).toMatchObject({ clusters: null, pollMs: 1000, historyKeep: 500 });
    expect(settings.follower.decision).toEqual({
      policy: "report",
      repairAfterMs: 30_000,
      replayAfterMs: 5000,
      recoveryPatienceMs: 120_000,
    });
    expect([datacenters, http]).toEqual([[], { host: "127.0.0.1", port: 6091 }]);
  });

  test("wait for a second check before a server is believed to be worse", async () => {
    const orchestratorsInstancePollMs = 5000;
    const { settings } = await optionsOf({});
    expect(settings.follower.membership.worseAfterMs).toBeGreaterThan(orchestratorsInstancePollMs);
  });

  test("are a table of the file that hooks read as well", async () => {
    const path = join(temporaryFolder(), "writer.yaml");
    writeFileSync(path, "deadline: 5\nagent:\n  policy: repair\n");
    expect(await readConfigFile(path)).toEqual({ ok: true, value: { deadline: "5" } });
  });

  test("come from flag over environment over file", async () => {
    const table = { name: "by-file", policy: "repair", clusters: ["one"], http: false };
    expect((await optionsOf(table)).settings.agent).toBe("by-file");
    const environment = {
      PRIMACY_ORCHESTRATOR: "http://orc1:3000, http://orc2:3000/",
      PRIMACY_AGENT_NAME: "by-environment",
      PRIMACY_AGENT_CLUSTERS: "Two,three,two",
      PRIMACY_AGENT_HTTP: "0.0.0.0:7000",
    };
    const given = await optionsOf(table, environment);
    expect(given.settings).toMatchObject({ agent: "by-environment", clusters: ["two", "three"] });
    expect(given.settings.follower.decision.policy).toBe("repair");
    expect(given.orchestrator.urls).toEqual(["http://orc1:3000", "http://orc2:3000"]);
    expect(given.http).toEqual({ host: "0.0.0.0", port: 7000 });
    const flags = { name: "by-flag", cluster: "four", policy: "report", http: "off" };
    const said = await optionsOf(table, environment, flags);
    expect(said.settings).toMatchObject({ agent: "by-flag", clusters: ["four"] });
    expect([said.settings.follower.decision.policy, said.http]).toEqual(["report", null]);
  });

  test("know Orchestrator by its prefix, and without /api", async () => {
    const urls = ["http://orc1:3000/orchestrator/", "https://orc2/orc/api"];
    expect((await optionsOf({ orchestrator: { urls } }, {})).orchestrator.urls).toEqual([
      "http://orc1:3000/orchestrator",
      "https://orc2/orc",
    ]);
  });

  test("read secrets from files, and never leave them in a message", async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "auth"), "primacy:s3cret\n");
    writeFileSync(join(folder, "token"), "public:s3cret\n");
    const orchestrator = { authFile: join(folder, "auth"), tokenFile: join(folder, "token") };
    const given = await optionsOf({ orchestrator });
    expect(given.orchestrator).toMatchObject({ basicAuth: "primacy:s3cret", token: "public:s3cret" });
    const wrong = await read({ orchestrator: { urls: ["http://primacy:s3cret@orc1:3000"] } }, {});
    expect(wrong).toContain("has a user or password in it");
    expect(wrong).not.toContain("s3cret");
  });

  test("reach a datacenter through the same agents, or through agents over there", async () => {
    const { datacenters } = await optionsOf({
      datacenters: [
        { name: "dc2" },
        { name: "dc3", addresses: ["http://far:8500"], tokenFile: "/etc/far.token" },
      ],
    });
    expect(datacenters).toMatchObject([
      { name: "dc2", consul: { addresses: ["http://127.0.0.1:8500"], datacenter: "dc2" } },
      {
        name: "dc3",
        consul: { addresses: ["http://far:8500"], datacenter: undefined, tokenFile: "/etc/far.token" },
      },
    ]);
  });

  test("know Orchestrator's name of a cluster, where it is another one", async () => {
    const environment = {
      PRIMACY_ORCHESTRATOR: "http://orc1:3000",
      PRIMACY_CLUSTER_ALIASES: "Shop.Prod=shop-prod",
    };
    const { settings } = await optionsOf({}, environment);
    expect([settings.aliasOf("shop-prod"), settings.aliasOf("main")]).toEqual(["Shop.Prod", "main"]);
  });

  test.each([
    [{ polSeconds: 1 }, "polSeconds"],
    [{ pollSeconds: 0 }, "pollSeconds"],
    [{ policy: "guess" }, "policy"],
    [{ prune: "every day" }, "prune: not a cron expression"],
    [{ clusters: ["db1:3306"] }, "cluster name"],
    [{ orchestrator: { urls: ["orc1:3000"] } }, "neither http nor https"],
    [{ orchestrator: { urls: ["http://o"], authFile: "/no/such/file" } }, "/no/such/file"],
    [{ orchestrator: { api: "v3" } }, "orchestrator.api"],
    [{ http: { port: 70_000 } }, "http"],
    ["report", "agent"],
    [[], "agent is not a table"],
  ])("%j is refused with a message that names it", async (table, message) => {
    expect(await read(table, {})).toEqual(expect.stringContaining(message));
  });

  test("without Orchestrator's address say where it belongs", async () => {
    expect(await read({}, {})).toContain(
      "--orchestrator URL, PRIMACY_ORCHESTRATOR, or orchestrator in the file",
    );
  });
});
