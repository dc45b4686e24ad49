import { type KnownServer, lastCheckValid } from "./instance-view.js";

/** Which alias belongs to which cluster name: one to one (Orchestrator's table cluster_alias). */
export class ClusterAliases {
  readonly #names = new Map<string, string>();

  /** REPLACE: whoever held the alias, and whatever alias the cluster had, is gone. */
  set(alias: string, clusterName: string): void {
    for (const [other, name] of this.#names) if (name === clusterName) this.#names.delete(other);
    this.#names.set(alias, clusterName);
  }

  clusterName(alias: string): string | undefined {
    return this.#names.get(alias);
  }

  /** The alias, or the name itself where it has none: never empty. */
  alias(clusterName: string): string {
    for (const [alias, name] of this.#names) if (name === clusterName) return alias;
    return clusterName;
  }

  /**
   * What each poll does: every server's suggestion is written, the best last, so that it stays (3.2.6,
   * go/inst/cluster_alias_dao.go UpdateClusterAliases). `lost` servers, demoted a moment ago, suggest nothing.
   */
  update(servers: readonly KnownServer[], isLost: (server: KnownServer) => boolean): void {
    const suggesting = servers.filter((one) => one.instance.SuggestedClusterAlias !== "" && !isLost(one));
    for (const { instance } of suggesting.sort(worstFirst)) {
      this.set(instance.SuggestedClusterAlias, instance.ClusterName);
    }
    const names = new Set(servers.map(({ instance }) => instance.ClusterName));
    for (const name of names) {
      const members = servers.filter(({ instance }) => instance.ClusterName === name);
      if (members.every(({ instance }) => instance.SuggestedClusterAlias === "")) this.set(name, name);
    }
  }
}

function worstFirst(a: KnownServer, b: KnownServer): number {
  return (
    Number(lastCheckValid(a)) - Number(lastCheckValid(b)) ||
    Number(b.instance.ReadOnly) - Number(a.instance.ReadOnly) ||
    a.instance.Replicas.length - b.instance.Replicas.length
  );
}
