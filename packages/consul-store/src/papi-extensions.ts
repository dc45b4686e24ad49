import type { ClientRequest, IncomingMessage } from "node:http";

/** Answers above this are cut off: the largest that we ask for are the acknowledgements of one cluster. */
const MAX_ANSWER_BYTES = 32 * 1024 * 1024;

/** `code` of the error for an answer that was cut off. */
export const TOO_LARGE = "PRIMACY_ANSWER_TOO_LARGE";

export interface TransportError extends Error {
  readonly code?: string;
  readonly isTimeout?: boolean;
  readonly isAbort?: boolean;
}

/** papi's request, as its extensions see it. */
export interface Exchange {
  readonly opts: { buffer?: boolean };
  readonly state: { connected?: boolean };
  transport: Transport;
  readonly res?: IncomingMessage & { body?: Buffer };
  readonly err?: TransportError;
}
interface Transport {
  request: (options: RequestOptions) => ClientRequest;
}
interface RequestOptions {
  readonly hostname?: string;
}

/** Node would not make the request at all: a header that can hold no such text, a certificate that is none. */
export class NoRequestError extends Error {
  override readonly name = "NoRequestError";
}

export type Next = (stop?: false, error?: undefined, result?: Exchange) => void;

/** Leaves the body as bytes: papi would decode by content type, and give back undecoded what it doesn't know. */
export function keepBytes(exchange: Exchange, next: Next): void {
  exchange.opts.buffer = true;
  next();
}

/** Notes whether a connection came about, ends an answer that breaks off (papi waits on), and one that has no end. */
export function watchTransport(exchange: Exchange, next: Next): void {
  const { transport, state } = exchange;
  exchange.transport = {
    request: (options) => {
      const request = makeRequest(transport, options);
      request.once("socket", (socket) => {
        // Over TLS no byte of a request leaves before the handshake is done and the certificate believed.
        const ready = "encrypted" in socket ? "secureConnect" : "connect";
        if (socket.connecting) socket.once(ready, () => (state.connected = true));
        else state.connected = true;
      });
      request.once("response", (response) => limitAnswer(request, response));
      return request;
    },
  };
  next();
}

/** papi takes an IPv6 address out of the URL in its brackets, and Node would look that up as a name. */
function makeRequest(transport: Transport, options: RequestOptions): ClientRequest {
  const { hostname } = options;
  const plain = hostname === undefined ? {} : { hostname: hostname.replace(/^\[(.*)\]$/, "$1") };
  try {
    return transport.request({ ...options, ...plain });
  } catch (error) {
    throw new NoRequestError(error instanceof Error ? error.message : String(error));
  }
}

function limitAnswer(request: ClientRequest, response: IncomingMessage): void {
  let bytes = 0;
  response.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= MAX_ANSWER_BYTES) return;
    const problem = `answers with more than ${String(MAX_ANSWER_BYTES)} bytes`;
    request.emit("error", Object.assign(new Error(problem), { code: TOO_LARGE }));
    request.destroy();
  });
  response.on("error", (error) => request.emit("error", error));
}

/** Ends papi's pipeline before the package's own reading of the answer, with the answer as it came. */
export function handOver(exchange: Exchange, next: Next): void {
  next(false, undefined, exchange);
}
