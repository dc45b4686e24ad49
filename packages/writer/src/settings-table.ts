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
    otherwise: "",
    meaning:
      "continue or stop: what a Pre hook that can't drain or fence does to the failover, whatever the layout says (onFenceFailure)",
  },
  wait: {
    flag: "wait",
    variable: "PRIMACY_WAIT",
    otherwise: "",
    meaning:
      "seconds that a hook waits for the proxies, 0 for not at all; otherwise a Pre hook waits as long as the phase takes, and others don't",
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
  databaseUser: {
    flag: "database-user",
    variable: "PRIMACY_DATABASE_USER",
    otherwise: "",
    meaning: "the writer's user on the database servers; without one it does not go there",
  },
  databasePasswordFile: {
    flag: "database-password-file",
    variable: "PRIMACY_DATABASE_PASSWORD_FILE",
    otherwise: "",
    meaning: "the file in which its password stands (or PRIMACY_DATABASE_PASSWORD)",
  },
  databaseTls: {
    flag: "database-tls",
    variable: "PRIMACY_DATABASE_TLS",
    otherwise: "off",
    meaning: "off, required (encrypted), or verify (and the server's certificate is checked)",
  },
  databaseCaFile: {
    flag: "database-ca-file",
    variable: "PRIMACY_DATABASE_CA_FILE",
    otherwise: "",
    meaning: "the CA by which it is checked, PEM",
  },
  databaseKeepUsers: {
    flag: "database-keep-users",
    variable: "PRIMACY_DATABASE_KEEP_USERS",
    otherwise: "orchestrator",
    meaning: "users whose connections to an old master are not killed, separated by commas",
  },
  databaseDeadline: {
    flag: "database-deadline",
    variable: "PRIMACY_DATABASE_DEADLINE",
    otherwise: "5",
    meaning: "seconds for all that is done on one database server",
  },
  log: {
    flag: "log",
    variable: "PRIMACY_LOG",
    otherwise: "",
    meaning: "one JSON line for each run: a file, or stderr",
  },
} as const;

export type SettingName = keyof typeof SETTINGS;
