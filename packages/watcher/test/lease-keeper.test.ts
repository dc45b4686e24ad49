import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterEach, expect, test, vi } from "vitest";
import { LeaseFile } from "../src/lease-file.js";
import { LeaseKeeper } from "../src/lease-keeper.js";
import { SYSTEM_CLOCK } from "../src/timing.js";

const closing: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

test("says while its lease file can't be written: a guard that sees none fences beside a lease that is held", async () => {
  const folder = await mkdtemp(join(tmpdir(), "primacy-lease-"));
  closing.push(async () => rm(folder, { recursive: true }));
  const file = new LeaseFile(join(folder, "not there yet", "proxysql1.lease"));
  const keeper = new LeaseKeeper("main", null, {
    clock: SYSTEM_CLOCK,
    file,
    presence: () => ({ renewedSentAtMs: null, presentSinceMs: null }),
    verify: () => Promise.resolve(),
    fence: () => Promise.resolve(false),
    onChange: () => undefined,
    log: pino({ level: "silent" }),
  });
  const untilSeconds = Math.floor(Date.now() / 1000) + 10;
  keeper.inherit({ cluster: "main", writerHostgroup: 10, leaseSeconds: 12, untilSeconds });
  const stop = new AbortController();
  const running = keeper.run(stop.signal);
  closing.push(async () => {
    stop.abort();
    await running;
  });
  await vi.waitFor(() => {
    expect(keeper.fileProblem).toMatch(
      /^the lease file cannot be written, so the guard will fence: .*ENOENT/,
    );
  });
  await mkdir(join(folder, "not there yet"));
  await vi.waitFor(
    () => {
      expect(keeper.fileProblem).toBeNull();
    },
    { timeout: 5000 },
  );
  expect(await new LeaseFile(file.path).read()).toMatchObject([{ cluster: "main", untilSeconds }]);
});
