import type { Server } from "node:http";
import { ConsulStore } from "@primacy/consul-store";
import { type Health, serveHealth } from "@primacy/service";
import cron from "node-cron";
import { type Logger, destination, pino } from "pino";
import { orchestratorKeys } from "../commit.js";
import type { Ending } from "../ending.js";
import { type Run, commitContext, usage } from "../run.js";
import { Spool } from "../spool/folder.js";
import { VERSION } from "../version.js";
import { Agent } from "./agent.js";
import { AgentMetrics } from "./metrics.js";
import { Mirror } from "./mirrors.js";
import { type AgentOptions, readAgentOptions } from "./options.js";
import { OrchestratorClient } from "./orchestrator/client.js";
import { runSpoolLoop } from "./spool-loop.js";

/** `primacy-writer agent`: runs until it is told to end. The record and the members stay as they are then. */
export async function agentCommand(run: Run): Promise<Ending> {
  const path = run.flags["config"] || run.environment["PRIMACY_CONFIG"] || undefined;
  const options = await readAgentOptions(path, run.flags, run.environment, run.settings);
  if (!options.ok) return usage(options.problem);
  const log = logger(options.value);
  const places = options.value.datacenters.map(({ name, consul }) => ({
    name,
    store: new ConsulStore(consul),
  }));
  const client = new OrchestratorClient(options.value.orchestrator, {
    monotonicNow: run.world.elapsed,
    wallNow: run.world.now,
  });
  try {
    return await runAgent(run, options.value, { places, client, log });
  } finally {
    client.close();
    for (const { store } of places) store.close();
  }
}

interface Parts {
  readonly places: readonly { readonly name: string; readonly store: ConsulStore }[];
  readonly client: OrchestratorClient;
  readonly log: Logger;
}

async function runAgent(run: Run, options: AgentOptions, parts: Parts): Promise<Ending> {
  const { settings, store, world, signal } = run;
  const { places, client, log } = parts;
  const metrics = new AgentMetrics();
  const commit = {
    ...commitContext(run, false),
    store,
    writtenBy: `agent ${options.settings.agent}`.slice(0, 253),
  };
  const agent = new Agent(options.settings, {
    store,
    client,
    commit,
    metrics,
    log,
    agent: options.settings.agent,
    world,
    mirrors: (follows) =>
      places.map(
        (place) =>
          new Mirror({
            primary: store,
            place,
            orchestratorKeys: (record) => orchestratorKeys(settings.orchestratorKeys, record),
            world,
            metrics,
            log,
            deadlineMs: settings.deadlineMs,
            follows,
          }),
      ),
  });
  const health = await serve(options, agent, metrics, log);
  if (typeof health === "string") return usage(health);
  const tasks = scheduled(options, agent, signal, log);
  log.info(
    {
      version: VERSION,
      clusters: options.settings.clusters ?? "all",
      orchestrator: options.orchestrator.urls,
    },
    "started",
  );
  const spool = new Spool(settings.spool.folder, settings.spool.limit);
  try {
    await Promise.all([
      agent.run(signal),
      runSpoolLoop({ spool, commit, metrics, log, deadlineMs: settings.deadlineMs }, signal),
    ]);
  } finally {
    for (const task of tasks) await task.destroy();
    health?.close();
    health?.closeAllConnections();
  }
  log.info({}, "stopped; the record and the members stay as they are");
  return { exit: "ok", line: "" };
}

async function serve(
  options: AgentOptions,
  agent: Agent,
  metrics: AgentMetrics,
  log: Logger,
): Promise<Server | null | string> {
  if (options.http === null) return null;
  try {
    const health = (): Health => ({ alive: agent.alive, readiness: () => agent.readiness });
    const server = await serveHealth(options.http, health, metrics.registry);
    log.info({ address: server.address() }, "serving /livez, /readyz and /metrics");
    return server;
  } catch (error) {
    const { host, port } = options.http;
    return `agent.http: ${host}:${String(port)}: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** Work by the clock, in UTC: a wall clock that is set back must not run it twice. */
function scheduled(options: AgentOptions, agent: Agent, signal: AbortSignal, log: Logger) {
  const once = { timezone: "UTC", noOverlap: true, maxRandomDelay: 5000, unref: true } as const;
  const guard = async (work: () => Promise<void>): Promise<void> => {
    await work().catch((error: unknown) => log.error({ err: error }, "scheduled work failed"));
  };
  return [
    cron.schedule(options.prune, () => guard(() => agent.prune(signal)), { ...once, name: "prune" }),
    cron.schedule(options.comparison, () => agent.compareMirrors(), { ...once, name: "comparison" }),
  ];
}

function logger(options: AgentOptions): Logger {
  const log = pino(
    { level: options.logLevel, base: { name: "primacy-agent", agent: options.settings.agent } },
    destination({ sync: true }),
  );
  // node-cron writes coloured text to the console unless it is given a logger (4.6).
  cron.setLogger({
    info: (message: string) => log.debug(message),
    warn: (message: string) => log.warn(message),
    error: (message: string | Error) => log.error(message),
    debug: (message: string | Error) => log.debug(message),
  });
  return log;
}
