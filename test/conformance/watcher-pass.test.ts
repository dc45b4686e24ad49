import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ProxySql, findServer, proxySqlAccounts, startProxySql } from "@primacy/testkit";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Documents } from "../../packages/watcher/src/decide.js";
import { type PassContext, pass } from "../../packages/watcher/src/pass.js";
import { Admin } from "../../packages/watcher/src/proxysql/admin.js";
import { Proxy } from "../../packages/watcher/src/proxysql/proxy.js";
import { StateFile } from "../../packages/watcher/src/state-file.js";
import { db1, layoutOf, momentOf, recordOf } from "../../packages/watcher/test/samples.js";

const kind = typeof findServer("proxysql") === "string" ? "stand-in" : "real";

const DOCUMENTS: Documents = {
  record: recordOf({ master: db1 }),
  hash: "sha256:1",
  layout: layoutOf(),
  members: null,
  membersProblem: null,
};

let folder = "";
let proxysql: ProxySql;
let admin: Admin;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "primacy-pass-"));
  proxysql = await startProxySql({ kind });
  const { host, adminPort: port } = proxysql;
  admin = new Admin({
    host,
    port,
    ...proxySqlAccounts.admin,
    tls: false,
    socketPath: null,
    timeoutMs: 30_000,
  });
});
afterEach(async () => {
  admin.close();
  await proxysql.close();
  await rm(folder, { recursive: true, force: true });
});

/** A watcher's pass as it is made after a start: with a state file in this directory. */
async function contextOf(stateDirectory: string): Promise<PassContext> {
  return {
    cluster: "main",
    proxy: new Proxy(admin),
    state: await StateFile.open(stateDirectory, "proxy1"),
    moment: () => momentOf(),
    monotonicNow: () => performance.now(),
    seenAtMs: null,
  };
}

describe("the mark in the watcher's own file", () => {
  test("is tried again until the disk takes it, and said as long as it doesn't", async () => {
    const directory = join(folder, "state");
    const context = await contextOf(directory);
    await rm(directory, { recursive: true });
    for (const full of [true, false]) {
      const outcome = await pass(DOCUMENTS, context, full);
      expect(outcome).toMatchObject({
        kind: "applied",
        notDurable: expect.stringContaining("the mark is not on our disk"),
      });
    }
    await mkdir(directory);
    expect(await pass(DOCUMENTS, context, false)).toMatchObject({ kind: "applied", notDurable: null });
    expect((await StateFile.open(directory, "proxy1")).mark("main")?.generation).toBe(
      DOCUMENTS.record.generation,
    );
  });

  test("is written anew from the stamp's word where the file was lost, so that there are two memories again", async () => {
    expect(await pass(DOCUMENTS, await contextOf(join(folder, "first")), true)).toMatchObject({
      kind: "applied",
    });
    const second = join(folder, "second");
    expect(await pass(DOCUMENTS, await contextOf(second), true)).toMatchObject({
      kind: "applied",
      isNew: false,
    });
    expect((await StateFile.open(second, "proxy1")).mark("main")?.generation).toBe(
      DOCUMENTS.record.generation,
    );
  });
});

test("a master that somebody has shunned by its row takes writes again: no monitor would ever let it", async () => {
  const context = await contextOf(join(folder, "state"));
  expect(await pass(DOCUMENTS, context, true)).toMatchObject({ kind: "applied" });
  await proxysql.admin("UPDATE mysql_servers SET status='SHUNNED' WHERE hostgroup_id=10 AND hostname='db1'");
  await proxysql.admin("LOAD MYSQL SERVERS TO RUNTIME");
  const status = async (): Promise<unknown> =>
    await proxysql.admin("SELECT hostname, status FROM runtime_mysql_servers WHERE hostgroup_id=10");
  expect(await status()).toEqual([{ hostname: "db1", status: "SHUNNED" }]);
  expect(await pass(DOCUMENTS, context, true)).toMatchObject({ kind: "applied" });
  expect(await status()).toEqual([{ hostname: "db1", status: "ONLINE" }]);
});
