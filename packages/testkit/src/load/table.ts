import type { MariaDb } from "../servers/mariadb.js";

/**
 * What the load writes into. `server_id` is that of the server that executed the statement: the binary log is row-based, so
 * replicas store the value and do not compute it again. Ids are no unique key, so that a row which a proxy has sent twice
 * can be there twice; and nothing is auto-increment, which would bind a session to its server for a while (ProxySQL
 * 2.7.1, mysql-auto_increment_delay_multiplex).
 */
const TABLE = `CREATE TABLE IF NOT EXISTS app.load_rows (
  id BIGINT UNSIGNED NOT NULL,
  proxy VARCHAR(64) NOT NULL,
  client VARCHAR(64) NOT NULL,
  kind VARCHAR(16) NOT NULL,
  server_id INT UNSIGNED NOT NULL DEFAULT (@@server_id),
  at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
  KEY (id)
) ENGINE=InnoDB`;

/** Says who answers without an "@" in the query: ProxySQL 2.7.1 binds a session to its server for one. */
const FUNCTION = `CREATE OR REPLACE FUNCTION app.answered_by() RETURNS INT UNSIGNED NO SQL RETURN @@server_id`;

export const READ_QUERY = "SELECT app.answered_by() AS server_id";

/** Makes the load's table and function on the master; its replicas get them from there. */
export async function createLoadTable(master: MariaDb): Promise<void> {
  await master.query(TABLE);
  await master.query(FUNCTION);
}

/** @param text a proxy's or client's name, taken as it is but for what would end the literal */
export function insertRow(id: number, proxy: string, client: string, kind: string): string {
  const literals = [proxy, client, kind].map((text) => `'${text.replace(/[^\w.:-]/g, "_")}'`);
  return `INSERT INTO app.load_rows (id, proxy, client, kind) VALUES (${id}, ${literals.join(", ")})`;
}
