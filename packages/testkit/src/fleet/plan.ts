import type { Account } from "../servers/mariadb-accounts.js";
import type { ConfigurationRow } from "../proxysql-standin/configuration.js";

/** Who decides which server takes writes: the record in Consul, or each ProxySQL by itself. */
export type Routing =
  /** Primacy's writer as Orchestrator's hook, and a watcher beside each ProxySQL. */
  | "primacy"
  /** ProxySQL's own `mysql_replication_hostgroups`: whoever has read_only=0 takes writes. */
  | "read_only monitor";

/** A server's address. */
export interface Address {
  host: string;
  port: number;
}

/** One MySQL cluster of a fleet. */
export interface FleetCluster {
  name: string;
  writer: number;
  reader: number;
  /** The application's account. */
  account: Account;
}

/** The rows with which each ProxySQL of a fleet begins. */
export interface InitialRows {
  servers: ConfigurationRow[];
  users: ConfigurationRow[];
  rules: ConfigurationRow[];
  replicationHostgroups: ConfigurationRow[];
}

/** An application's user and the rules by which its reads go to the replicas. Servers only where the monitor routes. */
export function initialRows(
  clusters: readonly (FleetCluster & { servers: readonly Address[] })[],
  routing: Routing,
): InitialRows {
  const monitored = routing === "read_only monitor" ? clusters : [];
  return {
    users: clusters.map(({ account, writer }) => ({
      username: account.user,
      password: account.password,
      default_hostgroup: writer,
      active: 1,
    })),
    rules: clusters.flatMap((cluster, index) => rulesOf(cluster, index)),
    servers: monitored.flatMap(({ reader, servers }) =>
      servers.map(({ host, port }) => ({ hostgroup_id: reader, hostname: host, port })),
    ),
    replicationHostgroups: monitored.map(({ writer, reader, name }) => ({
      writer_hostgroup: writer,
      reader_hostgroup: reader,
      comment: name,
    })),
  };
}

function rulesOf({ account, writer, reader }: FleetCluster, index: number): ConfigurationRow[] {
  const common = { active: 1, username: account.user, apply: 1 };
  return [
    {
      rule_id: index * 10 + 1,
      match_digest: "^SELECT.*FOR UPDATE",
      destination_hostgroup: writer,
      ...common,
    },
    { rule_id: index * 10 + 2, match_digest: "^SELECT", destination_hostgroup: reader, ...common },
  ];
}
