import { type ConsulOptions, consulOptionsFromEnvironment } from "@primacy/consul-store";
import { type Parsed, printable } from "@primacy/contract";
import { type ClusterNames, parseClusterAliases } from "./hook/cluster.js";
import type { DatabaseSettings } from "./database/settings.js";
import type { Variables } from "./hook/environment.js";
import { SETTINGS, type SettingName } from "./settings-table.js";

export { SETTINGS, type SettingName };

/** What a run goes by. */
export interface Settings {
  readonly consul: ConsulOptions;
  readonly deadlineMs: number;
  readonly spool: { readonly folder: string; readonly limit: number };
  /** Undefined: what the cluster's layout says. */
  readonly stopOnFailure: boolean | undefined;
  /** How long a hook waits for the proxies, milliseconds; undefined: as long as the phase takes. */
  readonly waitMs: number | undefined;
  /** Undefined: the writer does not go to the database servers. */
  readonly database: DatabaseSettings | undefined;
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
  if (onFailure !== "" && onFailure !== "continue" && onFailure !== "stop") {
    return wrong("onFailure", `"${printable(onFailure)}" is neither continue nor stop`);
  }
  const keys = text("orchestratorKeys").replace(/^\/+|\/+$/g, "");
  if (!/^[a-zA-Z0-9_/-]{0,200}$/.test(keys)) {
    return wrong("orchestratorKeys", "it is made of letters, digits, _, - and /");
  }
  const wait = text("wait") === "" ? NOTHING : numberBetween(text("wait"), 0, 600, "wait");
  if (!wait.ok) return wait;
  const database = databaseSettings(text, variables["PRIMACY_DATABASE_PASSWORD"] || undefined);
  if (!database.ok) return database;
  const deadlineMs = deadline.value * 1000;
  const consul = consulOptionsFromEnvironment(variables);
  if (!consul.ok) return consul;
  // Where all but one say nothing, there is time left for that one.
  const turnMs = deadlineMs / (consul.value.addresses.length + 1);
  return {
    ok: true,
    value: {
      consul: { ...consul.value, requestTimeoutMs: Math.min(LONGEST_REQUEST_MS, turnMs) },
      deadlineMs,
      spool: { folder: text("spool"), limit: Math.floor(limit.value) },
      stopOnFailure: onFailure === "" ? undefined : onFailure === "stop",
      waitMs: wait.value === undefined ? undefined : wait.value * 1000,
      database: database.value,
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

const NOTHING = { ok: true, value: undefined } as const;

function databaseSettings(
  text: (name: SettingName) => string,
  password: string | undefined,
): Parsed<DatabaseSettings | undefined> {
  const user = text("databaseUser");
  if (user === "") return NOTHING;
  const tls = text("databaseTls");
  if (tls !== "off" && tls !== "required" && tls !== "verify") {
    return wrong("databaseTls", `"${printable(tls)}" is neither off, required nor verify`);
  }
  const deadline = numberBetween(text("databaseDeadline"), 0.5, 600, "databaseDeadline");
  if (!deadline.ok) return deadline;
  return {
    ok: true,
    value: {
      user,
      password,
      passwordFile: text("databasePasswordFile") || undefined,
      tls,
      caFile: text("databaseCaFile") || undefined,
      keepUsers: text("databaseKeepUsers")
        .split(",")
        .map((name) => name.trim())
        .filter((name) => name !== ""),
      deadlineMs: deadline.value * 1000,
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
