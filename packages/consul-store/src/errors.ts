/**
 * - `CONSUL_UNREACHABLE`: no connection, or it broke before the answer was complete.
 * - `CONSUL_TLS`: the TLS handshake failed; most often a certificate that is not trusted.
 * - `CONSUL_TIMEOUT`: no answer in time.
 * - `CONSUL_ABORTED`: the caller's signal.
 * - `CONSUL_NO_LEADER`: Consul answers that its servers have no leader now.
 * - `CONSUL_SERVER_ERROR`: another error of Consul's own (5xx).
 * - `CONSUL_DENIED`: 403: the token may not do this, or Consul does not know the token.
 * - `CONSUL_RATE_LIMITED`: 429.
 * - `CONSUL_REFUSED`: Consul calls the request itself wrong (400, 413, an error of a transaction).
 * - `CONSUL_HISTORY_EXISTS`: the history already has another record of this generation, although the master key has not.
 * - `CONSUL_UNEXPECTED_ANSWER`: what answered is not Consul as we know it: an HTML page, no JSON, a redirect.
 * - `CONSUL_CONFIGURATION`: a token file or certificate that can't be read.
 */
export type ConsulErrorCode =
  | "CONSUL_UNREACHABLE"
  | "CONSUL_TLS"
  | "CONSUL_TIMEOUT"
  | "CONSUL_ABORTED"
  | "CONSUL_NO_LEADER"
  | "CONSUL_SERVER_ERROR"
  | "CONSUL_DENIED"
  | "CONSUL_RATE_LIMITED"
  | "CONSUL_REFUSED"
  | "CONSUL_HISTORY_EXISTS"
  | "CONSUL_UNEXPECTED_ANSWER"
  | "CONSUL_CONFIGURATION";

export interface ConsulErrorDetails {
  /** Which agent, without credentials. */
  readonly address?: string | undefined;
  /** HTTP status, where there was an answer. */
  readonly status?: number | undefined;
  readonly cause?: unknown;
}

/** Whatever goes wrong between us and Consul. Never contains a token: neither in the message nor in the cause. */
export class ConsulError extends Error {
  override readonly name = "ConsulError";
  readonly code: ConsulErrorCode;
  readonly address: string | undefined;
  readonly status: number | undefined;

  constructor(code: ConsulErrorCode, message: string, details: ConsulErrorDetails = {}) {
    super(message, details.cause === undefined ? {} : { cause: details.cause });
    this.code = code;
    this.address = details.address;
    this.status = details.status;
  }
}
