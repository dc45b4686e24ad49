import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { freePort } from "../src/ports.js";
import { type ProcessOptions, type RunningProcess, startProcess } from "../src/process.js";
import { waitUntil } from "../src/wait-until.js";

const started: RunningProcess[] = [];
let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "primacy-process-"));
});

afterEach(async () => {
  await Promise.all(started.splice(0).map((child) => child.kill9()));
  rmSync(folder, { recursive: true, force: true });
});

async function runScript(script: string, more: Partial<ProcessOptions> = {}): Promise<RunningProcess> {
  const child = await startProcess({
    name: "child",
    command: process.execPath,
    args: ["-e", script],
    ...more,
  });
  started.push(child);
  return child;
}

const readyPrinted = (child: RunningProcess) => child.stdout.includes("ready");

describe("startProcess", () => {
  it("collects both streams, in memory and in the log file", async () => {
    const logFile = join(folder, "logs", "child.log");
    const child = await runScript("console.log('out'); console.error('err'); process.exitCode = 3", {
      logFile,
    });
    await expect(child.exited).resolves.toEqual({ code: 3, signal: null });
    expect(child.stdout).toBe("out\n");
    expect(child.stderr).toBe("err\n");
    const log = await waitUntil(() => /out[^]*err|err[^]*out/.exec(readFileSync(logFile, "utf8")), {
      timeoutMs: 30_000,
      what: "both lines in the log file",
    });
    expect(log[0]).toBeTruthy();
  });

  it("keeps only the newest output in memory", async () => {
    const child = await runScript("for (let i = 0; i < 5000; i++) console.log('line ' + i)", {
      keepChars: 1_000,
    });
    await child.exited;
    expect(child.stdout).toHaveLength(1_000);
    expect(child.stdout.endsWith("line 4999\n")).toBe(true);
  });

  it("waits for the ready condition", async () => {
    const script = "setTimeout(() => console.log('ready'), 100); setInterval(() => {}, 1000)";
    const child = await runScript(script, { ready: readyPrinted });
    expect(child.stdout).toBe("ready\n");
  });

  it("rejects with the output of a child that ends before it is ready", async () => {
    const starting = runScript("console.error('bad option --nosuch'); process.exit(7)", {
      ready: readyPrinted,
    });
    await expect(starting).rejects.toThrow(/child did not start: .*exit code 7\n[^]*bad option --nosuch/);
  });

  it("tries again while somebody else holds the port", async () => {
    const listen =
      "require('net').createServer().listen(Number(process.argv[1]), '127.0.0.1', () => console.log('ready'))";
    const port = await freePort();
    const holder = createServer().listen({ host: "127.0.0.1", port });
    await once(holder, "listening");
    const logFile = join(folder, "child.log");
    const starting = runScript(listen, { args: ["-e", listen, String(port)], ready: readyPrinted, logFile });
    await waitUntil(() => readFileSync(logFile, "utf8").includes("EADDRINUSE"), {
      timeoutMs: 10_000,
      what: "the child to find its port taken",
    });
    holder.close();
    expect((await starting).stdout).toBe("ready\n");
  });

  it("rejects when the program is not there", async () => {
    await expect(startProcess({ name: "nobody", command: join(folder, "nosuch") })).rejects.toThrow(
      /nobody did not start: .*ENOENT/,
    );
  });

  it("kills a child that is not ready in time", async () => {
    let pid = 0;
    const starting = runScript("setInterval(() => {}, 1000)", {
      ready: (child) => {
        pid = child.pid ?? 0;
        return false;
      },
      readyTimeoutMs: 200,
    });
    await expect(starting).rejects.toThrow("gave up waiting for child to be ready after 200 ms");
    expect(() => process.kill(pid, 0)).toThrow("ESRCH");
  });
});

describe("stopping", () => {
  it("ends a child that heeds SIGTERM", async () => {
    const script =
      "process.on('SIGTERM', () => process.exit(0)); setInterval(() => {}, 1000); console.log('ready')";
    const child = await runScript(script, { ready: readyPrinted });
    await expect(child.stop()).resolves.toEqual({ code: 0, signal: null });
  });

  it("kills a child that ignores SIGTERM when the grace is over", async () => {
    const script = "process.on('SIGTERM', () => {}); setInterval(() => {}, 1000); console.log('ready')";
    const child = await runScript(script, { ready: readyPrinted });
    await expect(child.stop(100)).resolves.toEqual({ code: null, signal: "SIGKILL" });
  });

  it("stops a suspended child, and stopping twice is the same as once", async () => {
    const child = await runScript("setInterval(() => {}, 1000); console.log('ready')", {
      ready: readyPrinted,
    });
    child.suspend();
    const exit = await child.stop();
    expect(exit).toEqual({ code: null, signal: "SIGTERM" });
    await expect(child.stop()).resolves.toEqual(exit);
  });

  it("suspends and resumes", async () => {
    const child = await runScript("let n = 0; setInterval(() => console.log('ready ' + n++), 5)", {
      ready: readyPrinted,
    });
    const state = () => readFileSync(`/proc/${child.pid}/stat`, "utf8").split(") ")[1]?.[0];
    child.suspend();
    await waitUntil(() => state() === "T", { timeoutMs: 30_000, what: "the stopped state" });
    // What was printed before the stop may still be in the pipe; after it has been read, nothing follows.
    const settled = await waitUntil(
      unchangedFor(() => child.stdout, 5),
      { timeoutMs: 30_000, what: "silence" },
    );
    child.resume();
    await waitUntil(() => child.stdout !== settled, { timeoutMs: 30_000, what: "output after the resume" });
  });

  it.each([
    ["returns", ""],
    ["throws", "throw new Error('unexpected')"],
    ["is told to terminate", "process.kill(process.pid, 'SIGTERM')"],
  ])("kills the children when the process that started them %s", async (_case, ending) => {
    const built = join(folder, "process.mjs");
    const source = join(import.meta.dirname, "../src/process.ts");
    await build({ entryPoints: [source], bundle: true, platform: "node", format: "esm", outfile: built });
    const script = `
      import { startProcess } from ${JSON.stringify(built)};
      const child = await startProcess({ name: "grandchild", command: "sleep", args: ["600"] });
      console.log(child.pid);
      setTimeout(() => { ${ending || "process.exit(0)"} }, 10);`;
    const parent = await startProcess({
      name: "parent",
      command: process.execPath,
      args: ["--input-type=module", "-e", script],
    });
    started.push(parent);
    await parent.exited;
    const grandchild = Number(parent.stdout);
    expect(grandchild).toBeGreaterThan(1);
    await waitUntil(() => !runs(grandchild), { timeoutMs: 30_000, what: `process ${grandchild} to be gone` });
  });
});

function runs(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

function unchangedFor(read: () => string, looks: number): () => string | undefined {
  let last = "";
  let same = 0;
  return () => {
    const now = read();
    same = now === last ? same + 1 : 0;
    last = now;
    return same >= looks ? now : undefined;
  };
}
