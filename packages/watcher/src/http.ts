import { type Server, type ServerResponse, createServer } from "node:http";
import type { Metrics } from "./metrics.js";
import type { Readiness } from "./watcher.js";

/** What the HTTP port tells; a reload puts another one behind it. */
export interface Health {
  readonly alive: boolean;
  readiness(): Readiness;
}

/** Serves `/livez`, `/readyz` and `/metrics`. `health` is asked at every request. */
export async function serveHealth(
  listen: { readonly host: string; readonly port: number },
  health: () => Health,
  metrics: Metrics,
): Promise<Server> {
  const server = createServer((request, response) => {
    const path = (request.url ?? "/").split("?")[0];
    if (request.method !== "GET" && request.method !== "HEAD")
      answer(response, 405, "text/plain", "only GET\n");
    else if (path === "/livez") live(response, health());
    else if (path === "/readyz") ready(response, health());
    else if (path === "/metrics") void scrape(response, health(), metrics);
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

function live(response: ServerResponse, health: Health): void {
  answer(response, health.alive ? 200 : 503, "text/plain", health.alive ? "alive\n" : "stuck\n");
}

function ready(response: ServerResponse, health: Health): void {
  const readiness = health.readiness();
  answer(
    response,
    readiness.ready ? 200 : 503,
    "application/json",
    `${JSON.stringify(readiness, null, 2)}\n`,
  );
}

async function scrape(response: ServerResponse, health: Health, metrics: Metrics): Promise<void> {
  health.readiness();
  answer(response, 200, metrics.registry.contentType, await metrics.registry.metrics());
}

function answer(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { "content-type": type, "cache-control": "no-store" });
  response.end(body);
}
