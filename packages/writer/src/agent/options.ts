import { readFile } from "node:fs/promises";
import { hostname } from "node:os";
import type { ConsulOptions } from "@primacy/consul-store";
import { type Parsed, firstIssue, keyName } from "@primacy/contract";
import cron from "node-cron";
import * as z from "zod";
import { parseText } from "../config-file.js";
import { errorText } from "../errors.js";
import type { Variables } from "../hook/environment.js";
import type { Settings } from "../options.js";
import type { AgentSettings } from "./agent.js";
import type { OrchestratorOptions } from "./orchestrator/client.js";
import { list, orchestratorOptions, orchestratorSchema } from "./orchestrator/options.js";
import { VERSION } from "../version.js";

const text = z.string().min(1);
const seconds = z.number().min(0).max(86_400);
const port = z.coerce.number().int().min(0).max(65_535);

const schedule = text.refine((expression) => cron.validate(expression), "not a cron expression");

const datacenterSchema = z.strictObject({
  name: text,
  addresses: z.array(text).min(1).optional(),
  tokenFile: text.optional(),
});

/** The table `agent` of the writer's file. Strict: a misspelt setting is an error and not a default. */
export const agentConfigSchema = z.strictObject({
  name: text.optional(),
  clusters: z.array(text).min(1).optional(),
  orchestrator: orchestratorSchema,
  pollSeconds: seconds.min(0.1).default(1),
  parallel: z.int().min(1).max(1000).default(16),
  policy: z.enum(["report", "repair"]).default("report"),
  repairAfterSeconds: seconds.default(30),
  replayAfterSeconds: seconds.default(5),
  recoveryPatienceSeconds: seconds.default(120),
  // More than Orchestrator's InstancePollSeconds (5): what one failed check shows lasts until the next.
  worseAfterSeconds: seconds.default(6),
  betterAfterSeconds: seconds.default(5),
  settleSeconds: seconds.default(60),
  heldAfterSeconds: seconds.default(10),
  reportAfterSeconds: seconds.default(5),
  historyKeep: z.int().min(1).max(1_000_000).default(500),
  prune: schedule.default("17 3 * * *"),
  comparison: schedule.default("*/5 * * * *"),
  datacenters: z.array(datacenterSchema).max(16).default([]),
  http: z
    .union([z.literal(false), z.strictObject({ host: text.default("127.0.0.1"), port: port.default(6091) })])
    .prefault({}),
  logLevel: z.enum(["debug", "info", "warn", "error"]).default("info"),
});
type AgentConfig = z.infer<typeof agentConfigSchema>;

/** Environment variable → what it sets. docs/agent.md lists them; a test compares the two. */
export const AGENT_ENVIRONMENT = {
  PRIMACY_AGENT_NAME: "agent.name",
  PRIMACY_AGENT_CLUSTERS: "agent.clusters, separated by commas",
  PRIMACY_AGENT_POLICY: "agent.policy",
  PRIMACY_AGENT_HTTP: "agent.http, as host:port, or off",
  PRIMACY_AGENT_LOG_LEVEL: "agent.logLevel",
  PRIMACY_ORCHESTRATOR: "agent.orchestrator.urls, separated by commas",
  PRIMACY_ORCHESTRATOR_AUTH: "user:password for Orchestrator",
  PRIMACY_ORCHESTRATOR_AUTH_FILE: "agent.orchestrator.authFile; wins over PRIMACY_ORCHESTRATOR_AUTH",
  PRIMACY_ORCHESTRATOR_TOKEN: "Orchestrator's access token, or a bearer token of a proxy in front",
  PRIMACY_ORCHESTRATOR_TOKEN_FILE: "agent.orchestrator.tokenFile; wins over PRIMACY_ORCHESTRATOR_TOKEN",
} as const;

/** What an agent goes by beside the writer's settings. */
export interface AgentOptions {
  readonly settings: AgentSettings;
  readonly orchestrator: OrchestratorOptions;
  readonly datacenters: readonly { readonly name: string; readonly consul: ConsulOptions }[];
  readonly prune: string;
  readonly comparison: string;
  readonly http: { readonly host: string; readonly port: number } | null;
  readonly logLevel: AgentConfig["logLevel"];
}

/** @param path of the writer's file, which has the table `agent` */
export async function readAgentOptions(
  path: string | undefined,
  flags: Variables,
  environment: Variables,
  settings: Settings,
): Promise<Parsed<AgentOptions>> {
  const table = path === undefined ? ({ ok: true, value: {} } as const) : await readTable(path);
  if (!table.ok) return table;
  const parsed = agentConfigSchema.safeParse(withEnvironment(table.value, flags, environment));
  if (!parsed.success) return { ok: false, problem: `agent: ${firstIssue(parsed.error)}` };
  const config = parsed.data;
  const clusters = clusterNames(config.clusters);
  if (!clusters.ok) return clusters;
  const orchestrator = await orchestratorOptions(config.orchestrator, environment, settings);
  if (!orchestrator.ok) return orchestrator;
  return {
    ok: true,
    value: {
      settings: agentSettings(config, clusters.value, settings),
      orchestrator: orchestrator.value,
      datacenters: config.datacenters.map((one) => ({
        name: one.name,
        consul: consulOf(one, settings.consul),
      })),
      prune: config.prune,
      comparison: config.comparison,
      http: config.http === false ? null : config.http,
      logLevel: config.logLevel,
    },
  };
}

async function readTable(path: string): Promise<Parsed<Record<string, unknown>>> {
  let content: string;
  try {
    content = await readFile(path, "utf8");
  } catch (error) {
    return { ok: false, problem: `the configuration file ${path} can't be read: ${errorText(error)}` };
  }
  const value = await parseText(content);
  if (!value.ok) return { ok: false, problem: `the configuration file ${path} ${value.problem}` };
  const table = (value.value as { agent?: unknown } | null | undefined)?.agent ?? {};
  if (typeof table === "object" && !Array.isArray(table))
    return { ok: true, value: table as Record<string, unknown> };
  return { ok: false, problem: `the configuration file ${path}: agent is not a table of settings` };
}

function withEnvironment(
  table: Record<string, unknown>,
  flags: Variables,
  environment: Variables,
): Record<string, unknown> {
  const clusters = flags["cluster"] || environment["PRIMACY_AGENT_CLUSTERS"];
  const given = {
    name: flags["name"] || environment["PRIMACY_AGENT_NAME"],
    clusters: clusters ? list(clusters) : undefined,
    policy: flags["policy"] || environment["PRIMACY_AGENT_POLICY"],
    http: httpOf(flags["http"] || environment["PRIMACY_AGENT_HTTP"]),
    logLevel: environment["PRIMACY_AGENT_LOG_LEVEL"],
  };
  const set = Object.entries(given).filter(([, value]) => value !== undefined && value !== "");
  return { ...table, ...Object.fromEntries(set) };
}

function httpOf(value: string | undefined): false | { host: string; port: string } | undefined {
  if (value === undefined || value === "") return undefined;
  if (value === "off") return false;
  const colon = value.lastIndexOf(":");
  return { host: value.slice(0, Math.max(0, colon)) || "127.0.0.1", port: value.slice(colon + 1) };
}

function clusterNames(names: readonly string[] | undefined): Parsed<readonly string[] | null> {
  if (names === undefined) return { ok: true, value: null };
  const clusters: string[] = [];
  for (const name of names) {
    const cluster = keyName(name, "cluster");
    if (!cluster.ok) return cluster;
    clusters.push(cluster.value);
  }
  return { ok: true, value: [...new Set(clusters)] };
}

function agentSettings(
  config: AgentConfig,
  clusters: readonly string[] | null,
  settings: Settings,
): AgentSettings {
  const { aliases } = settings.clusterNames;
  return {
    agent: config.name ?? hostname(),
    version: VERSION,
    clusters,
    aliasOf: (cluster) => [...aliases].find(([, name]) => name === cluster)?.[0] ?? cluster,
    pollMs: config.pollSeconds * 1000,
    parallel: config.parallel,
    historyKeep: config.historyKeep,
    follower: {
      decision: {
        policy: config.policy,
        repairAfterMs: config.repairAfterSeconds * 1000,
        replayAfterMs: config.replayAfterSeconds * 1000,
        recoveryPatienceMs: config.recoveryPatienceSeconds * 1000,
      },
      membership: {
        worseAfterMs: config.worseAfterSeconds * 1000,
        betterAfterMs: config.betterAfterSeconds * 1000,
        settleMs: config.settleSeconds * 1000,
      },
      heldAfterMs: config.heldAfterSeconds * 1000,
      reportAfterMs: config.reportAfterSeconds * 1000,
      consulDeadlineMs: settings.deadlineMs,
    },
  };
}

/** Through the same agents, or through ones of its own (another federation, another token). */
function consulOf(one: z.infer<typeof datacenterSchema>, primary: ConsulOptions): ConsulOptions {
  const { name, addresses, tokenFile } = one;
  return {
    ...primary,
    ...(addresses === undefined ? { datacenter: name } : { addresses, datacenter: undefined }),
    ...(tokenFile === undefined ? {} : { tokenFile, token: undefined }),
  };
}
