import { type MariaDb, type ProxySql, startMariaDb, startProxySql, waitUntil } from "@primacy/testkit";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Kind } from "./proxysql.context.js";

const WRITER = 10;
const READER = 20;
const LIMIT = { timeoutMs: 60_000, intervalMs: 50 };

/** What the monitor of ProxySQL 2.7.1 does by itself; seen on the real one. It is what a watcher must not be up against. */
export function proxySqlMonitorSuite(kind: Kind): void {
  let proxysql: ProxySql;
  let first: MariaDb;
  let second: MariaDb;

  beforeAll(async () => {
    [first, second] = await Promise.all([startMariaDb({ serverId: 1 }), startMariaDb({ serverId: 2 })]);
    proxysql = await startProxySql({
      kind,
      variables: {
        "mysql-monitor_read_only_interval": "200",
        "mysql-monitor_ping_interval": "300",
        // A server that is dead refuses at once. A machine out of breath must not look like one.
        "mysql-monitor_ping_timeout": "30000",
        "mysql-monitor_read_only_timeout": "30000",
        "mysql-monitor_ping_max_failures": "2",
      },
    });
  });
  afterAll(async () => {
    await Promise.all([proxysql?.close(), first?.close(), second?.close()]);
  });

  type Place = readonly [number, MariaDb, string?];

  const rowOf = ([hostgroup, server, status = "ONLINE"]: Place): string =>
    `(${hostgroup}, '${server.host}', ${server.port}, '${status}', 'in ${hostgroup}')`;
  /** Servers in force, with the replication hostgroup or without. */
  const load = async (places: readonly Place[], monitored = true): Promise<void> => {
    await proxysql.admin("DELETE FROM mysql_servers");
    await proxysql.admin(
      `INSERT INTO mysql_servers (hostgroup_id, hostname, port, status, comment) VALUES ${places.map(rowOf).join(", ")}`,
    );
    await proxysql.admin("DELETE FROM mysql_replication_hostgroups");
    if (monitored)
      await proxysql.admin(
        `INSERT INTO mysql_replication_hostgroups (writer_hostgroup, reader_hostgroup) VALUES (${WRITER}, ${READER})`,
      );
    await proxysql.admin("LOAD MYSQL SERVERS TO RUNTIME");
  };
  /** "10:first=ONLINE …" as it is in force. */
  const inForce = async (): Promise<string> => {
    const rows = await proxysql.admin(
      "SELECT hostgroup_id, port, status FROM runtime_mysql_servers ORDER BY hostgroup_id, port",
    );
    return rows
      .map(({ hostgroup_id, port, status }) => `${hostgroup_id}:${nameOf(port)}=${status}`)
      .sort()
      .join(" ");
  };
  const nameOf = (port: string | null | undefined) => (port === String(first.port) ? "first" : "second");
  const becomes = (wanted: string) =>
    waitUntil(
      async () => {
        const now = await inForce();
        if (now !== wanted) throw new Error(now);
        return true;
      },
      { ...LIMIT, what: wanted },
    );
  /** Waits until the monitor has looked at both servers `times` more times. */
  const looked = async (times = 3): Promise<void> => {
    const counted = async (server: MariaDb) => {
      const [row] = await proxysql.admin(
        `SELECT COUNT(*) AS n FROM monitor.mysql_server_ping_log WHERE port=${server.port}`,
      );
      return Number(row?.["n"]);
    };
    const before = await Promise.all([counted(first), counted(second)]);
    await waitUntil(
      async () => {
        const now = await Promise.all([counted(first), counted(second)]);
        return now.every((count, index) => count >= before[index]! + times);
      },
      { ...LIMIT, what: "the monitor to look again" },
    );
  };
  const setVariable = async (name: string, value: string): Promise<void> => {
    await proxysql.admin(`SET ${name}='${value}'`);
    await proxysql.admin("LOAD MYSQL VARIABLES TO RUNTIME");
  };

  const newestPing = async (server: MariaDb) => {
    const [row] = await proxysql.admin(
      `SELECT ping_error AS error FROM monitor.mysql_server_ping_log WHERE port=${server.port} ORDER BY time_start_us DESC LIMIT 1`,
    );
    return row;
  };

  beforeEach(async () => {
    for (const server of [first, second]) await server.query("SELECT 1").catch(() => server.start());
    await first.query("SET GLOBAL read_only=0");
    await second.query("SET GLOBAL read_only=1");
    await setVariable("mysql-monitor_writer_is_also_reader", "false");
    // A server that was dead in the last test is shunned again until a ping has succeeded.
    for (const server of [first, second])
      await waitUntil(async () => ((await newestPing(server))?.["error"] ?? null) === null, {
        ...LIMIT,
        what: "the last ping to have succeeded",
      });
  });

  describe("with a row in mysql_replication_hostgroups", () => {
    it("puts a server with read_only=0 among the writers and takes it from the readers, in runtime only", async () => {
      await load([
        [READER, first],
        [READER, second],
      ]);
      await becomes("10:first=ONLINE 20:second=ONLINE");
      const memory = await proxysql.admin("SELECT DISTINCT hostgroup_id FROM mysql_servers");
      expect(memory).toEqual([{ hostgroup_id: String(READER) }]);
      const [row] = await proxysql.admin(
        `SELECT comment FROM runtime_mysql_servers WHERE hostgroup_id=${WRITER}`,
      );
      expect(row).toEqual({ comment: `in ${READER}` });
    });

    it("leaves it among the readers where mysql-monitor_writer_is_also_reader says so", async () => {
      await setVariable("mysql-monitor_writer_is_also_reader", "true");
      await load([
        [READER, first],
        [READER, second],
      ]);
      await becomes("10:first=ONLINE 20:first=ONLINE 20:second=ONLINE");
    });

    it("moves a writer that has become read-only to the readers, and leaves no writer", async () => {
      await load([
        [WRITER, first],
        [READER, second],
      ]);
      await becomes("10:first=ONLINE 20:second=ONLINE");
      await first.query("SET GLOBAL read_only=1");
      await becomes("20:first=ONLINE 20:second=ONLINE");
    });

    it("makes as many writers as there are servers with read_only=0", async () => {
      await load([
        [WRITER, first],
        [READER, second],
      ]);
      await second.query("SET GLOBAL read_only=0");
      await becomes("10:first=ONLINE 10:second=ONLINE");
    });

    it("resurrects a writer that an administrator made OFFLINE_HARD, if it is among the readers too", async () => {
      await load([
        [WRITER, first, "OFFLINE_HARD"],
        [READER, first],
        [READER, second],
      ]);
      await becomes("10:first=ONLINE 20:second=ONLINE");
      const memory = await proxysql.admin(`SELECT status FROM mysql_servers WHERE hostgroup_id=${WRITER}`);
      expect(memory).toEqual([{ status: "OFFLINE_HARD" }]);
    });

    it("leaves a writer alone that is OFFLINE_SOFT, or in no other hostgroup and OFFLINE_HARD", async () => {
      await load([
        [WRITER, first, "OFFLINE_SOFT"],
        [READER, second],
      ]);
      await looked();
      expect(await inForce()).toBe("10:first=OFFLINE_SOFT 20:second=ONLINE");
    });

    it("is undone by a LOAD of what is in memory, and does it again", async () => {
      await load([
        [READER, first],
        [READER, second],
      ]);
      await becomes("10:first=ONLINE 20:second=ONLINE");
      await proxysql.admin("LOAD MYSQL SERVERS TO RUNTIME");
      await becomes("10:first=ONLINE 20:second=ONLINE");
    });

    it("changes the checksum of mysql_servers, and neither a version nor Servers_table_version", async () => {
      const state = async () => {
        const rows = await proxysql.admin(
          "SELECT name, version, checksum FROM runtime_checksums_values WHERE name LIKE 'mysql_servers%' ORDER BY name",
        );
        const [version] = await proxysql.admin(
          "SELECT Variable_Value AS value FROM stats_mysql_global WHERE Variable_Name='Servers_table_version'",
        );
        return { servers: rows[0]!, v2: rows[1]!, table: version?.["value"] };
      };
      await load([
        [WRITER, first],
        [READER, second],
      ]);
      await becomes("10:first=ONLINE 20:second=ONLINE");
      const before = await state();
      await second.query("SET GLOBAL read_only=0");
      await becomes("10:first=ONLINE 10:second=ONLINE");
      const after = await state();
      expect(after.servers["checksum"]).not.toBe(before.servers["checksum"]);
      expect(after.servers["version"]).toBe(before.servers["version"]);
      expect({ v2: after.v2, table: after.table }).toEqual({ v2: before.v2, table: before.table });
    });

    it("does nothing about a server that can't be reached", async () => {
      await load([
        [WRITER, first],
        [READER, second],
      ]);
      await first.kill9();
      await looked();
      expect(await inForce()).toMatch(/^10:first=(ONLINE|SHUNNED) 20:second=ONLINE$/);
    });
  });

  describe("without one", () => {
    it("moves nothing, whatever read_only says", async () => {
      await load(
        [
          [WRITER, second],
          [READER, first],
        ],
        false,
      );
      await looked();
      expect(await inForce()).toBe("10:second=ONLINE 20:first=ONLINE");
    });

    it("moves nothing either while mysql-monitor_enabled is false", async () => {
      await setVariable("mysql-monitor_enabled", "false");
      await load([
        [WRITER, second],
        [READER, first],
      ]);
      await setVariable("mysql-monitor_enabled", "true");
      await becomes("10:first=ONLINE 20:second=ONLINE");
    });

    it("shuns a server that does not answer its pings, and writes down each ping", async () => {
      await load(
        [
          [WRITER, first],
          [READER, second],
        ],
        false,
      );
      await waitUntil(async () => (await newestPing(first))?.["error"] === null, {
        ...LIMIT,
        what: "a ping to succeed",
      });
      await first.kill9();
      await becomes("10:first=SHUNNED 20:second=ONLINE");
      expect((await newestPing(first))?.["error"]).toMatch(/Can't connect|Lost connection|timeout/i);
      const [stats] = await proxysql.admin(
        "SELECT Variable_Value AS value FROM stats_mysql_global WHERE Variable_Name='MySQL_Monitor_ping_check_ERR'",
      );
      expect(Number(stats?.["value"])).toBeGreaterThan(0);
      // Nobody has asked for the hostgroup since, so it stays so when the server is back.
      await first.start();
      await looked();
      expect(await inForce()).toBe("10:first=SHUNNED 20:second=ONLINE");
    });

    it("pings every server that has a row which is not OFFLINE_HARD", async () => {
      await load(
        [
          [WRITER, first, "OFFLINE_SOFT"],
          [READER, second],
        ],
        false,
      );
      await looked(1);
    });
  });
}
