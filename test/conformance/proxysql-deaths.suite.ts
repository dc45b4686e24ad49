import { waitUntil } from "@primacy/testkit";
import { describe, expect, it } from "vitest";
import type { Kind } from "./proxysql.context.js";
import { trafficContext, WRITER } from "./proxysql-traffic.context.js";

const LIMIT = { timeoutMs: 60_000, intervalMs: 50 };

/** What clients of ProxySQL 2.7.1 see when their session is killed or their server dies; seen on the real one. */
export function proxySqlDeathsSuite(kind: Kind): void {
  const traffic = trafficContext(kind);
  const sessions = () => traffic.proxysql.admin("SELECT * FROM stats_mysql_processlist ORDER BY SessionID");

  it("KILL CONNECTION ends sessions, and a running statement on its server", async () => {
    const [idle, bound, running] = [await traffic.client(), await traffic.client(), await traffic.client()];
    await idle.where();
    await bound.run("SET @a = 1");
    const ending = running.ending("SELECT SLEEP(30) FROM whoami");
    await traffic.running(traffic.first, "SLEEP");
    const row = (await sessions()).find((found) => found["info"]?.includes("SLEEP"));
    expect(row).toMatchObject({
      user: "app",
      db: "app",
      hostgroup: "10",
      command: "Query",
      info: "SELECT SLEEP(30) FROM whoami",
      srv_host: traffic.first.host,
      srv_port: String(traffic.first.port),
    });
    for (const { SessionID } of await sessions())
      await traffic.proxysql.admin(`KILL CONNECTION ${SessionID}`);
    expect(await ending).toBe("closed without an error");
    for (const client of [idle, bound]) expect(await client.ending("SELECT 1")).not.toBe("done");
    await waitUntil(async () => (await sessions()).length === 0, { ...LIMIT, what: "nobody to be left" });
    const sleeping = "SELECT 1 FROM information_schema.PROCESSLIST WHERE INFO LIKE 'SELECT SLEEP(30)%'";
    await waitUntil(async () => (await traffic.first.query(sleeping)).length === 0, {
      ...LIMIT,
      what: "no SLEEP",
    });
  });

  describe("a server that dies", () => {
    it("takes the bound clients with it at once; the others wait and go to the next one", async () => {
      const [free, bound, transaction] = [
        await traffic.client(),
        await traffic.client(),
        await traffic.client(),
      ];
      await free.where();
      await bound.run("SET @a = 1");
      await transaction.run("BEGIN");
      await traffic.lock();
      const running = transaction.ending("SELECT * FROM whoami FOR UPDATE");
      const rerun = (await traffic.client()).rows("SELECT name FROM whoami FOR UPDATE");
      await traffic.running(traffic.first, "FOR UPDATE", 2);
      await traffic.first.kill9();
      expect(await running).toBe("closed without an error");
      expect(await bound.ending("SELECT 1")).not.toBe("done");
      const waiting = free.where();
      await waitUntil(async () => (await traffic.pool(WRITER, traffic.first))?.status === "SHUNNED", {
        ...LIMIT,
        what: "the dead server to be shunned",
      });
      await traffic.leave("deleted");
      expect(await waiting).toBe("second");
      expect(await rerun).toEqual([{ name: "second" }]);
    });

    it("stays SHUNNED until somebody asks for it, or a LOAD says ONLINE again", async () => {
      const client = await traffic.client();
      await traffic.first.kill9();
      const waiting = client.where();
      await waitUntil(async () => (await traffic.pool(WRITER, traffic.first))?.status === "SHUNNED", {
        ...LIMIT,
        what: "the dead server to be shunned",
      });
      expect(await traffic.proxysql.admin("SELECT status FROM mysql_servers")).toEqual([
        { status: "ONLINE" },
      ]);
      await traffic.proxysql.admin("SAVE MYSQL SERVERS FROM RUNTIME");
      expect(await traffic.proxysql.admin("SELECT status FROM mysql_servers")).toEqual([
        { status: "ONLINE" },
      ]);
      await traffic.first.start();
      await traffic.proxysql.admin("LOAD MYSQL SERVERS TO RUNTIME");
      expect(await waiting).toBe("first");
      expect(await traffic.pool(WRITER, traffic.first)).toMatchObject({ status: "ONLINE" });
    });

    it("makes a statement that was running wait without a limit, whatever mysql-connect_timeout_server_max says", async () => {
      await traffic.setVariable("mysql-connect_timeout_server_max", "500");
      const [running, later] = [await traffic.client(), await traffic.client()];
      await traffic.lock();
      const rerun = running.rows("SELECT name FROM whoami FOR UPDATE");
      await traffic.running(traffic.first, "FOR UPDATE");
      await traffic.first.kill9();
      // ProxySQL must have seen the broken connection before the layout changes: after that there is a limit.
      await waitUntil(async () => (await traffic.pool(WRITER, traffic.first))?.status === "SHUNNED", {
        ...LIMIT,
        what: "the dead server to be shunned",
      });
      await traffic.load();
      // Whoever comes later gives up several times meanwhile.
      for (let turn = 0; turn < 3; turn++) expect(await later.ending("SELECT 1 FROM whoami")).toBe("9001");
      await traffic.load([WRITER, traffic.second]);
      expect(await rerun).toEqual([{ name: "second" }]);
    });
  });
}
