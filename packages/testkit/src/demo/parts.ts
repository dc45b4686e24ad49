import { type FoundServer, findServer, type ServerName } from "../servers/found.js";
import { startConsul } from "../servers/consul.js";
import { startConsulStandIn } from "../consul-standin/server.js";
import type { FleetConsul } from "../fleet/fleet.js";

/** The programs that the demo runs on. */
type PartName = Exclude<ServerName, "mysql" | "iproute2">;

/** The program itself, or what stands in for it. */
export type PartKind = "real" | "stand-in";

/** Which programs the demo runs on: the real ones where they are, stand-ins where not. */
export interface Parts extends Readonly<Record<PartName, PartKind>> {
  /** One line a program, for people. */
  readonly lines: readonly string[];
}

/** What people call them, and how a real one is brought in where it can't be installed. */
const PARTS: Readonly<Record<PartName, { title: string; variable: string }>> = {
  mariadb: { title: "MariaDB", variable: "PRIMACY_MARIADB_BIN" },
  consul: { title: "Consul", variable: "PRIMACY_CONSUL_BIN" },
  proxysql: { title: "ProxySQL", variable: "PRIMACY_PROXYSQL_BIN" },
  orchestrator: { title: "Orchestrator", variable: "PRIMACY_ORCHESTRATOR_BIN" },
};

/** @param standIns use none of the real programs, though they be there */
export function chooseParts(
  standIns: boolean,
  find: (name: ServerName) => FoundServer | string = findServer,
): Parts {
  const names = Object.keys(PARTS) as PartName[];
  const mariadb = standIns ? undefined : find("mariadb");
  const chosen = names.map((name) => {
    // A real Orchestrator asks its servers more than the MariaDB stand-in can answer.
    const none = standIns || (name === "orchestrator" && typeof mariadb === "string");
    return { name, found: none ? undefined : find(name) };
  });
  const kinds = Object.fromEntries(
    chosen.map(({ name, found }) => [name, typeof found === "object" ? "real" : "stand-in"]),
  ) as Record<PartName, PartKind>;
  return {
    ...kinds,
    lines: [
      ...chosen.map(({ name, found }) => line(name, found)),
      "Primacy's writer and watchers: the programs themselves, as they are shipped",
    ],
  };
}

export async function startPartConsul(parts: Parts): Promise<FleetConsul> {
  if (parts.consul === "stand-in") return await startConsulStandIn();
  const consul = await startConsul();
  return { address: consul.httpAddr, close: async () => consul.close() };
}

/** @param found undefined where none was looked for, and a text where none was found */
function line(name: PartName, found: FoundServer | string | undefined): string {
  const { title, variable } = PARTS[name];
  if (typeof found === "object") return `${title}: the real one, ${found.version}`;
  const hint = found === undefined ? "" : ` (${variable} names a real one)`;
  return `${title}: a stand-in that passes the same conformance suite${hint}`;
}
