import { type Server, type ServerResponse, createServer } from "node:http";
import type { Registry } from "prom-client";

/** What `/readyz` tells. */
export interface AgentReadiness {
  readonly ready: boolean;
  readonly agent: string;
  readonly leads: boolean;
  /** Who leads; null where nobody does, or nobody knows. */
  readonly leader: string | null;
  readonly says: string;
  readonly clusters: readonly { readonly cluster: string; readonly held: boolean; readonly says: string }[];
}

export interface AgentHealth {
  readonly alive: () => boolean;
  readonly readiness: () => AgentReadiness;
  readonly registry: Registry;
}

/** Serves `/livez`, `/readyz` and `/metrics`. */
export async function serveHealth(
  listen: { readonly host: string; readonly port: number },
  health: AgentHealth,
): Promise<Server> {
  const server = createServer((request, response) => {
    const path = (request.url ?? "/").split("?")[0];
    if (request.method !== "GET" && request.method !== "HEAD")
      answer(response, 405, "text/plain", "only GET\n");
    else if (path === "/livez") live(response, health);
    else if (path === "/readyz") ready(response, health);
    else if (path === "/metrics") void scrape(response, health);
    else answer(response, 404, "text/plain", "/livez /readyz /metrics\n");
  });
  server.requestTimeout = 5000;
  server.maxConnections = 64;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(listen.port, listen.host, resolve);
  });
  return server;
}

function live(response: ServerResponse, health: AgentHealth): void {
  const alive = health.alive();
  answer(response, alive ? 200 : 503, "text/plain", alive ? "alive\n" : "stuck\n");
}

function ready(response: ServerResponse, health: AgentHealth): void {
  const readiness = health.readiness();
  answer(
    response,
    readiness.ready ? 200 : 503,
    "application/json",
    `${JSON.stringify(readiness, null, 2)}\n`,
  );
}

async function scrape(response: ServerResponse, { registry }: AgentHealth): Promise<void> {
  answer(response, 200, registry.contentType, await registry.metrics());
}

function answer(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { "content-type": type, "cache-control": "no-store" });
  response.end(body);
}
