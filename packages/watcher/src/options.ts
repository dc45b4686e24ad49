import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { type ConsulOptions, consulOptionsFromEnvironment } from "@primacy/consul-store";
import { firstIssue, keyName } from "@primacy/contract";
import cron from "node-cron";
import { parse as parseYaml } from "yaml";
import * as z from "zod";
import type { GuardCommand } from "./guard-row.js";
import type { AdminOptions } from "./proxysql/admin.js";

/** Everything a watcher is told, read once: flag over environment over file over default. */
export interface WatcherOptions {
  /** Name of this ProxySQL in acknowledgements. */
  readonly proxy: string;
  readonly clusters: readonly string[];
  readonly admin: AdminOptions;
  readonly consul: ConsulOptions;
  readonly stateDirectory: string;
  /** The lease file, which the guard reads. */
  readonly leaseFile: string;
  /** How ProxySQL's scheduler starts the guard; null: it is not set up. */
  readonly guard: GuardCommand | null;
  readonly http: { readonly host: string; readonly port: number } | null;
  /** What to do while something else owns the hostgroups. */
  readonly whenOwned: "refuse" | "warn";
  /** Cron expression (UTC) of the full comparison; each run is delayed by up to 20 s. */
  readonly fullComparison: string;
  /** Between two consistent reads of Consul. Milliseconds. */
  readonly verifyIntervalMs: number;
  readonly logLevel: "debug" | "info" | "warn" | "error";
}

/** A setting that can't be used. `message` says which, and what it must be. */
export class OptionsError extends Error {
  override readonly name = "OptionsError";
  readonly code = "BAD_OPTIONS";
}

/** The settings that flags may give; they win over everything. */
export interface Flags {
  readonly config?: string | undefined;
  readonly cluster?: readonly string[] | undefined;
  readonly proxy?: string | undefined;
}

const text = z.string().min(1);
const port = z.coerce.number().int().min(0).max(65_535);

/** The file. Strict: a misspelt setting is an error and not a default. */
export const configSchema = z.strictObject({
  proxy: text.optional(),
  clusters: z.array(text).min(1).optional(),
  proxysql: z
    .strictObject({
      host: text.default("127.0.0.1"),
      port: port.default(6032),
      socket: text.optional(),
      user: text.default("primacy"),
      passwordFile: text.optional(),
      tls: z.boolean().default(false),
      timeoutMs: z.int().min(100).max(60_000).default(2000),
    })
    .prefault({}),
  consul: z
    .strictObject({
      addresses: z.array(text).min(1).optional(),
      prefix: text.optional(),
      tokenFile: text.optional(),
      datacenter: text.optional(),
      requestTimeoutMs: z.int().min(100).max(60_000).default(2500),
      verifyIntervalMs: z.int().min(200).max(60_000).default(5000),
    })
    .prefault({}),
  stateDirectory: text.default("/var/lib/primacy/watcher"),
  lease: z
    .strictObject({
      file: text.optional(),
      guard: z
        .strictObject({
          filename: text,
          arguments: z.array(text).max(2).default([]),
          defaultsFile: text,
        })
        .optional(),
    })
    .prefault({}),
  http: z
    .union([z.literal(false), z.strictObject({ host: text.default("127.0.0.1"), port: port.default(6090) })])
    .prefault({}),
  whenOwned: z.enum(["refuse", "warn"]).default("refuse"),
  fullComparison: text.default("*/5 * * * *"),
  logLevel: z.enum(["debug", "info", "warn", "error"]).default("info"),
});
type Config = z.infer<typeof configSchema>;

/** Environment variable → what it sets. docs/configuration.md lists them; a test compares the two. */
export const ENVIRONMENT = {
  PRIMACY_CONFIG: "path of the configuration file",
  PRIMACY_PROXY: "proxy",
  PRIMACY_CLUSTERS: "clusters, separated by commas",
  PRIMACY_PROXYSQL_HOST: "proxysql.host",
  PRIMACY_PROXYSQL_PORT: "proxysql.port",
  PRIMACY_PROXYSQL_SOCKET: "proxysql.socket",
  PRIMACY_PROXYSQL_USER: "proxysql.user",
  PRIMACY_PROXYSQL_PASSWORD: "the admin password",
  PRIMACY_PROXYSQL_PASSWORD_FILE: "proxysql.passwordFile; wins over PRIMACY_PROXYSQL_PASSWORD",
  PRIMACY_STATE_DIRECTORY: "stateDirectory",
  PRIMACY_LEASE_FILE: "lease.file",
  PRIMACY_GUARD: "lease.guard.filename",
  PRIMACY_GUARD_DEFAULTS_FILE: "lease.guard.defaultsFile",
  PRIMACY_HTTP: "http, as host:port, or off",
  PRIMACY_LOG_LEVEL: "logLevel",
} as const;

type Environment = Readonly<Record<string, string | undefined>>;

/** Reads flags, environment and file into one object. Throws {@link OptionsError}. */
export function readOptions(flags: Flags, environment: Environment): WatcherOptions {
  const config = readConfig(flags.config ?? filled(environment["PRIMACY_CONFIG"]), environment);
  const proxy = named(flags.proxy ?? config.proxy ?? hostname().split(".")[0] ?? "", "proxy");
  const clusters = (flags.cluster ?? config.clusters ?? []).map((one) => named(one, "cluster"));
  if (clusters.length === 0) {
    throw new OptionsError('no cluster is named: give "clusters" in the file, PRIMACY_CLUSTERS or --cluster');
  }
  if (!cron.validate(config.fullComparison)) {
    throw new OptionsError(`fullComparison: "${config.fullComparison}" is not a cron expression`);
  }
  return {
    proxy,
    clusters: [...new Set(clusters)],
    admin: adminOptions(config, environment),
    consul: consulOptions(config, environment),
    stateDirectory: config.stateDirectory,
    leaseFile: config.lease.file ?? join(config.stateDirectory, `${proxy}.lease`),
    guard: guardCommand(config),
    http: config.http === false ? null : config.http,
    whenOwned: config.whenOwned,
    fullComparison: config.fullComparison,
    verifyIntervalMs: config.consul.verifyIntervalMs,
    logLevel: config.logLevel,
  };
}

function guardCommand({ lease: { guard } }: Config): GuardCommand | null {
  if (guard === undefined) return null;
  return { filename: guard.filename, leading: guard.arguments, defaultsFile: guard.defaultsFile };
}

function readConfig(path: string | undefined, environment: Environment): Config {
  const file = path === undefined ? {} : parseFile(path);
  const parsed = configSchema.safeParse(withEnvironment(file, environment));
  if (!parsed.success) throw new OptionsError(`${path ?? "settings"}: ${firstIssue(parsed.error)}`);
  return parsed.data;
}

function parseFile(path: string): Record<string, unknown> {
  let content: unknown;
  try {
    content = parseYaml(readFileSync(path, "utf8"));
  } catch (error) {
    throw new OptionsError(`${path}: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
  if (content === null || content === undefined) return {};
  if (typeof content !== "object" || Array.isArray(content))
    throw new OptionsError(`${path}: not a map of settings`);
  return content as Record<string, unknown>;
}

function withEnvironment(file: Record<string, unknown>, environment: Environment): Record<string, unknown> {
  const proxysql = defined({
    host: environment["PRIMACY_PROXYSQL_HOST"],
    port: environment["PRIMACY_PROXYSQL_PORT"],
    socket: environment["PRIMACY_PROXYSQL_SOCKET"],
    user: environment["PRIMACY_PROXYSQL_USER"],
    passwordFile: environment["PRIMACY_PROXYSQL_PASSWORD_FILE"],
  });
  return {
    ...file,
    ...defined({
      proxy: environment["PRIMACY_PROXY"],
      clusters: filled(environment["PRIMACY_CLUSTERS"])
        ?.split(",")
        .map((one) => one.trim()),
      stateDirectory: environment["PRIMACY_STATE_DIRECTORY"],
      logLevel: environment["PRIMACY_LOG_LEVEL"],
      http: httpOf(environment["PRIMACY_HTTP"]),
    }),
    ...merged("proxysql", proxysql, file),
    ...merged("lease", leaseEnvironment(file, environment), file),
  };
}

function leaseEnvironment(file: Record<string, unknown>, environment: Environment): Record<string, unknown> {
  const guard = defined({
    filename: environment["PRIMACY_GUARD"],
    defaultsFile: environment["PRIMACY_GUARD_DEFAULTS_FILE"],
  });
  return {
    ...defined({ file: environment["PRIMACY_LEASE_FILE"] }),
    ...merged("guard", guard, (file["lease"] ?? {}) as Record<string, unknown>),
  };
}

/** The section of a file with some of its settings replaced; nothing where none is. */
function merged(
  section: string,
  settings: Record<string, unknown>,
  file: Record<string, unknown>,
): Record<string, unknown> {
  if (Object.keys(settings).length === 0) return {};
  return { [section]: { ...(file[section] as object | undefined), ...settings } };
}

function httpOf(value: string | undefined): false | { host: string; port: string } | undefined {
  if (value === undefined || value === "") return undefined;
  if (value === "off") return false;
  const colon = value.lastIndexOf(":");
  const host = value.slice(0, Math.max(0, colon)).replace(/^\[(.*)\]$/, "$1");
  return { host: host || "127.0.0.1", port: value.slice(colon + 1) };
}

/** An empty variable counts as none. */
function filled(value: string | undefined): string | undefined {
  return value === "" ? undefined : value;
}

function defined(values: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(values).filter(([, value]) => value !== undefined && value !== ""),
  );
}

function named(name: string, what: "cluster" | "proxy"): string {
  const parsed = keyName(name, what);
  if (!parsed.ok) throw new OptionsError(parsed.problem);
  return parsed.value;
}

function adminOptions(config: Config, environment: Environment): AdminOptions {
  const { host, port: adminPort, socket, user, passwordFile, tls, timeoutMs } = config.proxysql;
  const password =
    passwordFile === undefined
      ? environment["PRIMACY_PROXYSQL_PASSWORD"]
      : readSecret(passwordFile, "proxysql.passwordFile");
  if (password === undefined || password === "") {
    throw new OptionsError(
      "no password for ProxySQL's admin port: set proxysql.passwordFile, PRIMACY_PROXYSQL_PASSWORD_FILE or PRIMACY_PROXYSQL_PASSWORD",
    );
  }
  return { host, port: adminPort, socketPath: socket ?? null, user, password, tls, timeoutMs };
}

function readSecret(path: string, setting: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch (error) {
    throw new OptionsError(`${setting}: ${path} cannot be read`, { cause: error });
  }
}

function consulOptions(config: Config, environment: Environment): ConsulOptions {
  const { addresses, prefix, tokenFile, datacenter, requestTimeoutMs } = config.consul;
  // An empty variable counts as none, as it does for Consul's own command line.
  const unless = (variable: string, values: Partial<ConsulOptions>): Partial<ConsulOptions> =>
    (environment[variable] ?? "") === "" ? values : {};
  const parsed = consulOptionsFromEnvironment(environment, {
    ...(addresses === undefined ? {} : unless("CONSUL_HTTP_ADDR", { addresses })),
    ...(prefix === undefined ? {} : unless("PRIMACY_PREFIX", { prefix })),
    ...(tokenFile === undefined ? {} : unless("CONSUL_HTTP_TOKEN_FILE", { tokenFile })),
    ...(datacenter === undefined ? {} : unless("PRIMACY_CONSUL_DATACENTER", { datacenter })),
    requestTimeoutMs,
  });
  if (!parsed.ok) throw new OptionsError(`Consul: ${parsed.problem}`);
  return parsed.value;
}
