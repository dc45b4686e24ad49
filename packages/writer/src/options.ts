import { type ConsulOptions, consulOptionsFromEnvironment } from "@primacy/consul-store";
import { type Parsed, printable } from "@primacy/contract";
import { type ClusterNames, parseClusterAliases } from "./hook/cluster.js";
import type { Variables } from "./hook/environment.js";
import { DEFAULT_SPOOL_FOLDER, DEFAULT_SPOOL_LIMIT } from "./spool/folder.js";

/**
 * The writer's settings: a flag goes over the environment, the environment over the file, the file over the default.
 * Consul's own variables (CONSUL_HTTP_TOKEN_FILE, CONSUL_CACERT …) count as they do for Consul's command line.
 */
export const SETTINGS = {
  consulAddress: {
    flag: "consul",
    variable: "CONSUL_HTTP_ADDR",
    otherwise: "http://127.0.0.1:8500",
    meaning: "Consul's agents, asked in turn: http://…, https://…, unix:///…, separated by commas",
  },
  consulTokenFile: {
    flag: "token-file",
    variable: "CONSUL_HTTP_TOKEN_FILE",
    otherwise: "",
    meaning: "the file in which the ACL token stands",
  },
  prefix: {
    flag: "prefix",
    variable: "PRIMACY_PREFIX",
    otherwise: "primacy/",
    meaning: "where the keys begin",
  },
  deadline: {
    flag: "deadline",
    variable: "PRIMACY_DEADLINE",
    otherwise: "8",
    meaning: "seconds until a run gives up",
  },
  spool: {
    flag: "spool",
    variable: "PRIMACY_SPOOL",
    otherwise: DEFAULT_SPOOL_FOLDER,
    meaning: "the folder for events that Consul could not be told",
  },
  spoolLimit: {
    flag: "spool-limit",
    variable: "PRIMACY_SPOOL_LIMIT",
    otherwise: String(DEFAULT_SPOOL_LIMIT),
    meaning: "how many events it holds at most",
  },
  onFailure: {
    flag: "on-failure",
    variable: "PRIMACY_ON_FENCE_FAILURE",
    otherwise: "continue",
    meaning: "continue or stop: what a Pre hook that can't drain or fence does to the failover",
  },
  clusterAliases: {
    flag: "cluster-aliases",
    variable: "PRIMACY_CLUSTER_ALIASES",
    otherwise: "",
    meaning: "Orchestrator's aliases that are not our names: Shop.Prod=shop-prod,…",
  },
  orchestratorKeys: {
    flag: "orchestrator-keys",
    variable: "PRIMACY_ORCHESTRATOR_KEYS",
    otherwise: "",
    meaning: "also set <this>/<cluster>, /hostname and /port, as Orchestrator does (mysql/master)",
  },
  orchestrator: {
    flag: "orchestrator",
    variable: "PRIMACY_ORCHESTRATOR",
    otherwise: "",
    meaning: "Orchestrator's address, with its URL prefix if it has one: http://orchestrator:3000",
  },
  orchestratorAuthFile: {
    flag: "orchestrator-auth-file",
    variable: "PRIMACY_ORCHESTRATOR_AUTH_FILE",
    otherwise: "",
    meaning: "the file in which user:password for Orchestrator stand (or PRIMACY_ORCHESTRATOR_AUTH)",
  },
  log: {
    flag: "log",
    variable: "PRIMACY_LOG",
    otherwise: "",
    meaning: "one JSON line for each run: a file, or stderr",
  },
} as const;

export type SettingName = keyof typeof SETTINGS;

/** What a run goes by. */
export interface Settings {
  readonly consul: ConsulOptions;
  readonly deadlineMs: number;
  readonly spool: { readonly folder: string; readonly limit: number };
  readonly stopOnFailure: boolean;
  readonly clusterNames: ClusterNames;
  readonly orchestratorKeys: string | undefined;
  readonly orchestrator: {
    readonly url: string | undefined;
    readonly auth: string | undefined;
    readonly authFile: string | undefined;
  };
  readonly log: string | undefined;
  /** Who sits at the terminal, for the record's `writtenBy`; undefined for Orchestrator's own user. */
  readonly person: string | undefined;
}

/** The environment of this process: read here and nowhere else. */
export function processEnvironment(): Variables {
  return process.env;
}

/** One request to one agent may take a fraction of the whole, so that another agent gets its turn. Milliseconds. */
const LONGEST_REQUEST_MS = 2500;

/**
 * @param flags what was given on the command line, by flag
 * @param file what the configuration file has, by setting
 */
export function readSettings(
  flags: Variables,
  environment: Variables,
  file: Partial<Record<SettingName, string>>,
): Parsed<Settings> {
  const variables = mergeSettings(flags, environment, file);
  const text = (name: SettingName): string => variables[SETTINGS[name].variable] || SETTINGS[name].otherwise;
  const deadline = numberBetween(text("deadline"), 0.1, 600, "deadline");
  if (!deadline.ok) return deadline;
  const limit = numberBetween(text("spoolLimit"), 1, 100_000, "spoolLimit");
  if (!limit.ok) return limit;
  const aliases = parseClusterAliases(text("clusterAliases"));
  if (!aliases.ok) return wrong("clusterAliases", aliases.problem);
  const onFailure = text("onFailure");
  if (onFailure !== "continue" && onFailure !== "stop") {
    return wrong("onFailure", `"${printable(onFailure)}" is neither continue nor stop`);
  }
  const keys = text("orchestratorKeys").replace(/^\/+|\/+$/g, "");
  if (!/^[a-zA-Z0-9_/-]{0,200}$/.test(keys)) {
    return wrong("orchestratorKeys", "it is made of letters, digits, _, - and /");
  }
  const deadlineMs = deadline.value * 1000;
  const consul = consulOptionsFromEnvironment(variables, {
    requestTimeoutMs: Math.min(LONGEST_REQUEST_MS, deadlineMs / 2),
  });
  if (!consul.ok) return consul;
  return {
    ok: true,
    value: {
      consul: consul.value,
      deadlineMs,
      spool: { folder: text("spool"), limit: Math.floor(limit.value) },
      stopOnFailure: onFailure === "stop",
      clusterNames: { fixed: undefined, aliases: aliases.value },
      orchestratorKeys: keys || undefined,
      orchestrator: {
        url: text("orchestrator") || undefined,
        auth: variables["PRIMACY_ORCHESTRATOR_AUTH"] || undefined,
        authFile: text("orchestratorAuthFile") || undefined,
      },
      log: text("log") || undefined,
      person: environment["SUDO_USER"] || environment["USER"] || undefined,
    },
  };
}

/** Everything under the names of the environment's variables. An empty text counts as none. */
function mergeSettings(
  flags: Variables,
  environment: Variables,
  file: Partial<Record<SettingName, string>>,
): Variables {
  const merged: Record<string, string | undefined> = { ...environment };
  for (const name of Object.keys(SETTINGS) as SettingName[]) {
    const { flag, variable } = SETTINGS[name];
    merged[variable] = flags[flag] || environment[variable] || file[name];
  }
  return merged;
}

function numberBetween(text: string, low: number, high: number, name: SettingName): Parsed<number> {
  const value = Number(text);
  if (text.trim() !== "" && value >= low && value <= high) return { ok: true, value };
  return wrong(name, `"${printable(text)}" is not a number from ${String(low)} to ${String(high)}`);
}

function wrong(name: SettingName, problem: string): { readonly ok: false; readonly problem: string } {
  const { flag, variable } = SETTINGS[name];
  return { ok: false, problem: `--${flag} (${variable}): ${problem}` };
}
