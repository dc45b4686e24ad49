import type { HoldReason } from "./types.js";

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
 * - `CONSUL_CONFIGURATION`: a token, certificate or key that can't be read, or that no request can be made with.
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
  /** Is it certain that no byte of the request has left? Default false. */
  readonly notSent?: boolean | undefined;
  readonly cause?: unknown;
}

/** Whatever goes wrong between us and Consul. Never contains a token: neither in the message nor in the cause. */
export class ConsulError extends Error {
  override readonly name = "ConsulError";
  readonly code: ConsulErrorCode;
  readonly address: string | undefined;
  readonly status: number | undefined;
  /** True where it is certain that no byte of the request has left, so that it can't have had an effect. */
  readonly notSent: boolean;

  constructor(code: ConsulErrorCode, message: string, details: ConsulErrorDetails = {}) {
    super(message, details.cause === undefined ? {} : { cause: details.cause });
    this.code = code;
    this.address = details.address;
    this.status = details.status;
    this.notSent = details.notSent ?? false;
  }
}

/** From what tells an operator most to what tells least. */
const TELLING: readonly ConsulErrorCode[] = [
  "CONSUL_CONFIGURATION",
  "CONSUL_HISTORY_EXISTS",
  "CONSUL_REFUSED",
  "CONSUL_DENIED",
  "CONSUL_TLS",
  "CONSUL_NO_LEADER",
  "CONSUL_SERVER_ERROR",
  "CONSUL_RATE_LIMITED",
  "CONSUL_UNEXPECTED_ANSWER",
  "CONSUL_TIMEOUT",
  "CONSUL_UNREACHABLE",
  "CONSUL_ABORTED",
];

/** One error for several agents that were asked in turn: the most telling, and what the others said. */
export function combineErrors(errors: readonly ConsulError[]): ConsulError {
  const last = new Map(errors.map((error) => [`${error.code} ${error.address ?? ""}`, error]));
  const [first, ...others] = [...last.values()].sort(
    (a, b) => TELLING.indexOf(a.code) - TELLING.indexOf(b.code),
  );
  if (first === undefined) {
    return new ConsulError("CONSUL_TIMEOUT", "Consul was not asked: no time was left", { notSent: true });
  }
  if (others.length === 0) return first;
  const message = [first, ...others].map((error) => error.message).join("; ");
  return new ConsulError(first.code, message, {
    ...detailsOf(first),
    notSent: errors.every((error) => error.notSent),
  });
}

function detailsOf(error: ConsulError): ConsulErrorDetails {
  return { address: error.address, status: error.status, notSent: error.notSent, cause: error.cause };
}

/** Anything thrown as a {@link ConsulError}; what isn't one is a bug of ours and is thrown on. */
export function asConsulError(error: unknown): ConsulError {
  if (error instanceof ConsulError) return error;
  throw error;
}

export function holdReason(code: ConsulErrorCode): HoldReason {
  switch (code) {
    case "CONSUL_DENIED":
      return "denied";
    case "CONSUL_NO_LEADER":
    case "CONSUL_SERVER_ERROR":
      return "no-leader";
    case "CONSUL_RATE_LIMITED":
    case "CONSUL_REFUSED":
    case "CONSUL_HISTORY_EXISTS":
    case "CONSUL_UNEXPECTED_ANSWER":
      return "unexpected-answer";
    case "CONSUL_UNREACHABLE":
    case "CONSUL_TLS":
    case "CONSUL_TIMEOUT":
    case "CONSUL_ABORTED":
    case "CONSUL_CONFIGURATION":
      return "unreachable";
  }
}
