import { readFileSync } from "node:fs";
import { afterEach, describe, expect, test } from "vitest";
import { OrchestratorClient, type OrchestratorOptions } from "../../src/agent/orchestrator/client.js";
import type { OrchestratorError } from "../../src/agent/orchestrator/error.js";
import type { ClusterView } from "../../src/agent/view.js";
import { type Fault, RecordedOrchestrator } from "./recorded-orchestrator.js";
import { RECORDED_LAYOUT, at3313 } from "./recorded.js";
import { layoutOf } from "./samples.js";

const CA = readFileSync(new URL("../../../../test/fixtures/tls/ca.pem", import.meta.url), "utf8");
const never = new AbortController().signal;
const open: { close: () => unknown }[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

async function node(secure = false): Promise<RecordedOrchestrator> {
  const one = await RecordedOrchestrator.start(secure);
  open.push(one);
  return one;
}

/** Time goes by only when it is told to, so that who leads is asked again when a test wants it. */
class Clocks {
  ms = 0;
  monotonicNow = (): number => this.ms;
  wallNow = (): number => Date.parse("2026-11-21T09:46:18.000Z");
}

function clientOf(
  nodes: readonly RecordedOrchestrator[],
  options: Partial<OrchestratorOptions> = {},
  clocks = new Clocks(),
): OrchestratorClient {
  const one = new OrchestratorClient(
    {
      urls: nodes.map((each) => each.url),
      api: "v1",
      basicAuth: undefined,
      token: undefined,
      tls: {},
      timeoutMs: 30_000,
      ...options,
    },
    clocks,
  );
  open.push(one);
  return one;
}

const read = (client: OrchestratorClient, alias = "main"): Promise<ClusterView> =>
  client.readCluster(alias, RECORDED_LAYOUT, never);

async function problemOf(promise: Promise<unknown>): Promise<OrchestratorError> {
  const error: unknown = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toMatchObject({ name: "OrchestratorError" });
  return error as OrchestratorError;
}

const ports = (view: ClusterView): string =>
  view.servers.map((one) => `${String(one.server.port)}${one.listed ? "" : "?"}`).join(" ");

describe.each(["v1", "v2"] as const)("by API %s", (api) => {
  test("a cluster is its list, what the list lacks, and its recoveries", async () => {
    const orchestrator = await node();
    orchestrator.situation = "after-dead-master";
    const view = await read(clientOf([orchestrator], { api }));
    expect(ports(view)).toBe("3312 3313 3311?");
    expect(view.recoveries).toHaveLength(1);
    expect(view).toMatchObject({ missing: [], aliasKnown: true });
  });

  test("a server that nobody knows is missing", async () => {
    const orchestrator = await node();
    orchestrator.forgotten.add(3313);
    expect(await read(clientOf([orchestrator], { api }))).toMatchObject({ missing: [at3313] });
  });

  test("without the alias, servers are asked for one by one", async () => {
    const orchestrator = await node();
    orchestrator.alias = "elsewhere";
    const view = await read(clientOf([orchestrator], { api }));
    expect(ports(view)).toBe("3311? 3312? 3313?");
    expect(view.aliasKnown).toBe(false);
  });

  test("an empty list is a list", async () => {
    const orchestrator = await node();
    orchestrator.fault = "empty";
    const view = await read(clientOf([orchestrator], { api }));
    expect([ports(view), view.aliasKnown]).toEqual(["3311? 3312? 3313?", true]);
  });
});

test("messages are known with an identity before them, as Percona's build sends them", async () => {
  const orchestrator = await node();
  orchestrator.identity = "[orc1:3000] ";
  orchestrator.alias = "elsewhere";
  orchestrator.forgotten.add(3313);
  const view = await read(clientOf([orchestrator]));
  expect([ports(view), view.aliasKnown, view.missing]).toEqual(["3311? 3312?", false, [at3313]]);
});

describe("answers that can't be used", () => {
  /** What hangs has to be waited for. */
  const limitFor = (fault: Fault) => ({ timeoutMs: fault === "hangs" ? 1000 : 30_000 });

  test.each<[Fault, string]>([
    ["errors", "ORCHESTRATOR_ERROR"],
    ["half", "ORCHESTRATOR_UNEXPECTED_ANSWER"],
    ["html", "ORCHESTRATOR_NO_LEADER"],
    ["refuses", "ORCHESTRATOR_NO_LEADER"],
    ["hangs", "ORCHESTRATOR_NO_LEADER"],
  ])("%s", async (fault, code) => {
    const orchestrator = await node();
    orchestrator.fault = fault;
    expect((await problemOf(read(clientOf([orchestrator], limitFor(fault))))).code).toBe(code);
  });

  test.each<[Fault, string]>([
    ["html", "ORCHESTRATOR_UNEXPECTED_ANSWER"],
    ["refuses", "ORCHESTRATOR_UNREACHABLE"],
    ["hangs", "ORCHESTRATOR_TIMEOUT"],
  ])(
    "%s, from a node that led a moment ago, and it is not believed to lead any more",
    async (fault, code) => {
      const [first, second] = [await node(), await node()];
      second.leads = false;
      const client = clientOf([first, second], limitFor(fault));
      await read(client);
      first.fault = fault;
      expect((await problemOf(read(client))).code).toBe(code);
      second.leads = true;
      await read(client);
      expect(client.leader).toBe(second.url);
    },
  );

  test("without a field that a decision rests on", async () => {
    const orchestrator = await node();
    orchestrator.changes.set(3312, { IsLastCheckValid: undefined });
    const problem = await problemOf(read(clientOf([orchestrator])));
    expect(problem.code).toBe("ORCHESTRATOR_UNEXPECTED_ANSWER");
    expect(problem.message).toContain("1.IsLastCheckValid");
  });
});

describe("who leads", () => {
  test("is found among several nodes, whatever the others do", async () => {
    const nodes = [await node(), await node(), await node()] as const;
    nodes[0].fault = "refuses";
    nodes[1].leads = false;
    const client = clientOf(nodes);
    await read(client);
    expect(client.leader).toBe(nodes[2].url);
    expect(nodes[1].requests.map((one) => one.path)).toEqual(["/api/leader-check"]);
  });

  test("is asked again after a second, and followed", async () => {
    const [first, second] = [await node(), await node()];
    second.leads = false;
    const clocks = new Clocks();
    const client = clientOf([first, second], {}, clocks);
    await read(client);
    [first.leads, second.leads] = [false, true];
    await read(client);
    expect(client.leader).toBe(first.url);
    clocks.ms += 1000;
    await read(client);
    expect(client.leader).toBe(second.url);
  });

  test("nobody: every node's answer is told, and nothing of them is believed", async () => {
    const [first, second] = [await node(), await node()];
    first.leads = false;
    second.fault = "html";
    const problem = await problemOf(read(clientOf([first, second])));
    expect(problem.code).toBe("ORCHESTRATOR_NO_LEADER");
    expect(problem.message).toContain(`${first.url}: does not lead (404)`);
    expect(problem.message).toContain(`${second.url}: does not lead (200)`);
    expect([...first.requests, ...second.requests].every((one) => one.path.endsWith("leader-check"))).toBe(
      true,
    );
  });

  test("one address for all nodes: what passes requests on to the leader will do", async () => {
    const balancer = await node();
    balancer.leads = false;
    balancer.routes = true;
    expect(ports(await read(clientOf([balancer])))).toBe("3311 3312 3313");
  });

  test("is asked once for clusters that are read together", async () => {
    const orchestrator = await node();
    const client = clientOf([orchestrator]);
    await Promise.all([read(client), read(client), read(client)]);
    expect(orchestrator.requests.filter((one) => one.path === "/api/leader-check")).toHaveLength(1);
  });
});

describe("how it is reached", () => {
  test("under a URL prefix", async () => {
    const orchestrator = await node();
    orchestrator.prefix = "/orchestrator";
    expect(ports(await read(clientOf([orchestrator])))).toBe("3311 3312 3313");
  });

  test("with basic authentication, whose password no error tells", async () => {
    const orchestrator = await node();
    orchestrator.login = "primacy:s3cret:word";
    expect(ports(await read(clientOf([orchestrator], { basicAuth: "primacy:s3cret:word" })))).toBe(
      "3311 3312 3313",
    );
    const problem = await problemOf(read(clientOf([orchestrator], { basicAuth: "primacy:wr0ng" })));
    expect(problem.message).toContain("denies the login");
    expect(problem.message).not.toContain("wr0ng");
  });

  test("with a token, as Orchestrator's cookie and as a proxy's bearer", async () => {
    const orchestrator = await node();
    await read(clientOf([orchestrator], { token: "public:secret" }));
    expect(orchestrator.requests.at(-1)?.headers).toMatchObject({
      cookie: "access-token=public:secret",
      authorization: "Bearer public:secret",
    });
  });

  test("over TLS, and only where the certificate can be trusted", async () => {
    const orchestrator = await node(true);
    const serverName = "server.dc1.consul";
    const trusted = clientOf([orchestrator], { tls: { ca: CA, serverName } });
    expect(await problemOfName(trusted)).toBe("");
    expect(await problemOfName(clientOf([orchestrator]))).toMatch(/self-signed|unable to/);
    expect(
      await problemOfName(clientOf([orchestrator], { tls: { ca: CA, serverName: "other.test" } })),
    ).toMatch(/altnames|Hostname/);
  });

  const problemOfName = (client: OrchestratorClient): Promise<string> =>
    read(client).then(
      () => "",
      (error: unknown) => String(error),
    );

  test("names in paths are escaped", async () => {
    const orchestrator = await node();
    const layout = layoutOf({ servers: [{ host: "[2001:db8::1]", port: 3306 }] });
    await clientOf([orchestrator])
      .readCluster("shop/eu", layout, never)
      .catch(() => undefined);
    expect(orchestrator.requests.map((one) => one.path)).toContain("/api/cluster/alias/shop%2Feu");
  });

  test("an answer that takes long is not taken for a newer one", async () => {
    const orchestrator = await node();
    orchestrator.situation = "after-dead-master";
    const clocks = new Clocks();
    const beganMs = clocks.wallNow();
    // The clock on the wall goes on with every request, so an answer is later than its question.
    clocks.wallNow = () => beganMs + orchestrator.requests.length * 2500;
    const { servers } = await read(clientOf([orchestrator], {}, clocks));
    // Before the list one request was made, before the server that it lacks three.
    const askedAtMs = (listed: boolean): number => beganMs + (listed ? 1 : 3) * 2500;
    for (const { answeredAtMs, listed } of servers)
      expect(answeredAtMs).toBeLessThanOrEqual(askedAtMs(listed));
    expect(servers.map((one) => one.listed)).toEqual([true, true, false]);
  });

  test("an abort ends it at once", async () => {
    const orchestrator = await node();
    orchestrator.fault = "hangs";
    const abort = new AbortController();
    const reading = clientOf([orchestrator], { timeoutMs: 60_000 }).readCluster(
      "main",
      RECORDED_LAYOUT,
      abort.signal,
    );
    abort.abort();
    expect((await problemOf(reading)).code).toBe("ORCHESTRATOR_NO_LEADER");
  });
});
