import { waitUntil } from "@primacy/testkit";
import { beforeEach, describe, expect, it } from "vitest";
import { adminContext, type Kind } from "./proxysql.context.js";

/** ProxySQL's layers: memory, runtime and disk, and what moves between them. */
export function proxySqlLayersSuite(kind: Kind): void {
  const admin = adminContext(kind);
  const { rows, write } = admin;
  const column = async (sql: string) => (await rows(sql)).map((row) => Object.values(row)[0]);
  const insert = async (hostgroup: number, name: string, status = "ONLINE") =>
    write(
      `INSERT INTO mysql_servers (hostgroup_id, hostname, status) VALUES (${hostgroup}, '${name}', '${status}')`,
    );
  const runtime = () => rows("SELECT hostgroup_id, hostname, status FROM runtime_mysql_servers");

  beforeEach(async () => {
    await write("DELETE FROM mysql_servers");
    await write("LOAD MYSQL SERVERS TO RUNTIME");
    await write("SAVE MYSQL SERVERS TO DISK");
  });

  describe("servers", () => {
    it("are in force after a LOAD and kept after a SAVE, all of them", async () => {
      await insert(10, "db1");
      expect(await runtime()).toEqual([]);
      await write("LOAD MYSQL SERVERS TO RUNTIME");
      expect(await runtime()).toEqual([{ hostgroup_id: "10", hostname: "db1", status: "ONLINE" }]);
      expect(await rows("SELECT * FROM disk.mysql_servers")).toEqual([]);
      await write("SAVE MYSQL SERVERS TO DISK");
      expect(await column("SELECT hostname FROM disk.mysql_servers")).toEqual(["db1"]);
    });

    it("come back from disk into memory only", async () => {
      await insert(10, "db1");
      await write("SAVE MYSQL SERVERS FROM MEMORY");
      await write("DELETE FROM mysql_servers");
      await write("LOAD MYSQL SERVERS FROM DISK");
      expect(await column("SELECT hostname FROM mysql_servers")).toEqual(["db1"]);
      expect(await runtime()).toEqual([]);
    });

    it("come back from runtime, and what was only in memory is gone", async () => {
      await insert(10, "db1");
      await write("LOAD MYSQL SERVERS TO RUNTIME");
      await insert(20, "db2");
      await write("SAVE MYSQL SERVERS FROM RUNTIME");
      expect(await column("SELECT hostname FROM mysql_servers")).toEqual(["db1"]);
    });

    it("that are OFFLINE_HARD and have no connection are absent from runtime", async () => {
      await insert(10, "db1", "offline_hard");
      await insert(10, "db2", "offline_soft");
      await write("LOAD MYSQL SERVERS TO RUNTIME");
      expect(await column("SELECT srv_host FROM stats_mysql_connection_pool")).toHaveLength(2);
      expect(await runtime()).toEqual([{ hostgroup_id: "10", hostname: "db2", status: "OFFLINE_SOFT" }]);
      expect(await column("SELECT srv_host FROM stats_mysql_connection_pool")).toEqual(["db2"]);
      await write("SAVE MYSQL SERVERS FROM RUNTIME");
      expect(await column("SELECT hostname FROM mysql_servers")).toEqual(["db2"]);
    });

    it("are shown as they are only when the name is written in lower case", async () => {
      await insert(10, "db1");
      await write("LOAD MYSQL SERVERS TO RUNTIME");
      await runtime();
      await write("DELETE FROM mysql_servers");
      await write("LOAD MYSQL SERVERS TO RUNTIME");
      expect(await rows("SELECT hostname FROM RUNTIME_MYSQL_SERVERS")).toEqual([{ hostname: "db1" }]);
      expect(await runtime()).toEqual([]);
    });

    it("set to SHUNNED by an administrator stay so; a LOAD of ONLINE brings them back", async () => {
      await insert(10, "db1", "SHUNNED");
      await write("LOAD MYSQL SERVERS TO RUNTIME");
      expect(await runtime()).toMatchObject([{ status: "SHUNNED" }]);
      await write("UPDATE mysql_servers SET status='ONLINE'");
      await write("LOAD MYSQL SERVERS TO RUNTIME");
      expect(await runtime()).toMatchObject([{ status: "ONLINE" }]);
    });

    it("travel with the tables around them in one LOAD", async () => {
      await write(
        "INSERT INTO mysql_replication_hostgroups (writer_hostgroup, reader_hostgroup) VALUES (10, 20), (20, 30)",
      );
      await write(
        "INSERT INTO mysql_hostgroup_attributes (hostgroup_id, max_num_online_servers) VALUES (10, 1)",
      );
      await write("LOAD MYSQL SERVERS TO RUNTIME");
      // A pair whose writers are another pair's readers is left out.
      expect(await column("SELECT writer_hostgroup FROM runtime_mysql_replication_hostgroups")).toEqual([
        "10",
      ]);
      expect(await column("SELECT max_num_online_servers FROM runtime_mysql_hostgroup_attributes")).toEqual([
        "1",
      ]);
      await write("DELETE FROM mysql_replication_hostgroups");
      await write("DELETE FROM mysql_hostgroup_attributes");
      await write("LOAD MYSQL SERVERS TO RUNTIME");
      expect(await rows("SELECT * FROM runtime_mysql_replication_hostgroups")).toEqual([]);
      for (const table of ["group_replication", "galera", "aws_aurora"])
        expect(await rows(`SELECT * FROM runtime_mysql_${table}_hostgroups`)).toEqual([]);
    });
  });

  describe("runtime_checksums_values", () => {
    const servers = async () => {
      const found = await rows(
        "SELECT * FROM runtime_checksums_values WHERE name LIKE 'mysql_servers%' ORDER BY name",
      );
      return found.map((row) => ({
        version: Number(row["version"]),
        checksum: row["checksum"],
        epoch: Number(row["epoch"]),
      }));
    };

    it("names the modules", async () => {
      expect(await column("SELECT name FROM runtime_checksums_values ORDER BY name")).toEqual([
        "admin_variables",
        "mysql_query_rules",
        "mysql_servers",
        "mysql_servers_v2",
        "mysql_users",
        "mysql_variables",
        "proxysql_servers",
      ]);
    });

    it("counts every LOAD, and its checksum is that of the rows", async () => {
      await insert(10, "db1");
      await write("LOAD MYSQL SERVERS TO RUNTIME");
      const [first, firstV2] = await servers();
      await write("LOAD MYSQL SERVERS TO RUNTIME");
      const [again, againV2] = await servers();
      expect(again).toMatchObject({ version: first!.version + 1, checksum: first!.checksum });
      expect(againV2).toMatchObject({ version: firstV2!.version + 1, checksum: firstV2!.checksum });
      await write("UPDATE mysql_servers SET comment = 'x'");
      expect((await servers())[0]).toEqual(again);
      await write("LOAD MYSQL SERVERS TO RUNTIME");
      const [other] = await servers();
      expect(other!.checksum).not.toBe(first!.checksum);
      await write("UPDATE mysql_servers SET comment = ''");
      await write("LOAD MYSQL SERVERS TO RUNTIME");
      expect((await servers())[0]!.checksum).toBe(first!.checksum);
    });

    it("says when the last LOAD was, whether or not it changed anything", async () => {
      await write("LOAD MYSQL SERVERS TO RUNTIME");
      const [before] = await servers();
      await waitUntil(
        async () => {
          await write("LOAD MYSQL SERVERS TO RUNTIME");
          return (await servers())[0]!.epoch > before!.epoch;
        },
        { timeoutMs: 60_000, intervalMs: 200, what: "the epoch to be the next second" },
      );
      expect((await servers())[0]!.checksum).toBe(before!.checksum);
    });

    it("does not count OFFLINE_HARD rows, and is zero without any", async () => {
      await insert(10, "db1", "OFFLINE_HARD");
      await write("LOAD MYSQL SERVERS TO RUNTIME");
      expect((await servers())[0]!.checksum).toBe("0x0000000000000000");
    });
  });

  describe("variables", () => {
    it("are taken back by a LOAD where the value is impossible, and deleted where nobody knows the name", async () => {
      await write("SET mysql-max_connections='abc'");
      await write("INSERT INTO global_variables VALUES ('mysql-nosuch', '1'), ('somebody-else', '1')");
      await write("LOAD MYSQL VARIABLES TO RUNTIME");
      expect(
        await column(
          "SELECT variable_value FROM global_variables WHERE variable_name='mysql-max_connections'",
        ),
      ).toEqual(["10000"]);
      expect(
        await column(
          "SELECT variable_name FROM global_variables WHERE variable_name IN ('mysql-nosuch', 'somebody-else')",
        ),
      ).toEqual(["somebody-else"]);
      expect(
        await rows("SELECT * FROM runtime_global_variables WHERE variable_name='somebody-else'"),
      ).toEqual([]);
      await write("DELETE FROM global_variables WHERE variable_name='somebody-else'");
    });

    it("are put in force by a LOAD, with true as 1 in memory", async () => {
      const inForce = () =>
        column(
          "SELECT variable_value FROM runtime_global_variables WHERE variable_name='mysql-query_retries_on_failure'",
        );
      await write("SET mysql-query_retries_on_failure=0");
      expect(await inForce()).toEqual(["1"]);
      await write("LOAD MYSQL VARIABLES TO RUNTIME");
      expect(await inForce()).toEqual(["0"]);
      await write("SET mysql-query_retries_on_failure=1");
      await write("LOAD MYSQL VARIABLES TO RUNTIME");
      await write("SET mysql-multiplexing=true");
      expect(
        await column("SELECT variable_value FROM global_variables WHERE variable_name='mysql-multiplexing'"),
      ).toEqual(["1"]);
    });

    it("come back when they are deleted in memory", async () => {
      await write("DELETE FROM global_variables WHERE variable_name='mysql-have_ssl'");
      expect(await rows("SELECT * FROM global_variables WHERE variable_name='mysql-have_ssl'")).toHaveLength(
        1,
      );
    });
  });

  it("users are shown once for each side", async () => {
    await write(
      "INSERT INTO mysql_users (username, password, default_hostgroup, fast_forward) VALUES ('a', 'x', 10, 1)",
    );
    await write("LOAD MYSQL USERS TO RUNTIME");
    expect(await rows("SELECT username, fast_forward, backend, frontend FROM runtime_mysql_users")).toEqual([
      { username: "a", fast_forward: "1", backend: "0", frontend: "1" },
      { username: "a", fast_forward: "1", backend: "1", frontend: "0" },
    ]);
    await write("DELETE FROM mysql_users");
    await write("LOAD MYSQL USERS TO RUNTIME");
  });

  it("counts LOADs in Servers_table_version", async () => {
    const version = async () =>
      Number(
        (
          await rows(
            "SELECT Variable_Value FROM stats_mysql_global WHERE Variable_Name='Servers_table_version'",
          )
        )[0]!["Variable_Value"],
      );
    const before = await version();
    await write("LOAD MYSQL SERVERS TO RUNTIME");
    expect(await version()).toBe(before + 1);
    const status = await rows("SHOW MYSQL STATUS");
    expect(status).toHaveLength(108);
    expect(status).toContainEqual({
      Variable_name: "Servers_table_version",
      Value: String(before + 1),
    });
  });
}
