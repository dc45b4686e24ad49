import { existsSync } from "node:fs";
import { type Server, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { OrchestratorClient } from "../../src/agent/orchestrator/client.js";
import type { ClusterView } from "../../src/agent/view.js";
import { RECORDED_LAYOUT, at3311, recordedAt, recordedFile, recordedText, recordedView } from "./recorded.js";

const running: Server[] = [];
afterEach(() => {
  for (const server of running.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

/** Answers what was recorded. A status was not; it follows from the answer, by 3.2.6's go/http/api.go. */
function statusOf(body: string): number {
  if (body.startsWith('"Not leader"')) return 404;
  return /^\{\s*"Code": "ERROR"/.test(body) ? 500 : 200;
}

/** The cluster as the agent's client reads it from a node that answers as recorded. */
async function read(situation: string): Promise<ClusterView> {
  const server = createServer((request, response) => {
    const file = (request.url ?? "").replace("/api/", "").replaceAll("/", "_");
    const body = existsSync(recordedFile(situation, file)) ? recordedText(situation, file) : undefined;
    response.writeHead(body === undefined ? 404 : statusOf(body), { "content-type": "application/json" });
    response.end(body ?? "404 page not found");
  });
  running.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const client = new OrchestratorClient(
    {
      urls: [`http://127.0.0.1:${String(port)}`],
      api: "v1",
      basicAuth: undefined,
      token: undefined,
      tls: {},
      timeoutMs: 30_000,
    },
    { monotonicNow: () => performance.now(), wallNow: () => Date.parse(recordedAt(situation)) },
  );
  try {
    return await client.readCluster("main", RECORDED_LAYOUT, new AbortController().signal);
  } finally {
    client.close();
  }
}

const downtimeOf3311 = (view: ClusterView): string | undefined =>
  view.servers.find((one) => one.server.port === at3311.port)?.downtime?.reason;

describe("the client, on recorded answers", () => {
  test.each(["replica-detached", "alias-lost", "alias-elsewhere", "recovery-ended", "follower-passes-on"])(
    "%s: the whole view",
    async (situation) => {
      expect(await read(situation)).toEqual(recordedView(situation));
    },
  );

  test("a server that a new backend has never heard of is missing", async () => {
    const view = await read("orchestrator-empty");
    expect(view).toMatchObject({ aliasKnown: false, servers: [] });
    expect(view.missing).toHaveLength(3);
  });

  test("a follower that passes requests on is a way to the leader", async () => {
    expect(recordedText("follower-passes-on", "leader-check").trim()).toBe('"Not leader"');
    expect(downtimeOf3311(await read("follower-passes-on"))).toBe("lost-in-recovery");
  });

  test("one that has lost its leader is not believed: its own database lacks the downtimes", async () => {
    expect(downtimeOf3311(recordedView("follower-alone"))).toBeUndefined();
    await expect(read("follower-alone")).rejects.toMatchObject({ code: "ORCHESTRATOR_NO_LEADER" });
  });

  test("nor is one that has just started: it does not lead yet, and answers what it knew before", async () => {
    expect(recordedView("orchestrator-just-started").servers).toHaveLength(3);
    await expect(read("orchestrator-just-started")).rejects.toMatchObject({ code: "ORCHESTRATOR_NO_LEADER" });
  });
});
