import { waitUntil } from "@primacy/testkit";
import { describe, expect, it } from "vitest";
import { failure, type Kind, type MySqlError } from "./proxysql.context.js";
import { READER, trafficContext, WRITER } from "./proxysql-traffic.context.js";

const LIMIT = { timeoutMs: 60_000, intervalMs: 50 };

/** How long a client has waited for a server, as it is told; milliseconds. */
const waited = ({ sqlMessage }: MySqlError) => Number(/ after (\d+)ms$/.exec(sqlMessage)?.[1]);

/** What clients of ProxySQL 2.7.1 see while servers are there and while they are not; seen on the real one. */
export function proxySqlClientsSuite(kind: Kind): void {
  const traffic = trafficContext(kind);
  const sessions = () => traffic.proxysql.admin("SELECT * FROM stats_mysql_processlist ORDER BY SessionID");

  describe("a login", () => {
    it.each([
      ["a wrong password", { user: "app", password: "wrong" }],
      ["an unknown user", { user: "nobody", password: "x" }],
    ])("with %s is refused in ProxySQL's own words", async (_what, account) => {
      expect(await failure(traffic.proxysql.connectClient(account))).toMatchObject({
        errno: 1045,
        sqlState: "28000",
        sqlMessage: `ProxySQL Error: Access denied for user '${account.user}'@'127.0.0.1' (using password: YES)`,
      });
    });

    it("works with a hashed password in mysql_users", async () => {
      const { proxysql } = traffic;
      const [hash] = await traffic.first.query("SELECT PASSWORD('app-password') AS hash");
      await proxysql.admin(
        `UPDATE mysql_users SET password='${String(hash?.["hash"])}' WHERE username='app'`,
      );
      await proxysql.admin("LOAD MYSQL USERS TO RUNTIME");
      expect(await (await traffic.client()).where()).toBe("first");
      await proxysql.admin("UPDATE mysql_users SET password='app-password' WHERE username='app'");
      await proxysql.admin("LOAD MYSQL USERS TO RUNTIME");
    });
  });

  describe("statements", () => {
    it("reach the server as they are, and its errors come back as they are", async () => {
      const client = await traffic.client();
      const [version] = await traffic.first.query("SELECT VERSION() AS v");
      expect(await client.rows("SELECT VERSION() AS v")).toEqual([{ v: version?.["v"] }]);
      expect(await failure(client.run("SELECT * FROM nosuch"))).toMatchObject({
        errno: 1146,
        sqlState: "42S02",
        sqlMessage: "Table 'app.nosuch' doesn't exist",
      });
    });

    it("may be prepared; another server prepares them again", async () => {
      const { connection } = await traffic.client();
      const ask = async () => (await connection.execute("SELECT name, ? AS p FROM whoami", [5]))[0];
      expect(await ask()).toEqual([{ name: "first", p: 5 }]);
      await traffic.leave("deleted");
      expect(await ask()).toEqual([{ name: "second", p: 5 }]);
    });

    it("outside of transactions: COMMIT, ROLLBACK and autocommit are answered without a server", async () => {
      const client = await traffic.client();
      await traffic.load();
      for (const sql of ["COMMIT", "ROLLBACK", "SET autocommit=0", "SET NAMES utf8mb4", "USE app"])
        await client.run(sql);
    });

    it("with autocommit off belong to a transaction", async () => {
      const client = await traffic.client();
      await client.run("SET autocommit=0");
      await client.run("INSERT INTO plain VALUES ('kept back')");
      expect(await traffic.first.query("SELECT * FROM app.plain")).toEqual([]);
      await client.run("COMMIT");
      expect(await traffic.first.query("SELECT * FROM app.plain")).toHaveLength(1);
    });

    it("that write are refused by a server that has become read-only, COMMIT too", async () => {
      const [inside, outside] = [await traffic.client(), await traffic.client()];
      await inside.run("BEGIN");
      await inside.run("INSERT INTO plain VALUES ('x')");
      await traffic.first.query("SET GLOBAL read_only=1");
      expect(await inside.ending("COMMIT")).toBe("1290");
      expect(await outside.ending("INSERT INTO plain VALUES ('y')")).toBe("1290");
    });

    it("go on after COM_CHANGE_USER, which frees the session", async () => {
      const client = await traffic.client();
      await client.run("SET @a = 1");
      await client.connection.changeUser({ user: "app", password: "app-password", database: "app" });
      await traffic.leave("deleted");
      expect(await client.where()).toBe("second");
    });
  });

  describe("query rules", () => {
    const rules = async () => {
      const { proxysql } = traffic;
      await traffic.load([WRITER, traffic.first], [READER, traffic.second]);
      await proxysql.admin(
        `INSERT INTO mysql_query_rules (rule_id, active, match_digest, destination_hostgroup, apply) VALUES (1, 1, '^SELECT.*FOR UPDATE', ${WRITER}, 1), (2, 1, '^SELECT', ${READER}, 1)`,
      );
      await proxysql.admin("LOAD MYSQL QUERY RULES TO RUNTIME");
      return traffic.client();
    };

    it("send reads to the readers, and FOR UPDATE and writes to the writer", async () => {
      const client = await rules();
      expect(await client.where()).toBe("second");
      expect(await client.rows("/* c */ select name from whoami")).toEqual([{ name: "second" }]);
      expect(await client.rows("SELECT name FROM whoami FOR UPDATE")).toEqual([{ name: "first" }]);
      await client.run("INSERT INTO plain SELECT 'written'");
      expect(await traffic.first.query("SELECT * FROM app.plain")).toHaveLength(1);
    });

    it("do not take a transaction apart", async () => {
      const client = await rules();
      await client.run("BEGIN");
      expect(await client.where()).toBe("first");
      await client.run("COMMIT");
      expect(await client.where()).toBe("second");
    });

    it("hide a connection that a session holds from stats_mysql_processlist", async () => {
      const client = await rules();
      expect(await sessions()).toMatchObject([{ hostgroup: "-1", srv_host: null, command: "Sleep" }]);
      await client.run("CREATE TEMPORARY TABLE kept (id INT)");
      expect(await sessions()).toMatchObject([
        { hostgroup: String(WRITER), srv_port: String(traffic.first.port) },
      ]);
      expect(await client.where()).toBe("second");
      expect(await sessions()).toMatchObject([
        { hostgroup: String(READER), srv_host: null, srv_port: null, command: "Sleep" },
      ]);
      expect(await traffic.pool(WRITER, traffic.first)).toMatchObject({ used: 1 });
    });

    it("can't send a session elsewhere that a SET has locked", async () => {
      const client = await rules();
      await client.run("SET @a = 1");
      expect(await failure(client.run("SELECT 1 FROM whoami"))).toMatchObject({
        errno: 9006,
        sqlMessage: `ProxySQL Error: connection is locked to hostgroup ${WRITER} but trying to reach hostgroup ${READER}`,
      });
    });
  });

  describe("a hostgroup without a server", () => {
    it("lets clients connect and wait, up to mysql-connect_timeout_server_max", async () => {
      await traffic.setVariable("mysql-connect_timeout_server_max", "1000");
      await traffic.load();
      const client = await traffic.client();
      const told = await failure(client.run("SELECT 1 FROM whoami"));
      expect(told).toMatchObject({
        errno: 9001,
        sqlState: "HY000",
        sqlMessage: expect.stringMatching(
          /^Max connect timeout reached while reaching hostgroup 10 after \d+ms$/,
        ) as string,
      });
      expect(waited(told)).toBeGreaterThanOrEqual(1000);
    });

    it("serves those who wait as soon as one comes", async () => {
      await traffic.load();
      const clients = [await traffic.client(), await traffic.client()];
      const waiting = clients.map((client) => client.where());
      await waitUntil(
        async () => (await sessions()).filter((row) => row["command"] !== "Sleep").length === 2,
        {
          ...LIMIT,
          what: "both to wait",
        },
      );
      await traffic.load([WRITER, traffic.second]);
      expect(await Promise.all(waiting)).toEqual(["second", "second"]);
    });

    it("is what max_num_online_servers makes of one with too many", async () => {
      await traffic.setVariable("mysql-connect_timeout_server_max", "1000");
      await traffic.proxysql.admin(
        `INSERT INTO mysql_hostgroup_attributes (hostgroup_id, max_num_online_servers) VALUES (${WRITER}, 1)`,
      );
      await traffic.load([WRITER, traffic.first], [WRITER, traffic.second]);
      const client = await traffic.client();
      expect(await client.ending("SELECT 1 FROM whoami")).toBe("9001");
      await traffic.setVariable("mysql-connect_timeout_server_max", "60000");
      await traffic.load([WRITER, traffic.second]);
      expect(await client.where()).toBe("second");
    });
  });

  describe("a fast_forward session", () => {
    const forward = () => traffic.client({ user: "forward", password: "forward-password" });

    it("has a connection of its own and is dropped some time after a LOAD that takes its server away", async () => {
      const client = await forward();
      expect(await client.where()).toBe("first");
      expect(await traffic.pool(WRITER, traffic.first)).toMatchObject({ used: 1 });
      await traffic.leave("deleted");
      const ending = await waitUntil(
        async () => {
          const ended = await client.ending("SELECT 1 FROM whoami");
          return ended === "done" ? undefined : ended;
        },
        { ...LIMIT, what: "the session to be dropped" },
      );
      expect(ending).toBe("closed without an error");
      expect(await (await forward()).where()).toBe("second");
    });

    it("waits for a server like others", async () => {
      await traffic.setVariable("mysql-connect_timeout_server_max", "1000");
      await traffic.load();
      const told = await failure((await forward()).run("SELECT 1"));
      expect(told.sqlMessage).toMatch(
        /^Max connect timeout reached while reaching hostgroup 10 for 'fast_forward' session after \d+ms$/,
      );
      expect(waited(told)).toBeGreaterThanOrEqual(1000);
    });
  });
}
