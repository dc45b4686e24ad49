import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { LeaseFile } from "../src/lease-file.js";
import { LeaseKeeper } from "../src/lease-keeper.js";
import { SYSTEM_CLOCK } from "../src/timing.js";
import { layoutOf } from "./samples.js";

const LIMIT = { timeout: 30_000 };

let directory = "";

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "primacy-lease-"));
  vi.useFakeTimers();
});
afterEach(async () => {
  vi.useRealTimers();
  await rm(directory, { recursive: true, force: true });
});

test("a fence that can't be raised is tried all the time, and said when that begins, changes or ends", async () => {
  const said: string[] = [];
  let problem: string | null = "connect ECONNREFUSED";
  let tries = 0;
  const keeper = new LeaseKeeper("main", null, {
    clock: { monotonicNow: () => performance.now(), wallNow: () => Date.now(), random: () => 0.5 },
    file: new LeaseFile(join(directory, "proxy1.lease")),
    presence: () => ({ renewedSentAtMs: null, presentSinceMs: null }),
    verify: async () => await Promise.reject(new Error("Consul is away")),
    fence: async () => {
      tries += 1;
      if (problem !== null) throw new Error(problem);
      return await Promise.resolve(false);
    },
    onChange: () => undefined,
    log: pino({}, { write: (line: string) => said.push((JSON.parse(line) as { msg: string }).msg) }),
  });
  keeper.followLayout(layoutOf({ onConsulLoss: "lease" }));
  const stop = new AbortController();
  const running = keeper.run(stop.signal);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(tries).toBeGreaterThan(60);
  problem = "did not answer in time";
  await vi.advanceTimersByTimeAsync(60_000);
  problem = null;
  await vi.advanceTimersByTimeAsync(60_000);
  stop.abort();
  await running;
  expect(said.filter((one) => one.includes("fence failed"))).toHaveLength(2);
  expect(said.filter((one) => one.includes("fence succeeds again"))).toHaveLength(1);
});

test("says while its lease file can't be written: a guard that sees none fences beside a lease that is held", async () => {
  vi.useRealTimers();
  const folder = join(directory, "not there yet");
  const file = new LeaseFile(join(folder, "proxysql1.lease"));
  const keeper = new LeaseKeeper("main", null, {
    clock: SYSTEM_CLOCK,
    file,
    presence: () => ({ renewedSentAtMs: null, presentSinceMs: null }),
    verify: () => Promise.resolve(),
    fence: () => Promise.resolve(false),
    onChange: () => undefined,
    log: pino({ level: "silent" }),
  });
  const untilSeconds = Math.floor(Date.now() / 1000) + 50;
  keeper.inherit({ cluster: "main", writerHostgroup: 10, leaseSeconds: 60, untilSeconds });
  const stop = new AbortController();
  const running = keeper.run(stop.signal);
  await vi.waitFor(() => {
    expect(keeper.fileProblem).toMatch(
      /^the lease file cannot be written, so the guard will fence: .*ENOENT/,
    );
  }, LIMIT);
  await mkdir(folder);
  await vi.waitFor(() => {
    expect(keeper.fileProblem).toBeNull();
  }, LIMIT);
  expect(await new LeaseFile(file.path).read()).toMatchObject([{ cluster: "main", untilSeconds }]);
  stop.abort();
  await running;
});
