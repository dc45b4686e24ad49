import { type MariaDb, type Row, waitUntil } from "@primacy/testkit";

/** How both threads of a replica are where all is well. */
export const RUNS = { Slave_IO_Running: "Yes", Slave_SQL_Running: "Yes" };

/** A row for `notes`, but for its id. */
export const INSERT = "INSERT INTO app.notes (id) VALUES";

export async function positions(server: MariaDb): Promise<Row> {
  const [row] = await server.query(
    "SELECT @@global.gtid_binlog_pos AS binlog, @@global.gtid_slave_pos AS slave, @@gtid_current_pos AS current",
  );
  return row ?? {};
}

/** The ids in a server's `notes`. */
export async function notes(server: MariaDb): Promise<unknown[]> {
  return (await server.query("SELECT id FROM app.notes ORDER BY id")).map((row) => row["id"]);
}

/** Waits until SHOW SLAVE STATUS has these values. */
export async function status(server: MariaDb, wanted: Row): Promise<Row> {
  return waitUntil(
    async () => {
      const row = await server.replicaStatus();
      const differs = Object.entries(wanted).some(([name, value]) => row?.[name] !== value);
      if (row === undefined || differs) throw new Error(JSON.stringify(row));
      return row;
    },
    { timeoutMs: 60_000, what: `${server.address} to be ${JSON.stringify(wanted)}` },
  );
}
