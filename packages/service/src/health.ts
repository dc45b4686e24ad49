import { type Server, type ServerResponse, createServer } from "node:http";
import type { Registry } from "prom-client";

/** What a program tells of itself; asked at every request. */
export interface Health {
  readonly alive: boolean;
  /** The answer of `/readyz`: any object with `ready`. */
  readiness(): { readonly ready: boolean };
}

/**
 * Serves `/livez`, `/readyz` (200 or 503, with the reasons as JSON) and `/metrics`. `health` is asked for anew at every
 * request, so that a reload can put another one behind it. Rejects where the port can't be had.
 */
export async function serveHealth(
  listen: { readonly host: string; readonly port: number },
  health: () => Health,
  registry: Registry,
): Promise<Server> {
  const server = createServer((request, response) => {
    const path = (request.url ?? "/").split("?")[0];
    if (request.method !== "GET" && request.method !== "HEAD") {
      answer(response, 405, "text/plain", "only GET\n");
    } else if (path === "/livez") live(response, health());
    else if (path === "/readyz") ready(response, health());
    else if (path === "/metrics") void scrape(response, health(), registry);
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

function live(response: ServerResponse, { alive }: Health): void {
  answer(response, alive ? 200 : 503, "text/plain", alive ? "alive\n" : "stuck\n");
}

function ready(response: ServerResponse, health: Health): void {
  const readiness = health.readiness();
  const body = `${JSON.stringify(readiness, null, 2)}\n`;
  answer(response, readiness.ready ? 200 : 503, "application/json", body);
}

async function scrape(response: ServerResponse, health: Health, registry: Registry): Promise<void> {
  // Some series are ages: they are set as readiness is asked for.
  health.readiness();
  answer(response, 200, registry.contentType, await registry.metrics());
}

function answer(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { "content-type": type, "cache-control": "no-store" });
  response.end(body);
}
