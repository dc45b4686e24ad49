import type { MariaDb } from "../servers/mariadb.js";
import type { LoadReport } from "./journal.js";
import { judgeTables, type OracleVerdict, type StoredTable } from "./verdict.js";

/** What to judge. Every server must be up: what lies on one that can't be asked is not known. */
export interface OracleInput {
  load: LoadReport;
  servers: readonly MariaDb[];
  finalMaster: MariaDb;
  /** When the last switch to the final master was decided. Milliseconds since 1970, by a clock that the servers share. */
  switchedAtMs: number;
}

/** Reads the load's table from every server itself, past all proxies, and counts. @throws when a server does not answer */
export async function judge(input: OracleInput): Promise<OracleVerdict> {
  const tables = await Promise.all(input.servers.map(readTable));
  const { load, switchedAtMs } = input;
  return judgeTables({ load, tables, finalMaster: input.finalMaster.serverId, switchedAtMs });
}

async function readTable(server: MariaDb): Promise<StoredTable> {
  const rows = await server.query(
    "SELECT id, server_id, CAST(UNIX_TIMESTAMP(at) * 1000 AS UNSIGNED) AS at_ms FROM app.load_rows",
  );
  return {
    serverId: server.serverId,
    rows: rows.map((row) => ({
      id: Number(row["id"]),
      executedBy: Number(row["server_id"]),
      atMs: Number(row["at_ms"]),
    })),
  };
}
