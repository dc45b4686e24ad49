import { describe, expect, test } from "vitest";
import {
  type AdoptInput,
  type Adoption,
  type ProxyServerRow,
  adoptionOf,
  masterByKeys,
} from "../../src/agent/adopt/plan.js";
import { db1, db2, layoutOf } from "./samples.js";

const row = (hostgroup: number, host: string, changes: Partial<ProxyServerRow> = {}): ProxyServerRow => ({
  hostgroup,
  host,
  port: 3306,
  status: "ONLINE",
  weight: 1,
  maxConnections: 1000,
  useSsl: false,
  ...changes,
});

const SERVERS = [
  row(10, "db1", { maxConnections: 300 }),
  row(20, "db1", { weight: 1, maxConnections: 300 }),
  row(20, "db2", { weight: 50, useSsl: true }),
  row(20, "db3", { weight: 100, status: "SHUNNED" }),
  row(30, "elsewhere"),
];
const PAIRS = [{ writer: 10, reader: 20 }];
const BY_API = { source: "Orchestrator", master: { ok: true, value: db1 } } as const;

function adopt(changes: Partial<AdoptInput> = {}): Adoption | string {
  const result = adoptionOf({
    cluster: "main",
    layout: null,
    rows: { servers: SERVERS, pairs: PAIRS },
    hostgroups: null,
    words: [BY_API],
    ...changes,
  });
  return result.ok ? result.value : result.problem;
}

function adopted(changes: Partial<AdoptInput> = {}): Adoption {
  const result = adopt(changes);
  if (typeof result === "string") throw new Error(result);
  return result;
}

describe("taking over what runs", () => {
  test("the layout is that of the proxy's rows, with weights and limits as they are", () => {
    const { layout, master } = adopted();
    expect(master).toEqual(db1);
    expect(layout.hostgroups).toEqual({ writer: 10, reader: 20 });
    expect(layout.servers).toMatchObject([
      { host: "db1", weight: 1, maxConnections: 300, reads: true, candidate: true },
      { host: "db2", weight: 50, useSsl: true },
      { host: "db3", weight: 100 },
    ]);
  });

  test("one server under two spellings is one server", () => {
    const servers = [row(10, "db1"), row(20, "DB1"), row(20, "db2")];
    expect(adopted({ rows: { servers, pairs: PAIRS } }).layout.servers.map((one) => one.host)).toEqual([
      "db1",
      "db2",
    ]);
  });

  test("a server that only stands by for writes gets no reads", () => {
    const servers = [row(10, "db1"), row(10, "db2", { status: "OFFLINE_HARD" }), row(20, "db1")];
    const { layout } = adopted({ rows: { servers, pairs: PAIRS } });
    expect(layout.servers.map((one) => [one.host, one.reads])).toEqual([
      ["db1", true],
      ["db2", false],
    ]);
  });

  test("the monitor that owns the hostgroups is told, with the statement that ends it", () => {
    expect(adopted().warnings.join("\n")).toContain(
      "DELETE FROM mysql_replication_hostgroups WHERE writer_hostgroup=10",
    );
    expect(
      adopted({ rows: { servers: SERVERS, pairs: [] }, hostgroups: { writer: 10, reader: 20 } }).warnings,
    ).toEqual([]);
  });

  test("a layout that is given is taken, and rows that it doesn't know are told", () => {
    const { layout, warnings } = adopted({ layout: layoutOf({ servers: [db1, db2] }) });
    expect(layout.servers).toHaveLength(2);
    expect(warnings.join("\n")).toContain("db3:3306 has a row in hostgroup 20 and is not in the layout");
  });

  test("the proxy alone may say who the master is", () => {
    expect(adopted({ words: [] }).master).toEqual(db1);
  });

  test.each<[string, Partial<AdoptInput>, string]>([
    [
      "sources that don't agree",
      { words: [{ source: "Orchestrator", master: { ok: true, value: db2 } }] },
      "don't agree on the master: Orchestrator: db2:3306; the proxy's writer hostgroup: db1:3306",
    ],
    [
      "a source that can't say",
      { words: [{ source: "Orchestrator", master: { ok: false, problem: "two writable masters" } }] },
      "Orchestrator: two writable masters",
    ],
    [
      "two writers on the proxy",
      { rows: { servers: [...SERVERS, row(10, "db2")], pairs: PAIRS } },
      "several ONLINE servers: db1:3306, db2:3306",
    ],
    [
      "nobody who knows the master",
      { words: [], rows: { servers: [row(20, "db2")], pairs: PAIRS } },
      "who is the master?",
    ],
    [
      "a master that the layout doesn't know",
      { layout: layoutOf({ servers: [db2] }), rows: null },
      "db1:3306 is the master and no candidate",
    ],
    ["no hostgroups", { rows: { servers: SERVERS, pairs: [] } }, "which hostgroups?"],
    [
      "several pairs of hostgroups",
      { rows: { servers: SERVERS, pairs: [...PAIRS, { writer: 30, reader: 40 }] } },
      "several pairs of hostgroups (10/20, 30/40)",
    ],
    [
      "hostgroups without servers",
      { hostgroups: { writer: 77, reader: 78 } },
      "no servers in the hostgroups 77 and 78",
    ],
    [
      "neither layout nor proxy",
      { rows: null, hostgroups: { writer: 10, reader: 20 } },
      "a layout is needed",
    ],
  ])("is refused for %s", (_what, changes, problem) => {
    expect(adopt(changes)).toEqual(expect.stringContaining(problem));
  });
});

describe("the master by Orchestrator's own keys", () => {
  const pairs = (values: Record<string, string>) =>
    Object.entries(values).map(([suffix, value]) => ({ key: `mysql/master/main${suffix}`, value }));
  const masterOf = (values: Record<string, string>) =>
    masterByKeys("main", "mysql/master", pairs(values)).master;

  test("is what stands under the alias", () => {
    expect(masterOf({ "": "db1:3306", "/hostname": "db1", "/port": "3306", "/ipv4": "" })).toEqual({
      ok: true,
      value: db1,
    });
    expect(masterOf({ "": "db1:3306" })).toEqual({ ok: true, value: db1 });
  });

  test.each<[string, Record<string, string>, string]>([
    ["not there", { "/port": "3306" }, "not there"],
    ["half written", { "": "db2:3307", "/port": "3306" }, "is being written"],
    ["no address", { "": "db1" }, "not a host name"],
    ["of another cluster", {}, "not there"],
  ])("is refused when it is %s", (_what, values, problem) => {
    expect(masterOf(values)).toMatchObject({
      ok: false,
      problem: expect.stringContaining(problem) as string,
    });
  });
});
