import { type Parsed, printable } from "./server.js";

/** Default prefix of every key. */
export const DEFAULT_PREFIX = "primacy/";

/**
 * Names that may stand in a key. Consul 1.21.5 answers 500 to any key outside `[a-zA-Z0-9,_./\-?&=]`
 * (hashicorp/consul#22822) and a main-branch revision refused keys that end in `.json`, so names keep to what every
 * version takes.
 */
const KEY_NAME = /^[a-z0-9_-]{1,64}$/i;
const KEY_PREFIX = /^(?:[a-z0-9_-]{1,64}\/){1,8}$/;

/**
 * The name of a cluster or a proxy as it stands in keys: the name itself, in lower case.
 * Orchestrator's fallback alias, `host:port`, is no name: it changes with the master.
 */
export function keyName(name: string, what: "cluster" | "proxy"): Parsed<string> {
  if (KEY_NAME.test(name)) return { ok: true, value: name.toLowerCase() };
  return {
    ok: false,
    problem: `${what} name "${printable(name)}" cannot stand in a Consul key: use 1 to 64 of a-z, 0-9, "_" and "-"`,
  };
}

/** A key prefix in its one form, ending in `/`. */
export function keyPrefix(text: string): Parsed<string> {
  const prefix = text.replace(/^\/+/, "").replace(/\/*$/, "/");
  if (KEY_PREFIX.test(prefix)) return { ok: true, value: prefix };
  return { ok: false, problem: `key prefix "${printable(text)}" must be made of a-z, 0-9, "_", "-" and "/"` };
}

/** The documents of one cluster, all below one folder so that one blocking query covers them. */
export interface ClusterKeys {
  readonly folder: string;
  readonly master: string;
  readonly layout: string;
  readonly members: string;
  readonly historyFolder: string;
  readonly acknowledgementsFolder: string;
}

/** `cluster` has passed {@link keyName}, `prefix` {@link keyPrefix}. */
export function clusterKeys(prefix: string, cluster: string): ClusterKeys {
  const folder = `${prefix}clusters/${cluster}/`;
  return {
    folder,
    master: `${folder}master`,
    layout: `${folder}layout`,
    members: `${folder}members`,
    historyFolder: `${prefix}history/${cluster}/`,
    acknowledgementsFolder: `${prefix}acks/${cluster}/`,
  };
}

/** `history/<cluster>/<generation, 12 digits>`: as wide as it is so that keys sort as numbers do. */
export function historyKey(keys: ClusterKeys, generation: number): string {
  return `${keys.historyFolder}${String(generation).padStart(12, "0")}`;
}

export function acknowledgementKey(keys: ClusterKeys, proxy: string): string {
  return `${keys.acknowledgementsFolder}${proxy}`;
}
