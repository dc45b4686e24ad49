import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ConsulStore, consulOptionsFromEnvironment } from "@primacy/consul-store";
import type { Server } from "@primacy/contract";
import { BENCH_CLUSTER, type Change, SERVERS, bootstrapCluster, change } from "../benchmark/convergence.js";
import { figuresLine, figuresOf } from "../benchmark/figures.js";
import { residentMebibytes } from "../benchmark/process-usage.js";
import { type WatcherProcess, startWatcher } from "../primacy/watcher.js";
import { hookEnvironment, runWriter } from "../primacy/writer.js";
import { startProcess } from "../process.js";
import { pause } from "../wait-until.js";
import { type Consul, startConsul } from "../servers/consul.js";
import { findServer } from "../servers/found.js";
import { type ProxySql, proxySqlAccounts, startProxySql } from "../servers/proxysql.js";

const HOOK_RUNS = 30;

function storeOf(consul: Consul): ConsulStore {
  const options = consulOptionsFromEnvironment({ CONSUL_HTTP_ADDR: consul.httpAddr });
  if (!options.ok) throw new Error(options.problem);
  return new ConsulStore(options.value);
}

/** `changes` changes of the master through `count` proxies. */
async function convergence(count: number, changes: number): Promise<void> {
  const kind = typeof findServer("proxysql") === "string" ? "stand-in" : "real";
  const consul = await startConsul();
  const store = storeOf(consul);
  const proxies: ProxySql[] = [];
  const watchers: WatcherProcess[] = [];
  try {
    await bootstrapCluster(store);
    for (let index = 1; index <= count; index += 1) {
      const proxysql = await startProxySql({ kind });
      proxies.push(proxysql);
      const admin = { host: "127.0.0.1", port: proxysql.adminPort, ...proxySqlAccounts.admin };
      const consulAddresses = [consul.httpAddr];
      watchers.push(
        await startWatcher({
          proxy: `proxy${String(index)}`,
          clusters: [BENCH_CLUSTER],
          admin,
          consul: consulAddresses,
        }),
      );
    }
    for (const watcher of watchers) await watcher.waitForGeneration(BENCH_CLUSTER, 1);
    const results: Change[] = [];
    for (let index = 1; index <= changes; index += 1) {
      const successor = SERVERS[index % SERVERS.length] as Server;
      results.push(await change(store, successor, proxies.slice(0, 1), watchers));
      // Changes of a real fleet don't follow each other: no measurement waits for the floor between two calls.
      await pause(200);
    }
    report(`${String(count)} ${kind} ProxySQL${count === 1 ? "" : "s"}`, results, watchers);
  } catch (error) {
    // What can't be seen from outside: who is behind, and why.
    for (const watcher of watchers)
      print(`${watcher.proxy}: ${await readyz(watcher)}\n${watcher.log.slice(-2000)}`);
    throw error;
  } finally {
    for (const watcher of watchers) await watcher.close();
    for (const proxysql of proxies) await proxysql.close();
    store.close();
    await consul.close();
  }
}

function report(what: string, results: readonly Change[], watchers: readonly WatcherProcess[]): void {
  const switched = results.flatMap((one) => (one.switchedMs === null ? [] : [one.switchedMs]));
  print(figuresLine(`${what}: commit -> runtime switched (first proxy)`, figuresOf(switched)));
  print(
    figuresLine(
      `${what}: record seen -> runtime verified (each)`,
      figuresOf(results.flatMap((one) => one.watchersMs)),
    ),
  );
  print(
    figuresLine(`${what}: commit -> all acknowledged`, figuresOf(results.map((one) => one.acknowledgedMs))),
  );
  print(
    figuresLine(
      `${what}: resident memory of a watcher`,
      figuresOf(watchers.map(({ pid }) => residentMebibytes(pid))),
      "MiB",
    ),
  );
}

async function readyz({ url }: WatcherProcess): Promise<string> {
  return await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(5000) }).then(
    async (answer) => await answer.text(),
    String,
  );
}

/** Wall time of the hook's process, in turn with `consul kv put` and an empty Node program. */
async function hooks(): Promise<void> {
  const consul = await startConsul();
  const store = storeOf(consul);
  const spool = await mkdtemp(join(tmpdir(), "primacy-spool-"));
  const [a, b] = SERVERS as [Server, Server];
  const times = { hook: [] as number[], put: [] as number[], empty: [] as number[] };
  try {
    await bootstrapCluster(store);
    for (let index = 0; index < HOOK_RUNS; index += 1) {
      const [failed, successor] = index % 2 === 0 ? [a, b] : [b, a];
      const env = hookEnvironment({ cluster: BENCH_CLUSTER, failed, successor });
      const run = await runWriter(["hook", "PostMasterFailover"], {
        ...env,
        CONSUL_HTTP_ADDR: consul.httpAddr,
        PRIMACY_SPOOL: spool,
      });
      if (run.code !== 0) throw new Error(run.stderr);
      times.hook.push(run.tookMs);
      times.put.push(
        await timed(consulProgram(), ["kv", "put", "bench/key", String(index)], {
          CONSUL_HTTP_ADDR: consul.httpAddr,
        }),
      );
      times.empty.push(await timed(process.execPath, ["-e", ""], {}));
    }
  } finally {
    store.close();
    await consul.close();
    await rm(spool, { recursive: true, force: true });
  }
  print(figuresLine("hook PostMasterFailover, whole process", figuresOf(times.hook)));
  print(figuresLine("consul kv put, whole process", figuresOf(times.put)));
  print(figuresLine("node -e '', whole process", figuresOf(times.empty)));
}

function consulProgram(): string {
  const found = findServer("consul");
  if (typeof found === "string") throw new Error(found);
  return found.path;
}

async function timed(command: string, args: readonly string[], env: Record<string, string>): Promise<number> {
  const started = performance.now();
  const running = await startProcess({
    name: command,
    command,
    args,
    env: { PATH: process.env["PATH"], ...env },
  });
  await running.exited;
  return performance.now() - started;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function main(): Promise<void> {
  const [changes = "200", ...counts] = process.argv.slice(2);
  await hooks();
  for (const count of counts.length === 0 ? ["1", "20"] : counts)
    await convergence(Number(count), Number(changes));
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exitCode = 1;
});
