import { type Parsed, keyName, printable } from "@primacy/contract";

/** How the operator names clusters where Orchestrator's alias is not the name itself. */
export interface ClusterNames {
  /** One name for whatever the alias says; undefined where the alias counts. */
  readonly fixed: string | undefined;
  /** Orchestrator's alias, as it spells it, to our name. */
  readonly aliases: ReadonlyMap<string, string>;
}

/** Reads `Shop.Prod=shop-prod,Other=other`. */
export function parseClusterAliases(text: string): Parsed<ReadonlyMap<string, string>> {
  const aliases = new Map<string, string>();
  const entries = text.split(",").map((entry) => entry.trim());
  for (const entry of entries.filter((one) => one !== "")) {
    const at = entry.lastIndexOf("=");
    if (at < 1) return { ok: false, problem: `"${printable(entry)}" is not alias=cluster` };
    const name = keyName(entry.slice(at + 1).trim(), "cluster");
    if (!name.ok) return name;
    aliases.set(entry.slice(0, at).trim(), name.value);
  }
  return { ok: true, value: aliases };
}

/**
 * Our name of the cluster that Orchestrator calls `alias`.
 *
 * Orchestrator never leaves the alias empty: where a cluster has none it says `host:port` of the old master
 * (3.2.6, go/inst/analysis_dao.go), which changes at every failover and must not become a key.
 */
export function clusterOf(alias: string, names: ClusterNames): Parsed<string> {
  const chosen = names.fixed ?? names.aliases.get(alias) ?? alias;
  if (chosen === "") return { ok: false, problem: "no cluster is named" };
  if (names.fixed === undefined && !names.aliases.has(alias) && /:\d+$/.test(alias)) {
    return {
      ok: false,
      problem:
        `"${printable(alias)}" is no cluster alias but Orchestrator's stand-in for one, the old master's address: ` +
        "give the cluster an alias (DetectClusterAliasQuery), or name it with --cluster or PRIMACY_CLUSTER_ALIASES",
    };
  }
  return keyName(chosen, "cluster");
}
