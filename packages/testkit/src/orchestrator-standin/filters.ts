import { isIP } from "node:net";
import { type InstanceKey, keyText } from "./instance.js";

/** Does a list such as RecoverMasterClusterFilters name this cluster (3.2.6, go/inst/cluster.go filtersMatchCluster)? */
export function filtersMatchCluster(filters: readonly string[], name: string, alias: string): boolean {
  return filters.some((filter) => {
    if (filter === name || filter === alias || filter === "*") return true;
    if (filter.startsWith("alias=")) return filter.slice("alias=".length) === alias;
    if (filter.startsWith("alias~=")) return new RegExp(filter.slice("alias~=".length)).test(alias);
    return filter !== "" && new RegExp(filter).test(name);
  });
}

/** Does a list such as PromotionIgnoreHostnameFilters name this server? An IP address must be the whole host. */
export function filtersMatchServer(filters: readonly string[], key: InstanceKey): boolean {
  return filters.some((filter) =>
    isIP(filter) === 0 ? new RegExp(filter).test(keyText(key)) : filter === key.Hostname,
  );
}
