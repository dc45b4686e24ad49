import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readCommandLine } from "../src/command-line.js";
import { readConfigFile } from "../src/config-file.js";
import { SETTINGS, type SettingName, type Settings, readSettings } from "../src/options.js";
import { removeFoldersAfterEach, temporaryFolder } from "./fakes.js";

removeFoldersAfterEach();

function settings(
  flags: Record<string, string>,
  environment: Record<string, string> = {},
  file: Partial<Record<SettingName, string>> = {},
): Settings {
  const read = readSettings(flags, environment, file);
  if (!read.ok) throw new Error(read.problem);
  return read.value;
}

describe("settings", () => {
  it("have defaults", () => {
    expect(settings({})).toMatchObject({
      consul: { addresses: ["http://127.0.0.1:8500"], prefix: "primacy/" },
      deadlineMs: 8000,
      spool: { folder: "/var/lib/primacy/spool", limit: 1000 },
      stopOnFailure: undefined,
      orchestratorKeys: undefined,
      log: undefined,
    });
  });

  it("a flag goes over the environment, the environment over the file, the file over the default", () => {
    const flags = { deadline: "3" };
    const environment = { PRIMACY_DEADLINE: "4", PRIMACY_SPOOL: "/env" };
    const file = { deadline: "5", spool: "/file", log: "/file/log", consulAddress: "consul.example:8500" };
    expect(settings(flags, environment, file)).toMatchObject({
      deadlineMs: 3000,
      spool: { folder: "/env" },
      log: "/file/log",
      consul: { addresses: ["http://consul.example:8500"] },
    });
  });

  it("an empty variable counts as none", () => {
    expect(settings({}, { PRIMACY_SPOOL: "", PRIMACY_DEADLINE: "" }).deadlineMs).toBe(8000);
  });

  it("Orchestrator's keys are a prefix without slashes around it", () => {
    expect(settings({}, { PRIMACY_ORCHESTRATOR_KEYS: "/mysql/master/" }).orchestratorKeys).toBe(
      "mysql/master",
    );
  });

  it.each([
    [{ PRIMACY_DEADLINE: "soon" }, "PRIMACY_DEADLINE"],
    [{ PRIMACY_DEADLINE: "0" }, "PRIMACY_DEADLINE"],
    [{ PRIMACY_SPOOL_LIMIT: "-1" }, "PRIMACY_SPOOL_LIMIT"],
    [{ PRIMACY_ON_FENCE_FAILURE: "maybe" }, "PRIMACY_ON_FENCE_FAILURE"],
    [{ PRIMACY_CLUSTER_ALIASES: "shop" }, "PRIMACY_CLUSTER_ALIASES"],
    [{ PRIMACY_ORCHESTRATOR_KEYS: "a b" }, "PRIMACY_ORCHESTRATOR_KEYS"],
    [{ PRIMACY_PREFIX: "Ünd" }, "prefix"],
  ])("%j is refused by name", (environment, said) => {
    const read = readSettings({}, environment as Record<string, string>, {});
    expect(read.ok ? "" : read.problem).toContain(said);
  });

  it("a problem never tells a password", () => {
    const read = readSettings({ consul: "http://user:secret@consul:8500" }, {}, {});
    expect(read.ok).toBe(false);
    expect(JSON.stringify(read)).not.toContain("secret");
  });

  it("none is a flag of two settings", () => {
    const flags = Object.values(SETTINGS).map((setting) => setting.flag);
    expect(new Set(flags).size).toBe(flags.length);
  });
});

describe("the configuration file", () => {
  const file = (text: string) => {
    const path = join(temporaryFolder(), "writer.yaml");
    writeFileSync(path, text);
    return readConfigFile(path);
  };

  it("is YAML or JSON", async () => {
    const expected = { ok: true, value: { deadline: "5", clusterAliases: "Shop.Prod=shop-prod" } };
    expect(await file("deadline: 5\nclusterAliases:\n  Shop.Prod: shop-prod\n")).toEqual(expected);
    expect(await file('{"deadline": 5, "clusterAliases": "Shop.Prod=shop-prod"}')).toEqual(expected);
    expect(await file("consulAddress: [a:1, b:2]")).toEqual({
      ok: true,
      value: { consulAddress: "a:1,b:2" },
    });
    expect(await file("# nothing yet\n")).toEqual({ ok: true, value: {} });
  });

  it.each([
    ["deadlien: 5", 'no setting "deadlien"'],
    ["deadline: [1]", "deadline has a value"],
    ["- deadline", "not a table of settings"],
    ["{", "neither JSON nor YAML"],
  ])("%j is refused", async (text, said) => {
    const read = await file(text);
    expect(read.ok ? "" : read.problem).toContain(said);
  });

  it("that is missing is an error, not the default", async () => {
    expect(await readConfigFile("/nonexistent.yaml")).toMatchObject({ ok: false });
  });

  it.each([
    ["a", 2500],
    ["a,b", 2500],
    ["a,b,c", 2000],
    ["a,b,c,d", 1600],
  ])("every agent of %s gets its turn within the deadline, and one is left for the answer", (agents, ms) => {
    const read = readSettings({}, { CONSUL_HTTP_ADDR: agents, PRIMACY_DEADLINE: "8" }, {});
    expect(read).toMatchObject({ ok: true, value: { consul: { requestTimeoutMs: ms } } });
  });
});

describe("the command line", () => {
  it("keeps words, flags and switches apart", () => {
    const read = readCommandLine("bootstrap", ["main", "--master=db1:3306", "--yes", "--spool", "/x"]);
    expect(read).toMatchObject({
      ok: true,
      value: { words: ["main"], flags: { master: "db1:3306", spool: "/x" } },
    });
    expect(read.ok && [...read.value.switches]).toEqual(["yes"]);
  });

  it("takes an empty placeholder", () => {
    const read = readCommandLine("hook", ["PreFailover", "--command", "", "--recovery-uid="]);
    expect(read).toMatchObject({ ok: true, value: { flags: { command: "", "recovery-uid": "" } } });
  });

  it.each([
    ["hook", []],
    ["hook", ["PreFailover", "PostFailover"]],
    ["flush", ["main"]],
    ["show", ["--bogus"]],
    ["set", ["main", "--master"]],
  ] as const)("%s %j is refused", (command, argv) => {
    const read = readCommandLine(command, argv);
    expect(read.ok ? "" : read.problem).toMatch(new RegExp(`see primacy-writer ${command} --help$`));
  });
});
