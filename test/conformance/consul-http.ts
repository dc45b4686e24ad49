import { request } from "node:http";

/** An answer of Consul's HTTP API, as it came. */
export interface HttpAnswer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
  /** X-Consul-Index, or NaN. */
  index: number;
  /** From the request's start to the answer's end. */
  tookMs: number;
}

/** Calls one Consul. */
export type Call = (method: string, path: string, body?: string | Buffer) => Promise<HttpAnswer>;

/** Raw HTTP on a connection of its own per call, paths sent as they are, with a limit of 90 s. */
export function caller(address: string, token?: string): Call {
  return (method, path, body) =>
    new Promise((resolve, reject) => {
      const started = performance.now();
      const headers = {
        ...(token === undefined ? {} : { "X-Consul-Token": token }),
        ...(body === undefined ? {} : { "Content-Length": Buffer.byteLength(body) }),
      };
      const options = { method, path, headers, agent: false, signal: AbortSignal.timeout(90_000) };
      const sent = request(address, options, (response) => {
        const chunks: Buffer[] = [];
        response.on("error", reject);
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            text: Buffer.concat(chunks).toString("utf8"),
            index: Number(response.headers["x-consul-index"]),
            tookMs: performance.now() - started,
          }),
        );
      });
      sent.on("error", reject);
      sent.end(body);
    });
}
