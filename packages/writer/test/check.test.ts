import type { HistoryEntry } from "@primacy/consul-store";
import type { MasterRecord, OldMasterProof } from "@primacy/contract";
import { describe, expect, test } from "vitest";
import { db1, db2, layoutOf, recordOf } from "../../contract/test/samples.js";
import { guaranteesOf } from "../src/check/guarantees.js";
import { lastTakeoverFindings } from "../src/check/last-takeover.js";
import { missingPrivileges, readGrants } from "../src/check/privileges.js";
import { type ServerLook, serverFindings } from "../src/check/servers.js";
import { dialectOf } from "../src/database/dialect.js";

const choice = { stops: false, hasAccount: true };

describe("what a cluster's policies promise", () => {
  const text = (layout: Record<string, unknown>, changes: Partial<typeof choice> = {}) =>
    guaranteesOf(layoutOf(layout), { ...choice, ...changes }).join("\n");

  test("keep says who may go on writing; lease says by when nobody does", () => {
    expect(text({})).toMatch(/One that can't may go on writing to it \(onConsulLoss: keep\)/);
    const lease = text({ onConsulLoss: "lease", leaseSeconds: 8 });
    expect(lease).toMatch(/has stopped 10\.1 s after the fence at the latest/);
    expect(lease).not.toMatch(/may go on writing/);
  });

  test("stop, who opens, and the account each have their sentence", () => {
    expect(text({})).toMatch(/does not stop a failover/);
    expect(text({}, { stops: true })).toMatch(/Without a fence there is no failover/);
    expect(text({})).toMatch(/before any Post hook/);
    expect(text({ openedBy: "primacy" })).toMatch(/stays read-only until the fence stands/);
    expect(text({}, { hasAccount: false })).toMatch(/may still commit \(no databaseUser here\)/);
  });
});

describe("what the last takeover tells of the hooks", () => {
  const proof = { readOnly: true, killed: 3, left: 0, caughtUp: true, tookMs: 100 };
  const cause = (kind: MasterRecord["cause"]["kind"]) => ({
    ...recordOf().cause,
    kind,
    rule: "open-new-master" as const,
  });
  const opened = (changes: Partial<MasterRecord> = {}) =>
    recordOf({ generation: 9, master: db2, previous: db1, cause: cause("dead-master"), ...changes });
  const fenced = recordOf({ generation: 8, phase: "fenced" });
  const found = (...records: readonly MasterRecord[]) =>
    lastTakeoverFindings(
      records.map((value): HistoryEntry => ({
        generation: value.generation,
        document: { kind: "valid", value, text: "" },
      })),
    ).map(({ check }) => check);

  test("none yet: nobody can tell", () => {
    expect(found(recordOf())).toEqual(["no-takeover-seen"]);
    // An operator's own word says nothing of hooks.
    expect(found(recordOf(), opened({ cause: { ...cause("operator"), rule: "set-by-operator" } }))).toEqual([
      "no-takeover-seen",
    ]);
  });

  test("a fence right before it: all is well", () => {
    expect(found(fenced, opened())).toEqual([]);
    expect(found(fenced, opened({ oldMaster: proof }))).toEqual([]);
  });

  test("no fence right before it: the Pre hooks did not come", () => {
    expect(found(recordOf({ generation: 8 }), opened())).toEqual(["opened-without-fence"]);
    expect(found(recordOf({ generation: 8, phase: "draining" }), opened())).toEqual(["opened-without-fence"]);
  });

  test("only the last one counts, and a pruned one before it tells nothing", () => {
    const late = opened({ generation: 11 });
    expect(found(recordOf({ generation: 8 }), opened(), { ...fenced, generation: 10 }, late)).toEqual([]);
    expect(found(late)).toEqual([]);
  });

  test.each<[string, Partial<OldMasterProof>]>([
    ["still writable", { readOnly: false }],
    ["with connections left", { left: 2 }],
    ["ahead of its successor", { caughtUp: false }],
  ])("an old master that was %s", (_what, changes) => {
    expect(found(fenced, opened({ oldMaster: { ...proof, ...changes } }))).toEqual([
      "old-master-not-silenced",
    ]);
  });
});

/** As MariaDB 10.11 and MySQL 8 answer SHOW GRANTS. */
const MARIADB = [
  {
    "Grants for primacy@%":
      "GRANT PROCESS, BINLOG MONITOR, CONNECTION ADMIN, READ_ONLY ADMIN ON *.* TO `primacy`@`%` IDENTIFIED BY PASSWORD '*94BDCEBE19083CE2A1F959FD02F964C7AF4CFC29'",
  },
];
const MYSQL = [
  { "Grants for primacy@%": "GRANT PROCESS, REPLICATION CLIENT ON *.* TO `primacy`@`%`" },
  { "Grants for primacy@%": "GRANT CONNECTION_ADMIN ON *.* TO `primacy`@`%`" },
  { "Grants for primacy@%": "GRANT SYSTEM_VARIABLES_ADMIN ON `app`.* TO `primacy`@`%`" },
];

function needsOf(version: string) {
  const dialect = dialectOf(new Map([["version", version]]));
  if (!dialect.ok) throw new Error(dialect.problem);
  return dialect.value.privileges;
}

describe("the account's privileges", () => {
  test("what silences is there, what opens is not", () => {
    const grants = readGrants(MARIADB);
    const needs = needsOf("10.11.14-MariaDB");
    expect(missingPrivileges(needs, grants, false)).toEqual([]);
    expect(missingPrivileges(needs, grants, true)).toEqual([
      "REPLICATION SLAVE ADMIN",
      "SLAVE MONITOR",
      "RELOAD",
    ]);
  });

  test("those on one database alone don't count; several rows add up", () => {
    expect(missingPrivileges(needsOf("8.0.36"), readGrants(MYSQL), false)).toEqual([
      "SYSTEM_VARIABLES_ADMIN",
    ]);
  });

  test("SUPER will do where MySQL still takes it, and ALL PRIVILEGES everywhere", () => {
    const grant = (what: string) => readGrants([{ grants: `GRANT ${what} ON *.* TO 'p'@'%'` }]);
    const old = grant("PROCESS, REPLICATION CLIENT, SUPER, RELOAD");
    expect(missingPrivileges(needsOf("5.7.44"), old, true)).toEqual([]);
    expect(missingPrivileges(needsOf("9.7.4"), grant("ALL PRIVILEGES"), true)).toEqual([]);
  });

  test("roles are seen to be there", () => {
    expect(readGrants([{ grants: "GRANT `dba`@`%` TO `primacy`@`%`" }]).hasRoles).toBe(true);
    expect(readGrants(MARIADB).hasRoles).toBe(false);
  });
});

describe("what the candidates show", () => {
  const seen = (server: typeof db1, writable: boolean, rows = MARIADB): ServerLook => ({
    kind: "reached",
    server,
    name: "MariaDB 10.11.14",
    writable,
    needs: needsOf("10.11.14-MariaDB"),
    grants: readGrants(rows),
  });
  const found = (looks: readonly ServerLook[], record = recordOf(), layout: Record<string, unknown> = {}) =>
    serverFindings(looks, record, layoutOf(layout)).map(({ check, says }) => [check, says.split(" ")[0]]);

  test("one writable master and a read-only replica", () => {
    expect(found([seen(db1, true), seen(db2, false)])).toEqual([]);
  });

  test("the wrong ones writable, but not while the record is not open", () => {
    const looks = [seen(db1, false), seen(db2, true)];
    expect(found(looks)).toEqual([
      ["master-read-only", "db1:3306"],
      ["another-writable", "db2:3306"],
    ]);
    expect(found(looks, recordOf({ phase: "fenced" }))).toEqual([]);
  });

  test("not let in, and privileges that only an opening needs", () => {
    const looks: ServerLook[] = [
      { kind: "problem", server: db2, problem: "db2:3306: Access denied" },
      seen(db1, true),
    ];
    expect(found(looks, recordOf(), { openedBy: "primacy" })).toEqual([
      ["server-not-reached", "db2:3306:"],
      ["privileges-missing", "db1:3306"],
    ]);
  });

  test("no password hash of SHOW GRANTS is ever said", () => {
    const findings = serverFindings([seen(db1, true)], recordOf(), layoutOf({ openedBy: "primacy" }));
    expect(JSON.stringify(findings)).not.toContain("94BDCEBE");
  });
});
