import { readFileSync } from "node:fs";
import http, { type IncomingMessage, type ServerResponse } from "node:http";
import https from "node:https";
import type { AddressInfo } from "node:net";
import { recordedText } from "./recorded.js";

/** What was recorded with every list. */
export type Situation = "healthy" | "after-dead-master" | "old-master-returned-writable";

/** How a node misbehaves. */
export type Fault = "none" | "follower" | "errors" | "html" | "half" | "hangs" | "refuses" | "empty";

type Json = Record<string, unknown>;

const tlsFile = (name: string): string =>
  readFileSync(new URL(`../../../../test/fixtures/tls/${name}`, import.meta.url), "utf8");

/** An Orchestrator node that answers what a real 3.2.6 was recorded to answer, by either API, as well or badly as told. */
export class RecordedOrchestrator {
  situation: Situation = "healthy";
  fault: Fault = "none";
  leads = true;
  /** Does it pass requests on to a leader? */
  routes = false;
  /** The alias by which it knows the cluster. */
  alias = "main";
  login: string | undefined;
  prefix = "";
  /** What Percona's build puts before every message (PrependMessagesWithOrcIdentity). */
  identity = "";
  /** Changes to instances, by port. */
  readonly changes = new Map<number, Json>();
  /** Servers that it forgets, by port. */
  readonly forgotten = new Set<number>();
  readonly requests: { path: string; headers: IncomingMessage["headers"] }[] = [];
  readonly #server: http.Server;

  constructor(readonly secure = false) {
    const answer = (request: IncomingMessage, response: ServerResponse): void =>
      this.#answer(request, response);
    this.#server = secure
      ? https.createServer({ cert: tlsFile("server.pem"), key: tlsFile("server-key.pem") }, answer)
      : http.createServer(answer);
  }

  static async start(secure = false): Promise<RecordedOrchestrator> {
    const node = new RecordedOrchestrator(secure);
    await new Promise<void>((resolve) => node.#server.listen(0, "127.0.0.1", resolve));
    return node;
  }

  get url(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `${this.secure ? "https" : "http"}://127.0.0.1:${String(port)}${this.prefix}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const url = request.url ?? "/";
    this.requests.push({ path: url, headers: request.headers });
    if (this.fault === "hangs") return;
    if (this.fault === "refuses") {
      response.destroy();
      return;
    }
    const wanted =
      this.login === undefined ? undefined : `Basic ${Buffer.from(this.login).toString("base64")}`;
    if (wanted !== undefined && request.headers.authorization !== wanted)
      return send(response, 401, "Not Authorized");
    if (this.fault === "html") return send(response, 200, "<html>Bad gateway</html>");
    if (!url.startsWith(`${this.prefix}/api/`)) return send(response, 404, "404 page not found");
    const path = url.slice(this.prefix.length + "/api/".length);
    if (path === "leader-check") return leader(response, this.leads);
    if (path === "routed-leader-check") return leader(response, this.leads || this.routes);
    if (this.fault === "errors") return send(response, 500, apiError("driver: bad connection"));
    const text = this.#data(path);
    if (this.fault === "half") return send(response, 200, text.body.slice(0, text.body.length / 2));
    send(response, text.status, text.body);
  }

  #data(path: string): { status: number; body: string } {
    const v2 = path.startsWith("v2/");
    const list = (): Json[] => this.#instances("cluster_alias_main");
    const cluster = /^(?:cluster\/alias\/|v2\/clusters\/)([^/]+)(?:\/instances)?$/.exec(path)?.[1];
    if (cluster !== undefined) {
      if (cluster !== this.alias)
        return notFound(v2, `${this.identity}No cluster found for alias ${cluster}`, "Cluster not found: x");
      return found(v2, this.fault === "empty" ? null : list());
    }
    const port = /^(?:instance|v2\/instances)\/127\.0\.0\.1\/(\d+)$/.exec(path)?.[1];
    if (port !== undefined) {
      const one = this.#instances("all-instances").find((each) => portOf(each) === Number(port));
      if (one === undefined)
        return notFound(
          v2,
          `${this.identity}Cannot read instance: 127.0.0.1:${port}`,
          "Instance not found: x",
        );
      return found(v2, one);
    }
    const named = /^(master)\/(.+)$|^(masters)$/.exec(path);
    if (named?.[1] !== undefined) {
      if (named[2] !== this.alias) return notFound(false, "Unable to determine cluster name", "");
      return found(false, { ...this.#one("master_main") });
    }
    if (named?.[3] !== undefined) return found(false, this.#instances("masters"));
    const alias = /^(?:audit-recovery\/alias\/|v2\/recoveries\?alias=)([^/]+)$/.exec(path)?.[1];
    if (alias !== undefined) {
      const recoveries = JSON.parse(recordedText(this.situation, "audit-recovery_alias_main")) as Json[];
      return found(v2, alias === "main" ? recoveries : []);
    }
    return { status: 404, body: "404 page not found" };
  }

  #one(file: string): Json {
    const one = JSON.parse(recordedText(this.situation, file)) as Json;
    return { ...one, ...this.changes.get(portOf(one)) };
  }

  #instances(file: string): Json[] {
    const list = JSON.parse(recordedText(this.situation, file)) as Json[];
    return list
      .filter((one) => !this.forgotten.has(portOf(one)))
      .map((one) => ({ ...one, ...this.changes.get(portOf(one)) }));
  }
}

function portOf(instance: Json): number {
  return (instance["Key"] as { Port: number }).Port;
}

function leader(response: ServerResponse, leads: boolean): void {
  send(response, leads ? 200 : 404, leads ? '"OK"' : '"Not leader"');
}

function apiError(message: string): string {
  return JSON.stringify({ Code: "ERROR", Message: message, Details: null });
}

/** Data that is empty is left out of the envelope. */
function found(v2: boolean, data: unknown): { status: number; body: string } {
  return {
    status: 200,
    body: JSON.stringify(v2 ? { status: "ok", ...(data === null ? {} : { data }) } : data),
  };
}

function notFound(v2: boolean, v1Message: string, v2Message: string): { status: number; body: string } {
  if (!v2) return { status: 500, body: apiError(v1Message) };
  return {
    status: 404,
    body: JSON.stringify({ status: "error", error: { code: "NOT_FOUND", message: v2Message } }),
  };
}

function send(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { "content-type": body.startsWith("<") ? "text/html" : "application/json" });
  response.end(body);
}
