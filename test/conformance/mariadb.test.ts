import { accounts, type MariaDb, serverForTests, startMariaDb } from "@primacy/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const mariadb = serverForTests("mariadb", "MariaDB replication and read_only");

describe.skipIf(!mariadb)("MariaDB as the tests use it", () => {
  let master: MariaDb;
  let replica: MariaDb;

  beforeAll(async () => {
    [master, replica] = await Promise.all([
      startMariaDb({ serverId: 1 }),
      startMariaDb({ serverId: 2, readOnly: true }),
    ]);
    await replica.replicateFrom(master);
    await master.query("CREATE TABLE app.rows (id INT AUTO_INCREMENT PRIMARY KEY, note VARCHAR(40))");
  });

  afterAll(async () => {
    await Promise.all([master?.close(), replica?.close()]);
  });

  const written = async (server: MariaDb) =>
    (await server.query("SELECT note FROM app.rows ORDER BY id")).map((row) => row["note"]);

  it("replicates by GTID", async () => {
    await master.query("INSERT INTO app.rows (note) VALUES ('replicated')");
    await replica.catchUpWith(master);
    expect(await written(replica)).toContain("replicated");
    expect(await replica.replicaStatus()).toMatchObject({
      Using_Gtid: "Slave_Pos",
      Master_Port: master.port,
    });
  });

  it("refuses an application's write where read_only is on, and takes root's", async () => {
    const app = await replica.connect();
    await expect(app.query("INSERT INTO app.rows (note) VALUES ('no')")).rejects.toMatchObject({
      errno: 1290,
    });
    await app.end();
    const orchestrator = await replica.connect(accounts.orchestrator);
    await orchestrator.query("SET GLOBAL read_only=1");
    await orchestrator.end();
  });

  it("keeps what it acknowledged through kill -9 and comes back with the configured read_only", async () => {
    await master.query("INSERT INTO app.rows (note) VALUES ('before the crash')");
    await master.query("SET GLOBAL read_only=1");
    await master.kill9();
    await expect(master.query("SELECT 1")).rejects.toMatchObject({ code: "ECONNREFUSED" });
    await master.restart();
    expect(await written(master)).toContain("before the crash");
    expect(await master.query("SELECT @@read_only AS readOnly")).toEqual([{ readOnly: 0 }]);
    await master.restart({ readOnly: true });
    expect(await master.query("SELECT @@read_only AS readOnly")).toEqual([{ readOnly: 1 }]);
    await master.restart();
  });

  it("hangs while it is suspended and answers afterwards", async () => {
    const app = await master.connect();
    master.suspend();
    await expect(app.query({ sql: "SELECT 1", timeout: 300 })).rejects.toMatchObject({
      code: "PROTOCOL_SEQUENCE_TIMEOUT",
    });
    master.resume();
    app.destroy();
    expect(await master.query("SELECT 1 AS one")).toEqual([{ one: 1 }]);
  });

  it("turns round: the former master replicates from its replica with its own writes counted", async () => {
    await master.query("INSERT INTO app.rows (note) VALUES ('last of the old master')");
    await replica.replicateFrom(master);
    await replica.catchUpWith(master);
    await replica.query("STOP SLAVE");
    await replica.query("RESET SLAVE ALL");
    await replica.query("SET GLOBAL read_only=0");
    await replica.query("INSERT INTO app.rows (note) VALUES ('first of the new master')");
    await master.replicateFrom(replica);
    await master.catchUpWith(replica);
    expect(await written(master)).toEqual(await written(replica));
    expect(await written(master)).toContain("first of the new master");
  });
});
