import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freePort } from "../../src/ports.js";
import { startProcess } from "../../src/process.js";

describe("the stand-in as a program", () => {
  let folder: string;
  let program: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "primacy-orchestrator-main-"));
    program = join(folder, "orchestrator-standin.cjs");
    await build({
      entryPoints: [fileURLToPath(new URL("../../src/main/orchestrator-standin.ts", import.meta.url))],
      outfile: program,
      bundle: true,
      platform: "node",
      target: "node20",
      format: "cjs",
      conditions: ["primacy-source"],
      logLevel: "silent",
    });
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const run = (args: string[], ready?: () => unknown) =>
    startProcess({
      name: "orchestrator-standin",
      command: process.execPath,
      args: [program, ...args],
      ...(ready === undefined ? {} : { ready }),
    });
  const configuration = async (json: object) => {
    const file = join(folder, "orchestrator.conf.json");
    await writeFile(file, JSON.stringify(json));
    return file;
  };

  it("takes an orchestrator.conf.json, answers, and goes when it is told to", async () => {
    const ListenAddress = `127.0.0.1:${await freePort()}`;
    const file = await configuration({ ListenAddress, RaftEnabled: false });
    const get = async (path: string) => (await fetch(`http://${ListenAddress}/api/${path}`)).json();
    const child = await run([`--config=${file}`], () => get("status"));
    expect(await get("leader-check")).toBe("OK");
    expect(await child.stop()).toEqual({ code: 0, signal: null });
  });

  it("says what it can't be started with", async () => {
    const without = await run([]);
    expect(await without.exited).toMatchObject({ code: 64 });
    expect(without.stderr).toMatch(/^usage: /);
    const wrong = await run([await configuration({ ListenAddress: 3000 })]);
    expect((await wrong.exited).code).not.toBe(0);
    expect(wrong.stderr).toContain("ListenAddress must be like");
  });
});
