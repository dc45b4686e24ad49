import type { ConsulModel } from "../world/consul.js";
import { bitOf, namesOf } from "../world/servers.js";
import type { Watched } from "./watched.js";

/**
 * Has everything come to rest: does the record name the server that takes writes (`truth`, a bit), do all proxies route
 * to it, and do they say so? Null: yes; otherwise why not.
 */
export function unrest(truth: number, consul: ConsulModel, proxies: readonly Watched[]): string | null {
  const { record } = consul;
  if (record.phase !== "open") return `the record is still ${record.phase}`;
  if (bitOf(record.master) !== truth) {
    return `the record names ${record.master.host}, and ${namesOf(truth)} takes writes`;
  }
  const entries = consul.roster(0).acknowledgements;
  for (const { proxysql } of proxies) {
    if (!proxysql.up) return `${proxysql.name} is down`;
    if (proxysql.routes !== truth) return `${proxysql.name} routes to ${namesOf(proxysql.routes)}`;
    const entry = entries.find((one) => one.proxy === proxysql.name);
    const said = entry?.document.kind === "valid" ? entry.document.value : null;
    if (said?.state !== "applied" || said.generation !== record.generation) {
      return `${proxysql.name} acknowledges ${said?.state ?? "nothing"} ${String(said?.generation ?? "")}`;
    }
  }
  return null;
}
