import { once } from "node:events";
import http, {
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from "node:http";
import https, { type ServerOptions } from "node:https";
import type { AddressInfo, ListenOptions } from "node:net";
import { ConsulStore } from "../../src/store.js";
import type { ConsulOptions, Environment } from "../../src/types.js";

/** Something that listens where an agent should, and answers as the test says. */
export class FakeAgent {
  /** "METHOD path" of every request so far. */
  readonly requests: string[] = [];
  readonly headers: http.IncomingHttpHeaders[] = [];
  readonly server: Server;
  #answer: RequestListener;

  private constructor(answer: RequestListener, tls?: ServerOptions) {
    this.#answer = answer;
    const listener: RequestListener = (request, response) => this.#serve(request, response);
    this.server = tls === undefined ? http.createServer(listener) : https.createServer(tls, listener);
    // Longer than a slow machine may take from one request to the next.
    this.server.keepAliveTimeout = 120_000;
  }

  static async start(
    answer: RequestListener,
    options: { tls?: ServerOptions; listen?: ListenOptions } = {},
  ): Promise<FakeAgent> {
    const agent = new FakeAgent(answer, options.tls);
    agent.server.listen(options.listen ?? { host: "127.0.0.1", port: 0 });
    await once(agent.server, "listening");
    return agent;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get address(): string {
    const scheme = this.server instanceof https.Server ? "https" : "http";
    return `${scheme}://127.0.0.1:${String(this.port)}`;
  }

  answer(answer: RequestListener): void {
    this.#answer = answer;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    if (!this.server.listening) return;
    this.server.close();
    await once(this.server, "close");
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    this.requests.push(`${request.method ?? ""} ${request.url ?? ""}`);
    this.headers.push(request.headers);
    request.resume();
    this.#answer(request, response);
  }
}

/** An answer as Consul gives it. */
export function consulAnswer(
  status: number,
  body: string,
  headers: http.OutgoingHttpHeaders = {},
): RequestListener {
  return (_, response) => {
    const type =
      body.startsWith("[") || body.startsWith("{") ? "application/json" : "text/plain; charset=utf-8";
    response.writeHead(status, { "content-type": type, "x-consul-index": "7", ...headers }).end(body);
  };
}

/** An empty folder, as Consul answers it. */
export const emptyFolder = consulAnswer(404, "");

/** A request has half a minute, where a test does not wait for its end. */
export function makeStore(
  addresses: readonly string[],
  options: Partial<ConsulOptions> = {},
  environment?: Environment,
): ConsulStore {
  return new ConsulStore(
    { addresses, prefix: "primacy/", requestTimeoutMs: 30_000, ...options },
    environment,
  );
}
