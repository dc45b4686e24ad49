import { onlineServers } from "./offline.js";
import type { ConnectionsOf, RuntimeServer } from "./server.js";
import { recovered, recoverySeconds, type ShunSettings } from "./shun.js";

/** What a pick depends on besides the servers. */
export interface PickInput {
  readonly hostgroup: number;
  readonly connectionsOf: ConnectionsOf;
  /** Unix second. */
  readonly now: number;
  readonly settings: ShunSettings;
  /** mysql_hostgroup_attributes.max_num_online_servers of the hostgroup. */
  readonly maxOnlineServers: number;
  /** From 0 (inclusive) to 1 (exclusive). */
  readonly chance: number;
}

/** The server for a new connection (if any), and the servers with those that were brought back on the way. */
export interface Picked {
  readonly server: RuntimeServer | undefined;
  readonly servers: readonly RuntimeServer[];
}

/**
 * Picks a server of the hostgroup by weight (lib/MyHGC.cpp:55, get_random_MySrvC). Only an ONLINE server counts. A
 * server that ProxySQL shunned by itself comes back here, not on a timer: after its recovery time, or after a tenth of
 * it when no other server is left (issues 530, 531).
 */
export function pick(servers: readonly RuntimeServer[], input: PickInput): Picked {
  const revived = revive(servers, input, false);
  const candidates = usable(revived, input);
  if (candidates.some((server) => server.weight > 0))
    return { server: byWeight(candidates, input.chance), servers: revived };
  const desperate = revive(revived, input, true);
  return { server: byWeight(usable(desperate, input), input.chance), servers: desperate };
}

function revive(
  servers: readonly RuntimeServer[],
  input: PickInput,
  desperate: boolean,
): readonly RuntimeServer[] {
  if (input.settings.recoverySeconds === 0 && !desperate) return servers;
  const wait = recoverySeconds(input.settings, desperate);
  return servers.map((server) => {
    if (server.hostgroup_id !== input.hostgroup || server.status !== "SHUNNED") return server;
    if (!server.shunnedAutomatically || input.now - server.lastErrorAt <= wait) return server;
    const { used, free } = input.connectionsOf(server.id);
    return server.killAll && used + free > 0 && !desperate ? server : recovered(server);
  });
}

function usable(servers: readonly RuntimeServer[], input: PickInput): RuntimeServer[] {
  if (onlineServers(servers, input.hostgroup) > input.maxOnlineServers) return [];
  return servers.filter(
    (server) =>
      server.hostgroup_id === input.hostgroup &&
      server.status === "ONLINE" &&
      input.connectionsOf(server.id).used < server.max_connections,
  );
}

function byWeight(candidates: readonly RuntimeServer[], chance: number): RuntimeServer | undefined {
  const total = candidates.reduce((sum, server) => sum + server.weight, 0);
  let left = Math.floor(chance * total) + 1;
  for (const server of candidates) {
    left -= server.weight;
    if (total > 0 && left <= 0) return server;
  }
  return undefined;
}
