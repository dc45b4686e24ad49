import { type MySql, accounts, serverForTests, startMySql, waitUntil } from "@primacy/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const mysql = serverForTests("mysql", "MySQL replication, logins and super_read_only");

describe.skipIf(!mysql)("MySQL as the tests use it", () => {
  let master: MySql;
  let replica: MySql;

  beforeAll(async () => {
    [master, replica] = await Promise.all([
      startMySql({ serverId: 1 }),
      startMySql({ serverId: 2, readOnly: true }),
    ]);
    await replica.replicateFrom(master);
    await master.query("CREATE TABLE app.notes (id INT AUTO_INCREMENT PRIMARY KEY, note VARCHAR(40))");
  });

  afterAll(async () => {
    await Promise.all([master?.close(), replica?.close()]);
  });

  it("lets accounts in by caching_sha2_password, without TLS too", async () => {
    expect(await master.query("SELECT plugin FROM mysql.user WHERE user='app'")).toEqual([
      { plugin: "caching_sha2_password" },
    ]);
    const app = await master.connect();
    await app.query("INSERT INTO notes (note) VALUES ('by the application')");
    await app.end();
  });

  it("replicates by GTID", async () => {
    await master.query("INSERT INTO app.notes (note) VALUES ('replicated')");
    await waitUntil(
      async () =>
        (await replica.query("SELECT note FROM app.notes")).some((row) => row["note"] === "replicated"),
      { timeoutMs: 60_000, what: "the row on the replica" },
    );
    expect(await replica.replicaStatus()).toMatchObject({ Auto_Position: 1, Source_Port: master.port });
  });

  it("refuses everybody's writes under super_read_only, and read_only=0 takes both back", async () => {
    await replica.query("SET GLOBAL super_read_only=1");
    await expect(replica.query("CREATE TABLE app.no (id INT)")).rejects.toMatchObject({ errno: 1290 });
    await replica.query("SET GLOBAL read_only=0");
    expect(await replica.query("SELECT @@super_read_only AS superReadOnly")).toEqual([{ superReadOnly: 0 }]);
    await replica.query("SET GLOBAL read_only=1");
    const orchestrator = await replica.connect(accounts.orchestrator, "");
    await orchestrator.end();
  });
});
