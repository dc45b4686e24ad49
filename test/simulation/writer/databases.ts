import { type Server, sameServer } from "@primacy/contract";
import type { Host } from "../world/host.js";
import { SERVERS } from "../world/servers.js";

/** One of the database servers, as it is. */
export interface Database {
  readonly server: Server;
  alive: boolean;
  readOnly: boolean;
  source: Server | null;
}

/** The database servers. The first is the master to begin with. */
export class Databases {
  readonly list: readonly Database[] = SERVERS.map((server, place) => ({
    server,
    alive: true,
    readOnly: place !== 0,
    source: place === 0 ? null : SERVERS[0]!,
  }));

  of(server: Server): Database {
    return this.list.find((one) => sameServer(one.server, server))!;
  }

  /** The successor takes writes, and everybody else follows it; a dead server will when it comes back. */
  promote(successor: Server): void {
    for (const one of this.list) {
      const isMaster = sameServer(one.server, successor);
      one.readOnly = !isMaster;
      one.source = isMaster ? null : successor;
    }
  }

  /** The takeover is off: the outgoing master lives and stays the master. */
  giveBack(outgoing: Server): void {
    this.of(outgoing).alive = true;
    this.promote(outgoing);
  }
}

/** What Orchestrator saw of a server at its last check. */
export interface Check {
  readonly server: Server;
  readonly alive: boolean;
  readonly readOnly: boolean;
  readonly source: Server | null;
  /** By Orchestrator's wall clock. */
  readonly answeredAtMs: number;
}

/** Checks every server; of a dead one it repeats what it last saw. */
export function check(databases: Databases, before: readonly Check[], host: Host): readonly Check[] {
  return databases.list.map(({ server, alive, readOnly, source }, place) => {
    const last = before[place];
    if (!alive && last !== undefined) return { ...last, alive };
    return { server, alive, readOnly, source, answeredAtMs: host.wallNow() };
  });
}
