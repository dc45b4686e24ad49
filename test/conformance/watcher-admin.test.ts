import { type ProxySql, findServer, proxySqlAccounts, startProxySql, waitUntil } from "@primacy/testkit";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Admin } from "../../packages/watcher/src/proxysql/admin.js";

describe("the watcher's connection to an admin port that hangs", () => {
  const kind = typeof findServer("proxysql") === "string" ? "stand-in" : "real";
  let proxysql: ProxySql;
  let admin: Admin;

  beforeAll(async () => {
    proxysql = await startProxySql({ kind });
    const { host, adminPort: port } = proxysql;
    const login = { ...proxySqlAccounts.admin, tls: false, socketPath: null };
    admin = new Admin({ host, port, ...login, timeoutMs: 2000 });
  });
  afterAll(async () => {
    admin?.close();
    await proxysql?.close();
  });

  /** On a slow machine an answer may come too late, but not for ever. */
  const answers = () =>
    waitUntil(async () => (await admin.rows("SELECT 1 AS one")).length === 1, {
      timeoutMs: 60_000,
      what: "an answer",
    });

  test("whoever waits behind a statement that timed out has an end too, and what comes later is answered", async () => {
    await answers();
    proxysql.suspend();
    const first = admin.rows("SELECT 1 AS one");
    const behind = admin.rows("SELECT 2 AS two").then(
      (rows) => rows.length,
      (error: unknown) => (error as { code?: string }).code,
    );
    await expect(first).rejects.toMatchObject({ code: "PROXYSQL_TIMEOUT" });
    proxysql.resume();
    // On a new connection; on a very slow machine it may have been too late for that one.
    expect([1, "PROXYSQL_TIMEOUT"]).toContain(await behind);
    await answers();
  });
});
