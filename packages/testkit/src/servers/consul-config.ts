/** The ports of a Consul server, of all its addresses. */
export interface ConsulPorts {
  http: number;
  server: number;
  serfLan: number;
}

/** What one server of a cluster is told. */
export interface ConsulServerSettings {
  nodeName: string;
  dataDir: string;
  ports: ConsulPorts;
  /** An address beside 127.0.0.1 on which it answers clients. */
  alsoAt: string | undefined;
  /** The serf ports of all servers of the cluster. */
  serfPorts: readonly number[];
  /** 32 bytes in base64: what gossips without it is not heard, so no server of another cluster gets in here. */
  gossipKey: string;
  /** Consul's own default is 5: elections then take 12 to 18 s instead of 2 to 4. */
  raftMultiplier: number;
  /** Lower limit of session TTLs, such as "1s" (Consul's default: 10s). */
  sessionTtlMin: string | undefined;
  /** With a token: ACLs are on, nothing is allowed without one, and this one may do everything. */
  token: string | undefined;
}

/** The configuration file of one server, Consul 1.8. */
export function consulConfig(settings: ConsulServerSettings): Record<string, unknown> {
  const { nodeName, dataDir, ports, serfPorts, gossipKey, raftMultiplier, sessionTtlMin, token, alsoAt } =
    settings;
  return {
    node_name: nodeName,
    datacenter: "dc1",
    data_dir: dataDir,
    server: true,
    bootstrap_expect: serfPorts.length,
    bind_addr: "127.0.0.1",
    client_addr: alsoAt === undefined ? "127.0.0.1" : `127.0.0.1 ${alsoAt}`,
    ports: {
      http: ports.http,
      server: ports.server,
      serf_lan: ports.serfLan,
      serf_wan: -1,
      dns: -1,
      grpc: -1,
      https: -1,
    },
    retry_join: serfPorts.filter((port) => port !== ports.serfLan).map((port) => `127.0.0.1:${port}`),
    retry_interval: "1s",
    encrypt: gossipKey,
    performance: { raft_multiplier: raftMultiplier },
    disable_update_check: true,
    // A server that is stopped comes back: it must not give up its seat.
    leave_on_terminate: false,
    ...(sessionTtlMin === undefined ? {} : { session_ttl_min: sessionTtlMin }),
    ...(token === undefined ? {} : { acl: aclConfig(token) }),
  };
}

function aclConfig(token: string): Record<string, unknown> {
  return {
    enabled: true,
    default_policy: "deny",
    enable_token_persistence: false,
    tokens: { master: token, agent: token },
  };
}
