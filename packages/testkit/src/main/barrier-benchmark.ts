// How long a fence's barrier takes: node dist/barrier-benchmark.cjs [rounds] [proxies …]
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ConsulStore, consulOptionsFromEnvironment } from "@primacy/consul-store";
import type { Server } from "@primacy/contract";
import { Acknowledger } from "../benchmark/acknowledger.js";
import { BENCH_CLUSTER, SERVERS, bootstrapCluster } from "../benchmark/convergence.js";
import { figuresLine, figuresOf } from "../benchmark/figures.js";
import { hookEnvironment, runWriter } from "../primacy/writer.js";
import { startConsul } from "../servers/consul.js";
import { waitUntil } from "../wait-until.js";

/** What the writer's log says of a fence. */
interface FenceLog {
  readonly outcome: string;
  readonly proxies: number;
  readonly acknowledged: number;
  readonly barrierMs: number;
}

/** The shipped hook raises a fence, and another one takes it back, `rounds` times. */
async function barriers(proxies: number, rounds: number): Promise<void> {
  const consul = await startConsul();
  const options = consulOptionsFromEnvironment({ CONSUL_HTTP_ADDR: consul.httpAddr });
  if (!options.ok) throw new Error(options.problem);
  const store = new ConsulStore(options.value);
  const spool = await mkdtemp(join(tmpdir(), "primacy-barrier-"));
  const watchers: Acknowledger[] = [];
  const barrierMs: number[] = [];
  const hookMs: number[] = [];
  const env = { CONSUL_HTTP_ADDR: consul.httpAddr, PRIMACY_SPOOL: spool, PRIMACY_LOG: "stderr" };
  const hook = async (name: string) => {
    const facts = hookEnvironment({ cluster: BENCH_CLUSTER, failed: SERVERS[0] as Server });
    const run = await runWriter(["hook", name], { ...env, ...facts });
    if (run.code !== 0) throw new Error(run.stderr);
    return run;
  };
  try {
    await bootstrapCluster(store);
    for (let index = 1; index <= proxies; index += 1) {
      const one = new Acknowledger(store, BENCH_CLUSTER, `proxy${String(index)}`);
      watchers.push(one);
      await one.start();
    }
    for (let round = 0; round < rounds; round += 1) {
      await allAt(store, proxies, 2 * round + 1);
      const run = await hook("PreFailover");
      const log = JSON.parse(run.stderr.split("\n").find((line) => line.startsWith("{")) ?? "{}") as FenceLog;
      if (log.acknowledged !== proxies) throw new Error(run.stderr);
      barrierMs.push(log.barrierMs);
      hookMs.push(run.tookMs);
      await hook("PostUnsuccessfulFailover");
    }
  } finally {
    for (const one of watchers) await one.close();
    store.close();
    await consul.close();
    await rm(spool, { recursive: true, force: true });
  }
  const what = `${String(proxies)} acknowledging watchers`;
  process.stdout.write(
    `${figuresLine(`${what}: fence committed -> barrier reached`, figuresOf(barrierMs))}\n`,
  );
  process.stdout.write(`${figuresLine(`${what}: hook PreFailover, whole process`, figuresOf(hookMs))}\n`);
}

async function allAt(store: ConsulStore, proxies: number, generation: number): Promise<void> {
  await waitUntil(
    async () => {
      const { acknowledgements } = await store.readAcknowledgements(BENCH_CLUSTER);
      const there = acknowledgements.filter(
        ({ document }) => document.kind === "valid" && document.value.generation === generation,
      );
      return there.length === proxies;
    },
    { timeoutMs: 30_000, what: `${String(proxies)} proxies at generation ${String(generation)}` },
  );
}

async function main(): Promise<void> {
  const [rounds = "100", ...counts] = process.argv.slice(2);
  for (const count of counts.length === 0 ? ["1", "10", "50"] : counts) {
    await barriers(Number(count), Number(rounds));
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exitCode = 1;
});
