import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { EMPTY_ANALYSIS } from "../../src/orchestrator-standin/analysis-entry.js";
import { runHooks } from "../../src/orchestrator-standin/hook-runner.js";
import { waitUntil } from "../../src/wait-until.js";
import { key } from "./topologies.js";

describe("hooks", () => {
  let folder: string;
  let audited: string[];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "primacy-hook-runner-"));
    audited = [];
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const run = (commands: string[], failOnError = false) =>
    runHooks({
      shell: "bash",
      description: "PreFailoverProcesses",
      commands: commands.map((command) => command.replaceAll("$OUT", join(folder, "out"))),
      situation: {
        analysis: { ...EMPTY_ANALYSIS, AnalyzedInstanceKey: key(3306), Analysis: "DeadMaster" },
        recoveryUid: "1:a",
        successor: null,
        successorBinlogCoordinates: null,
        lostReplicas: [],
        orchestratorHost: "orc",
      },
      failOnError,
      audit: (message) => audited.push(message),
    });
  const output = () => readFile(join(folder, "out"), "utf8");

  it("run one after another through bash, with the environment and the placeholders", async () => {
    await run([
      `[[ -n $ORC_FAILED_PORT ]] && echo "$ORC_FAILURE_TYPE {failedHost} \${ORC_SUCCESSOR_HOST-unset} {successorHost}" >> $OUT`,
      "echo second >> $OUT",
    ]);
    expect(await output()).toBe("DeadMaster 127.0.0.1 unset {successorHost}\nsecond\n");
    expect(audited.at(-1)).toBe("done running PreFailoverProcesses hooks");
  });

  it("answer the exit code of the last command of the line, with the output", async () => {
    expect(await run(["false; true"])).toBeUndefined();
    expect(await run(["false | cat"])).toBeUndefined();
    expect(await run(["echo to the audit; echo and stderr >&2; exit 3"])).toBe(
      "(exit status 3) to the audit\nand stderr\n",
    );
  });

  it("end at the first failure where failures count, and go on where they do not", async () => {
    expect(await run(["exit 1", "echo never >> $OUT"], true)).toMatch(/exit status 1/);
    await expect(output()).rejects.toMatchObject({ code: "ENOENT" });
    expect(audited.at(-1)).toBe("Not running further PreFailoverProcesses hooks");
    expect(await run(["exit 2", "echo still >> $OUT", "exit 5"], false)).toMatch(/exit status 2/);
    expect(await output()).toBe("still\n");
  });

  it("are not waited for after &, and their failure is nobody's", async () => {
    const gate = join(folder, "gate");
    const waiting = `for i in {1..6000}; do [[ -e ${gate} ]] && break; sleep 0.01; done; echo late >> $OUT; exit 9 &`;
    expect(await run([waiting, "echo early >> $OUT"], true)).toBeUndefined();
    expect(await output()).toBe("early\n");
    await run([`touch ${gate}`]);
    await waitUntil(async () => (await output()).includes("late"), {
      timeoutMs: 30_000,
      what: "the late hook",
    });
  });

  it("that can't be started have failed", async () => {
    const failed = await runHooks({
      shell: join(folder, "no-such-shell"),
      description: "PostFailoverProcesses",
      commands: ["true"],
      situation: {
        analysis: EMPTY_ANALYSIS,
        recoveryUid: "",
        successor: null,
        successorBinlogCoordinates: null,
        lostReplicas: [],
        orchestratorHost: "orc",
      },
      failOnError: true,
      audit: () => undefined,
    });
    expect(failed).toMatch(/ENOENT/);
  });
});
