import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { posix } from "node:path";
import { type Answer, text } from "./answer.js";
import { ConsulState } from "./consul-state.js";
import { type Context, DATACENTER, route } from "./endpoints.js";
import { MAX_VALUE_BYTES, tooLarge } from "./kv-endpoint.js";

/** How to start the stand-in. */
export interface ConsulStandInOptions {
  /** Default: one that is free. */
  port?: number;
  host?: string;
  /** The smallest TTL that a session may have (default 10 000, as Consul's session_ttl_min). */
  sessionTtlMinMs?: number;
  /** Where the jitter of blocking reads comes from: numbers in [0, 1). */
  random?: () => number;
}

/** A running stand-in. */
export interface ConsulStandIn {
  /** "http://host:port" */
  address: string;
  /** Ends all waiting reads and forgets everything. */
  close: () => Promise<void>;
}

/**
 * Starts a small Consul in this process: keys, transactions, sessions, one leader that never goes away, no ACLs.
 *
 * It answers as Consul 1.8.7 does, which the conformance suite asks of both. For a machine without Consul: nothing
 * is kept, and nothing here says anything about how Consul behaves when servers fail.
 */
export async function startConsulStandIn(options: ConsulStandInOptions = {}): Promise<ConsulStandIn> {
  const state = new ConsulState();
  const context: Context = {
    state,
    random: options.random ?? Math.random,
    minTtlMs: options.sessionTtlMinMs ?? 10_000,
  };
  const host = options.host ?? "127.0.0.1";
  const server = createServer((request, response) => {
    void serve(context, request, response);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port ?? 0, host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    address: `http://${host}:${port}`,
    close: async () => {
      state.close();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}

async function serve(context: Context, request: IncomingMessage, response: ServerResponse): Promise<void> {
  // Both a client that leaves and close() end the connection, and with it the waiting.
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  let answer: Answer;
  try {
    answer = await answerTo(context, request, gone.signal);
  } catch (error) {
    answer = text(500, String(error));
  }
  if (response.destroyed) return;
  response.writeHead(answer.status, { ...answer.headers, "Content-Length": Buffer.byteLength(answer.body) });
  response.end(answer.body);
}

async function answerTo(context: Context, incoming: IncomingMessage, gone: AbortSignal): Promise<Answer> {
  const [rawPath = "", query = ""] = (incoming.url ?? "").split(/\?(.*)/s);
  const cleaned = posix.normalize(rawPath);
  if (cleaned !== rawPath) {
    return { status: 301, headers: { Location: cleaned + (query === "" ? "" : `?${query}`) }, body: "" };
  }
  const path = decodePath(rawPath);
  if (path === undefined) return text(400, "400 Bad Request");
  const params = new URLSearchParams(query);
  if (!["", DATACENTER].includes(params.get("dc") ?? "")) return text(500, "No path to datacenter");
  const declared = Number(incoming.headers["content-length"] ?? 0);
  const setting = path === "/v1/txn" ? "txn_max_req_len" : "kv_max_value_size";
  if (declared > MAX_VALUE_BYTES) return tooLarge(declared, setting);
  const body = await readBody(incoming);
  if (body.length > MAX_VALUE_BYTES) return tooLarge(body.length, setting);
  const answer = await route(context, { method: incoming.method ?? "GET", path, params, body, gone });
  return params.has("pretty") ? indented(answer) : answer;
}

function decodePath(rawPath: string): string | undefined {
  try {
    const path = decodeURIComponent(rawPath);
    return path.includes("\0") ? undefined : path;
  } catch {
    return undefined;
  }
}

function indented(answer: Answer): Answer {
  if (answer.headers["Content-Type"] !== "application/json") return answer;
  return { ...answer, body: `${JSON.stringify(JSON.parse(String(answer.body)), null, 4)}\n` };
}

async function readBody(incoming: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    // What is too large is not kept, only counted.
    if (chunks.length === 0 || bytes - chunk.length <= MAX_VALUE_BYTES) chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
