import { findServer } from "../servers/found.js";
import { startConsul } from "../servers/consul.js";
import { startConsulStandIn } from "../consul-standin/server.js";
import type { FleetConsul } from "../fleet/fleet.js";

/** Which programs the demo runs on: the real ones where they are, stand-ins where not. */
export interface Parts {
  consul: "real" | "stand-in";
  proxysql: "real" | "stand-in";
  orchestrator: "real" | "stand-in";
  /** One line a program, for people. */
  lines: readonly string[];
}

export function chooseParts(): Parts {
  const consul = findServer("consul");
  const proxysql = findServer("proxysql");
  const orchestrator = findServer("orchestrator");
  const mariadb = findServer("mariadb");
  const line = (name: string, found: ReturnType<typeof findServer>, instead: string): string =>
    typeof found === "string" ? `${name}: ${instead}` : `${name}: the real one, ${found.version}`;
  return {
    consul: typeof consul === "string" ? "stand-in" : "real",
    proxysql: typeof proxysql === "string" ? "stand-in" : "real",
    orchestrator: typeof orchestrator === "string" ? "stand-in" : "real",
    lines: [
      line("MariaDB", mariadb, "none here"),
      line("Consul", consul, "a stand-in that passes the same conformance suite"),
      line(
        "ProxySQL",
        proxysql,
        "a stand-in that passes the same conformance suite (PRIMACY_PROXYSQL_BIN names a real one)",
      ),
      line(
        "Orchestrator",
        orchestrator,
        "a stand-in that passes the same conformance suite (PRIMACY_ORCHESTRATOR_BIN names a real one)",
      ),
      "Primacy's writer and watchers: the programs themselves, as they are shipped",
    ],
  };
}

export async function startPartConsul(parts: Parts): Promise<FleetConsul> {
  if (parts.consul === "stand-in") return await startConsulStandIn();
  const consul = await startConsul();
  return { address: consul.httpAddr, close: async () => consul.close() };
}
