import { once } from "node:events";
import http, { type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/**
 * What the proxy does with a request:
 * - `pass`: nothing.
 * - `hold`: keeps it, unanswered, until `release`; then Consul gets it, late.
 * - `lose-answer`: Consul gets it, the client gets a broken connection.
 * - `reset`: Consul never gets it, the client gets a broken connection.
 * - `half-answer`: Consul gets it, the client gets half of the answer's bytes.
 * - `html`: Consul never gets it, the client gets a 200 with a page.
 * - `silent`: nobody ever hears of it again.
 */
export type Fault = "pass" | "hold" | "lose-answer" | "reset" | "half-answer" | "html" | "silent";

/** Stands between a store and a Consul, and fails as told. */
export class FaultProxy {
  /** Asked for every request: method and path. */
  decide: (request: string) => Fault = () => "pass";
  readonly #upstream: string;
  readonly #server: http.Server;
  readonly #held: (() => Promise<void>)[] = [];

  private constructor(upstream: string) {
    this.#upstream = upstream;
    this.#server = http.createServer((request, response) => {
      // A client that gives up while it is being read has nobody left to be told.
      this.#serve(request, response).catch(() => request.socket.destroy());
    });
  }

  static async start(upstream: string): Promise<FaultProxy> {
    const proxy = new FaultProxy(upstream);
    proxy.#server.listen(0, "127.0.0.1");
    await once(proxy.#server, "listening");
    return proxy;
  }

  get address(): string {
    return `http://127.0.0.1:${String((this.#server.address() as AddressInfo).port)}`;
  }

  /** How many requests are held. */
  get held(): number {
    return this.#held.length;
  }

  /** The faults for the next so many requests that match; then they pass again. */
  next(pattern: RegExp, ...faults: Fault[]): void {
    this.decide = (request) => (pattern.test(request) ? (faults.shift() ?? "pass") : "pass");
  }

  /** Lets Consul have what was held, in the order of its coming; resolves when Consul has answered. */
  async release(): Promise<void> {
    for (const forward of this.#held.splice(0)) await forward();
  }

  /** Passes everything again, and drops what was held. */
  reset(): void {
    this.decide = () => "pass";
    this.#held.length = 0;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readAll(request);
    const fault = this.decide(`${request.method ?? ""} ${request.url ?? ""}`);
    if (fault === "silent") return;
    if (fault === "reset") {
      request.socket.destroy();
      return;
    }
    if (fault === "html") {
      response
        .writeHead(200, { "content-type": "text/html" })
        .end("<html><body>Welcome to the portal</body></html>");
      return;
    }
    if (fault === "hold") {
      this.#held.push(async () => void (await this.#forward(request, body).catch(() => undefined)));
      return;
    }
    try {
      const answer = await this.#forward(request, body);
      if (fault === "lose-answer") request.socket.destroy();
      else send(response, answer, fault === "half-answer");
    } catch {
      request.socket.destroy();
    }
  }

  async #forward(request: IncomingMessage, body: Buffer): Promise<{ head: IncomingMessage; body: Buffer }> {
    const forwarded = http.request(`${this.#upstream}${request.url ?? ""}`, {
      method: request.method,
      headers: request.headers,
      agent: false,
    });
    request.socket.once("close", () => forwarded.destroy());
    forwarded.end(body);
    const [head] = (await once(forwarded, "response")) as [IncomingMessage];
    return { head, body: await readAll(head) };
  }
}

function send(
  response: ServerResponse,
  answer: { head: IncomingMessage; body: Buffer },
  half: boolean,
): void {
  const { "transfer-encoding": _, ...headers } = answer.head.headers;
  response.writeHead(answer.head.statusCode ?? 502, { ...headers, "content-length": answer.body.length });
  if (!half) {
    response.end(answer.body);
    return;
  }
  response.write(answer.body.subarray(0, answer.body.length / 2), () => response.destroy());
}

async function readAll(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
