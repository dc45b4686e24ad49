import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type RunningProcess, startProcess } from "../src/process.js";
import { KeptRunning } from "../src/servers/kept-running.js";
import { waitUntil } from "../src/wait-until.js";

let launched: RunningProcess[];
let told: string[];
let server: KeptRunning;

beforeEach(() => {
  launched = [];
  told = [];
  server = new KeptRunning(launch, (line) => told.push(line));
});

afterEach(async () => {
  await server.kill9();
});

async function launch(): Promise<RunningProcess> {
  const child = await startProcess({
    name: "server",
    command: process.execPath,
    args: ["-e", "console.log('ready'); setInterval(() => {}, 1000)"],
    ready: ({ stdout }) => stdout.includes("ready"),
  });
  launched.push(child);
  return child;
}

async function killed(times: number): Promise<void> {
  for (let time = 1; time <= times; time++) {
    launched.at(-1)?.signal("SIGKILL");
    await waitUntil(() => launched.length === time + 1, { timeoutMs: 20_000, what: `restart ${time}` });
  }
}

describe("a server that is kept", () => {
  test("and ends by itself is started again, and its last words are told", async () => {
    await server.start();
    await killed(1);
    expect(launched.map(({ exit }) => exit?.signal)).toEqual(["SIGKILL", undefined]);
    expect(told).toEqual(["server ended by itself, killed by SIGKILL: ready"]);
  });

  test("and is told to end stays away", async () => {
    await server.start();
    await expect(server.kill9()).resolves.toMatchObject({ signal: "SIGKILL" });
    await server.start();
    await expect(server.stop()).resolves.toMatchObject({ signal: "SIGTERM" });
    expect(launched).toHaveLength(2);
    expect(told).toEqual([]);
  });

  test("and ends again and again is given up", async () => {
    await server.start();
    await killed(5);
    launched.at(-1)?.signal("SIGKILL");
    await waitUntil(() => told.length === 6, { timeoutMs: 20_000, what: "six ends" });
    await expect(server.stop()).resolves.toMatchObject({ signal: "SIGKILL" });
    expect(launched).toHaveLength(6);
  });
});
