import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type MySql, accounts, serverForTests, startMariaDb, startMySql, waitUntil } from "@primacy/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connectMySql } from "../../packages/writer/src/database/mysql-client.js";
import type { DatabaseAccount } from "../../packages/writer/src/database/session.js";
import { oldMasterSuite } from "./old-master.suite.js";

const mariadb = serverForTests("mariadb", "the old master's fence on a real MariaDB");
const mysql = serverForTests("mysql", "the old master's fence on a real MySQL, with GTIDs and without");

describe.skipIf(!mariadb)("on the old master itself: MariaDB", () => {
  oldMasterSuite({
    heading: "MariaDB 10.5 and later",
    start: startMariaDb,
    administrator: "ALL PRIVILEGES",
    superReadOnly: false,
    // Not by slave_pos: what it wrote itself as a master is not in its gtid_slave_pos, and never will be.
    rejoin: async (former, master) => {
      const { user, password } = accounts.repl;
      await former.query(
        `CHANGE MASTER TO MASTER_HOST='${master.host}', MASTER_PORT=${master.port}, MASTER_USER='${user}', ` +
          `MASTER_PASSWORD='${password}', MASTER_USE_GTID=current_pos`,
      );
      await former.query("START SLAVE");
      await waitUntil(async () => (await former.replicaStatus())?.["Slave_IO_Running"] === "Yes", {
        timeoutMs: 60_000,
        what: "the former master to replicate",
      });
    },
  });
});

describe.skipIf(!mysql)("on the old master itself: MySQL", () => {
  oldMasterSuite({
    heading: "MySQL 8.0 and later",
    start: startMySql,
    administrator: "ALL",
    superReadOnly: true,
    rejoin: async (former, master) => former.replicateFrom(master),
  });
});

describe.skipIf(!mysql)("on the old master itself: MySQL without GTIDs, by file and position", () => {
  oldMasterSuite({
    heading: "MySQL 8.0 and later",
    start: (options) =>
      startMySql({ ...options, extra: ["--gtid-mode=OFF", "--enforce-gtid-consistency=OFF"] }),
    administrator: "ALL",
    superReadOnly: true,
    rejoin: async (former, master) => former.replicateFrom(master),
  });
});

describe.skipIf(!mysql)("the way to a MySQL", () => {
  let server: MySql;

  beforeAll(async () => {
    server = await startMySql({ serverId: 1, extra: ["--tls-version=TLSv1.2,TLSv1.3"] });
  });
  afterAll(async () => {
    await server?.close();
  });

  const login = async (tls: DatabaseAccount["tls"], ca?: string) => {
    const session = await connectMySql(server, { ...accounts.root, tls, ca }, 30_000);
    const [row] = await session.query("SHOW STATUS LIKE 'Ssl_cipher'", 30_000);
    session.close();
    return row?.["Value"];
  };

  it("is in the clear only where that is chosen", async () => {
    expect(await login("off")).toBe("");
    expect(await login("required")).toMatch(/^TLS_|-/);
  });

  it("with verification, a certificate that nobody vouches for, or for another host, is refused", async () => {
    await expect(login("verify")).rejects.toMatchObject({ code: "unreachable" });
    // By MySQL's own CA, for a name that no host has ("MySQL_Server_…_Auto_Generated_Server_Certificate").
    const ca = readFileSync(join(server.dataDir, "ca.pem"), "utf8");
    await expect(login("verify", ca)).rejects.toMatchObject({ code: "unreachable" });
  });
});
