import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { timingSafeEqual } from "node:crypto";
import { actionRoutes } from "./api-actions.js";
import { type ApiReply, apiResponse } from "./api-reply.js";
import { readRoutes } from "./api-reads.js";
import type { FailoverTools } from "./failover-run.js";

/** Every path that is answered, below /api/. The first that fits is taken. */
const ROUTES = [...readRoutes, ...actionRoutes];

/** Orchestrator's HTTP API: everything is a GET. */
export class ApiServer {
  readonly #tools: FailoverTools;
  readonly #startedAtMs: number;
  readonly #server: Server;

  constructor(tools: FailoverTools, startedAtMs: number) {
    this.#tools = tools;
    this.#startedAtMs = startedAtMs;
    this.#server = createServer((request, response) => {
      this.#answer(request).then(
        (reply) => send(response, reply),
        (error: unknown) =>
          send(response, apiResponse("ERROR", error instanceof Error ? error.message : String(error))),
      );
    });
  }

  /** @param address `host:port` or `:port` */
  listen(address: string): Promise<void> {
    const colon = address.lastIndexOf(":");
    const host = address.slice(0, colon) || "0.0.0.0";
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen({ host, port: Number(address.slice(colon + 1)) }, resolve);
    });
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  async #answer(request: IncomingMessage): Promise<ApiReply> {
    if (!this.#isAllowed(request)) return { status: 401, body: "Not Authorized" };
    const url = new URL(request.url ?? "/", "http://orchestrator");
    const path = url.pathname
      .split("/")
      .filter((part) => part !== "")
      .map(decodeURIComponent);
    if (path[0] !== "api") return { status: 404, body: "404 page not found" };
    for (const [pattern, handle] of ROUTES) {
      const params = matchPath(pattern.split("/"), path.slice(1));
      if (params === undefined) continue;
      return handle({ params, query: url.searchParams, tools: this.#tools, startedAtMs: this.#startedAtMs });
    }
    return { status: 404, body: "404 page not found" };
  }

  #isAllowed(request: IncomingMessage): boolean {
    const { AuthenticationMethod, HTTPAuthUser, HTTPAuthPassword } = this.#tools.configuration;
    if (AuthenticationMethod.toLowerCase() !== "basic") return true;
    const wanted = Buffer.from(
      `Basic ${Buffer.from(`${HTTPAuthUser}:${HTTPAuthPassword}`).toString("base64")}`,
    );
    const given = Buffer.from(request.headers.authorization ?? "");
    return wanted.length === given.length && timingSafeEqual(wanted, given);
  }
}

function matchPath(pattern: readonly string[], path: readonly string[]): Record<string, string> | undefined {
  if (pattern.length !== path.length) return undefined;
  const params: Record<string, string> = {};
  for (const [index, part] of pattern.entries()) {
    const given = path[index] ?? "";
    if (part.startsWith(":")) params[part.slice(1)] = given;
    else if (part !== given) return undefined;
  }
  return params;
}

function send(response: ServerResponse, { status, body }: ApiReply): void {
  if (status === 401) response.setHeader("WWW-Authenticate", 'Basic realm="Authorization Required"');
  const text = status === 401 || (status === 404 && body === "404 page not found");
  response.writeHead(status, {
    "Content-Type": text ? "text/plain; charset=utf-8" : "application/json; charset=UTF-8",
  });
  response.end(text ? String(body) : JSON.stringify(body));
}
