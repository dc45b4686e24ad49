/** A request as the endpoints see it. */
export interface Request {
  method: string;
  /** Decoded, without the query. */
  path: string;
  params: URLSearchParams;
  body: Buffer;
  /** Aborted when the client has gone away or the stand-in is closed. */
  gone: AbortSignal;
}

/** What goes back to the client. */
export interface Answer {
  status: number;
  headers: Record<string, string>;
  body: string | Buffer;
}

/** 200 with a JSON body. */
export function json(value: unknown, headers: Record<string, string> = {}, status = 200): Answer {
  return { status, headers: { ...headers, "Content-Type": "application/json" }, body: JSON.stringify(value) };
}

/** An error as Consul says it: plain text. */
export function text(status: number, body: string): Answer {
  return { status, headers: { "Content-Type": "text/plain; charset=utf-8" }, body };
}

/** The headers of an answer to a read. This stand-in is its own leader. */
export function readHeaders(index: number): Record<string, string> {
  return { "X-Consul-Index": String(Math.max(1, index)), ...leaderHeaders() };
}

export function leaderHeaders(): Record<string, string> {
  return { "X-Consul-KnownLeader": "true", "X-Consul-LastContact": "0" };
}
