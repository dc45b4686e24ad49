import type { Backend } from "./backend.js";
import type { StandInConfiguration } from "./configuration.js";
import { type InstanceKey, keyText } from "./instance.js";
import { isIP } from "node:net";

/** Orchestrator's keys for one master, in the order in which it writes them (3.2.6, go/inst/cluster.go). */
export function masterKeyValues(prefix: string, alias: string, master: InstanceKey): [string, string][] {
  const key = `${prefix.replace(/\/*$/, "/")}${alias}`;
  const family = isIP(master.Hostname);
  return [
    [key, keyText(master)],
    [`${key}/hostname`, master.Hostname],
    [`${key}/port`, String(master.Port)],
    [`${key}/ipv4`, family === 4 ? master.Hostname : ""],
    [`${key}/ipv6`, family === 6 ? master.Hostname : ""],
  ];
}

/**
 * Orchestrator's key-value stores: its own, then Consul by one unconditional PUT per key, stopped at the first that fails
 * (3.2.6, go/kv/kv.go, go/kv/consul.go). A reader can see some keys of the new master with others of the old one
 * (openark/orchestrator#1273).
 */
export class KeyValueStores {
  readonly #backend: Backend;
  readonly #configuration: StandInConfiguration;

  constructor(backend: Backend, configuration: StandInConfiguration) {
    this.#backend = backend;
    this.#configuration = configuration;
  }

  /** What a failover does, and an operator's `submit-masters-to-kv-stores`. @throws when Consul does not take a key. */
  async put(pairs: readonly [string, string][]): Promise<void> {
    for (const [key, value] of pairs) this.#backend.keyValues.set(key, value);
    for (const [key, value] of pairs) await this.#putConsul(key, value);
  }

  /** The keys of every writeable root, dead ones and those without an alias included (openark/orchestrator#1462). */
  masters(clusterName?: string): [string, string][] {
    return this.#backend
      .writeableMasters()
      .filter(({ instance }) => clusterName === undefined || instance.ClusterName === clusterName)
      .flatMap(({ instance }) => {
        const alias = this.#backend.aliases.alias(instance.ClusterName);
        return masterKeyValues(this.#configuration.KVClusterMasterPrefix, alias, instance.Key);
      });
  }

  /** What happens once a minute: only Orchestrator's own copy is compared, so keys lost in Consul stay lost. */
  async putChangedMasters(): Promise<void> {
    await this.put(this.masters().filter(([key, value]) => this.#backend.keyValues.get(key) !== value));
  }

  async #putConsul(key: string, value: string): Promise<void> {
    const { ConsulAddress, ConsulScheme, ConsulAclToken } = this.#configuration;
    if (ConsulAddress === "") return;
    const path = key.split("/").map(encodeURIComponent).join("/");
    const response = await fetch(`${ConsulScheme}://${ConsulAddress}/v1/kv/${path}`, {
      method: "PUT",
      body: value,
      signal: AbortSignal.timeout(10_000),
      ...(ConsulAclToken === "" ? {} : { headers: { "X-Consul-Token": ConsulAclToken } }),
    });
    if (!response.ok)
      throw new Error(`Consul answered ${response.status} to ${key}: ${await response.text()}`);
    await response.arrayBuffer();
  }
}
