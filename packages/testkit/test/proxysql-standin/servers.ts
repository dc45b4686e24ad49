import {
  newServer,
  type RuntimeServer,
  type ServerRow,
} from "../../src/proxysql-standin/hostgroups/server.js";

/** A row of mysql_servers with ProxySQL's defaults. */
export function row(hostgroup: number, hostname: string, changes: Partial<ServerRow> = {}): ServerRow {
  return {
    hostgroup_id: hostgroup,
    hostname,
    port: 3306,
    gtid_port: 0,
    status: "ONLINE",
    weight: 1,
    compression: 0,
    max_connections: 1000,
    max_replication_lag: 0,
    use_ssl: 0,
    max_latency_ms: 0,
    comment: "",
    ...changes,
  };
}

/** A server in force. */
export function server(
  id: number,
  hostgroup: number,
  hostname: string,
  changes: Partial<RuntimeServer> = {},
): RuntimeServer {
  return { ...newServer(row(hostgroup, hostname), id), ...changes };
}

/** "10:db1=ONLINE …", in the order of the servers. */
export function shown(servers: readonly RuntimeServer[]): string {
  return servers.map((one) => `${one.hostgroup_id}:${one.hostname}=${one.status}`).join(" ");
}

/** Numbers from `first` on. */
export function idsFrom(first: number): () => number {
  let next = first;
  return () => next++;
}

export const NO_CONNECTIONS = () => ({ used: 0, free: 0 });
export const IN_USE = () => ({ used: 1, free: 0 });

export const SETTINGS = {
  onFailures: 5,
  connectRetries: 10,
  recoverySeconds: 10,
  connectTimeoutMaxMs: 10_000,
  pingIntervalMs: 8000,
} as const;
