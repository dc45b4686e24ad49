import { readFileSync } from "node:fs";
import { type RequestListener, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { type ClusterView, type OrchestratorInstance, readClusterView } from "../src/orchestrator-api.js";
import { masterOf } from "../src/orchestrator-master.js";

type Scenario = "healthy" | "after-dead-master" | "old-master-returned-writable";
type Answer = { status?: number; body: string };

const running: (() => void)[] = [];
afterEach(() => {
  for (const stop of running.splice(0)) stop();
});

/** @returns the address at which `handler` answers until the test's end */
async function serve(handler: RequestListener): Promise<string> {
  const server = createServer(handler);
  running.push(() => {
    server.closeAllConnections();
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
}

const recorded = (scenario: Scenario, path: string) =>
  readFileSync(
    new URL(
      `../../../test/fixtures/orchestrator-api/${scenario}/${path.replaceAll("/", "_")}.json`,
      import.meta.url,
    ),
    "utf8",
  );

/** Answers the recorded API below a URL prefix, or whatever `change` says. */
async function orchestrator(
  scenario: Scenario,
  change: (path: string, auth: string | undefined) => Answer | undefined = () => undefined,
): Promise<string> {
  const address = await serve((request, response) => {
    const path = (request.url ?? "").replace(/^\/orchestrator\/api\//, "");
    const answer = change(path, request.headers.authorization) ?? { body: recorded(scenario, path) };
    response.writeHead(answer.status ?? 200, { "content-type": "application/json" }).end(answer.body);
  });
  return `${address}/orchestrator`;
}

const access = (url: string, auth?: string) => ({ url, auth, timeoutMs: 30_000 });
const port = (number: number) => ({ ok: true, value: { host: "127.0.0.1", port: number } });

describe("Orchestrator's recorded answers", () => {
  it("of several nodes, the one that leads is believed", async () => {
    const leads =
      (status: number) =>
      (path: string): Answer | undefined =>
        path === "leader-check" ? { status, body: status === 200 ? '"OK"' : '"Not leader"' } : undefined;
    const follower = await orchestrator("healthy", leads(404));
    const leader = await orchestrator("after-dead-master", leads(200));
    const view = await readClusterView(access(`${follower}, ${leader}`), "main");
    expect(view.ok && masterOf(view.value, "main")).toEqual(port(3312));
    const nobody = await readClusterView(access(`${follower},http://127.0.0.1:1`), "main");
    expect(nobody.ok ? "" : nobody.problem).toMatch(/^no Orchestrator leads: .*answered 404.*127\.0\.0\.1:1/);
  });

  it.each([
    ["healthy", 3311],
    ["after-dead-master", 3312],
    // The former master is writable again and claims the alias, but Orchestrator still has it downtimed.
    ["old-master-returned-writable", 3312],
  ] as const)("%s: the master is %i", async (scenario, expected) => {
    const view = await readClusterView(access(await orchestrator(scenario)), "main");
    expect(view.ok && masterOf(view.value, "main")).toEqual(port(expected));
  });
});

describe("answers that are no answer", () => {
  it.each([
    [
      "an error",
      { status: 500, body: '{"Code":"ERROR","Message":"No cluster found for alias main","Details":null}' },
    ],
    ["no JSON", { body: "<html>proxy</html>" }],
    ["something else", { body: '{"Key": 5}' }],
    ["a redirect", { status: 302, body: "" }],
  ])("%s is a problem", async (_what, answer) => {
    const url = await orchestrator("healthy", (path) => (path === "master/main" ? answer : undefined));
    expect(await readClusterView(access(url), "main")).toMatchObject({ ok: false });
  });

  it("says what Orchestrator said", async () => {
    const url = await orchestrator("healthy", () => ({
      status: 500,
      body: '{"Code":"ERROR","Message":"No cluster"}',
    }));
    const view = await readClusterView(access(url), "main");
    expect(view.ok ? "" : view.problem).toMatch(/answered 500: No cluster$/);
  });

  it("an empty list may be null", async () => {
    const url = await orchestrator("healthy", (path) => (path === "masters" ? { body: "null" } : undefined));
    expect(await readClusterView(access(url), "main")).toMatchObject({ ok: true, value: { masters: [] } });
  });

  it("a server that never answers is given up", async () => {
    const url = await serve(() => undefined);
    expect(await readClusterView({ ...access(url), timeoutMs: 100 }, "main")).toMatchObject({ ok: false });
  });

  it("a password goes in the header and nowhere else", async () => {
    const seen: (string | undefined)[] = [];
    const url = await orchestrator("healthy", (_path, auth) => {
      seen.push(auth);
      return { status: 401, body: "" };
    });
    const view = await readClusterView(access(url, "user:secret"), "main");
    expect(seen[0]).toBe(`Basic ${Buffer.from("user:secret").toString("base64")}`);
    expect(JSON.stringify(view)).not.toContain("secret");
    const inUrl = await readClusterView(access(url.replace("//", "//user:secret@")), "main");
    expect(inUrl).toMatchObject({ ok: false });
    expect(JSON.stringify(inUrl)).not.toContain("secret");
  });
});

describe("who is the master", () => {
  const instance = (name: string, changes: Partial<OrchestratorInstance> = {}): OrchestratorInstance => ({
    Key: { Hostname: name, Port: 3306 },
    ReadOnly: false,
    IsLastCheckValid: true,
    IsRecentlyChecked: true,
    IsDowntimed: false,
    ReplicationDepth: 0,
    IsCoMaster: false,
    SuggestedClusterAlias: "main",
    ...changes,
  });
  const replica = instance("db2", { ReplicationDepth: 1, ReadOnly: true });
  const view = (instances: OrchestratorInstance[], more: Partial<ClusterView> = {}): ClusterView => ({
    instances,
    master: instances[0]!,
    masters: [instances[0]!],
    ...more,
  });

  it("the one healthy root", () => {
    expect(masterOf(view([instance("DB1"), replica]), "main")).toEqual({
      ok: true,
      value: { host: "db1", port: 3306 },
    });
  });

  it("the writable one of two co-masters", () => {
    const passive = instance("db2", { IsCoMaster: true, ReplicationDepth: 1, ReadOnly: true });
    const active = instance("db1", { IsCoMaster: true });
    expect(masterOf(view([active, passive]), "main")).toMatchObject({ ok: true, value: { host: "db1" } });
  });

  it.each([
    ["a dead one", [instance("db1", { IsLastCheckValid: false }), replica], "last check failed"],
    ["one not looked at", [instance("db1", { IsRecentlyChecked: false })], "not checked recently"],
    ["a downtimed one", [instance("db1", { IsDowntimed: true })], "downtimed"],
    ["a read-only one", [instance("db1", { ReadOnly: true })], "read-only"],
    ["none", [replica], "knows no server"],
    ["two", [instance("db1"), instance("db2", { IsCoMaster: true })], "two writable masters"],
  ])("nobody, where there is %s", (_what, instances, said) => {
    const master = masterOf(view(instances), "main");
    expect(master.ok ? "" : master.problem).toContain(said);
  });

  it("nobody, where a former master is writable and claims the same", () => {
    const rival = instance("db9");
    const masters = [instance("db1"), rival];
    expect(masterOf(view([instance("db1")], { masters }), "main")).toMatchObject({ ok: false });
    expect(masterOf(view([instance("db1")], { masters }), "another")).toMatchObject({ ok: true });
  });

  it("nobody, where Orchestrator contradicts itself", () => {
    expect(masterOf(view([instance("db1")], { master: instance("db3") }), "main")).toMatchObject({
      ok: false,
    });
  });
});
