import { EventEmitter } from "node:events";
import http, { type IncomingMessage } from "node:http";
import https from "node:https";
import Consul from "consul";
import type { AgentAddress } from "./address.js";
import type { NodeTls } from "./credentials.js";
import { ConsulError, type ConsulErrorCode } from "./errors.js";
import {
  type Exchange,
  type Next,
  NoRequestError,
  type TransportError,
  TOO_LARGE,
  handOver,
  keepBytes,
  watchTransport,
} from "./papi-extensions.js";

/** Whatever came over HTTP, of any status. */
export interface Answer {
  readonly status: number;
  /** Header by its lower-case name. */
  readonly header: (name: string) => string | undefined;
  readonly text: string;
}

/** Limits and credentials of one request. */
export interface RequestLimits {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  readonly token?: string | undefined;
}

export interface ReadQuery {
  readonly recurse?: boolean;
  readonly consistent?: boolean;
  readonly index?: number;
  readonly waitMs?: number;
}

/** One operation of a transaction, in Consul's own spelling. `Value` is base64. */
export interface TxnOperation {
  readonly KV: {
    readonly Verb: "set" | "cas" | "delete" | "lock";
    readonly Key: string;
    readonly Value?: string;
    readonly Index?: number;
    readonly Session?: string;
  };
}

export interface AgentConnectionOptions {
  readonly address: AgentAddress;
  readonly tls: NodeTls;
  readonly httpAuth?: string | undefined;
  readonly datacenter?: string | undefined;
  readonly namespace?: string | undefined;
  readonly partition?: string | undefined;
}

/**
 * One Consul agent through the npm package `consul` 2.0.1 (and papi 1.1, on which it stands): the only place that
 * knows them.
 *
 * The package makes the requests. What it makes of answers is left out, by papi's own extension points, because
 * nobody could rely on it: a refused compare-and-set and an HTML page of a proxy both become `undefined`, `[null]`
 * throws where nobody can catch it, half an answer is waited for until the time-out, an answer has no largest size.
 */
export class AgentConnection {
  readonly address: string;
  readonly #client: Client;
  readonly #common: Record<string, unknown>;

  constructor(options: AgentConnectionOptions) {
    const { address, tls } = options;
    this.address = address.text;
    this.#common = { dc: options.datacenter, partition: options.partition };
    this.#client = new Consul({
      baseUrl: `${address.baseUrl}/v1`,
      headers: headers(options),
      agent: address.secure
        ? new https.Agent({ keepAlive: true, ...tls })
        : new http.Agent({ keepAlive: true }),
      ...(address.socketPath === null ? {} : { socketPath: address.socketPath }),
      // The package's typings lack baseUrl, headers, socketPath and the extension points; all are there (2.0.1).
    } as object) as unknown as Client;
    extend(this.#client);
  }

  get(key: string, query: ReadQuery, limits: RequestLimits): Promise<Answer> {
    const { recurse, consistent, index, waitMs } = query;
    const blocking = index === undefined ? {} : { index, wait: `${String(waitMs ?? 0)}ms` };
    return this.#send(limits, (common) =>
      this.#client.kv.get({ key: plainKey(key), recurse, consistent, ...blocking, ...common }),
    );
  }

  /** Keys below `folder`; with `separator` only up to the next one. */
  keys(folder: string, separator: string | undefined, limits: RequestLimits): Promise<Answer> {
    return this.#send(limits, (common) =>
      this.#client.kv.keys({ key: plainKey(folder), consistent: true, separator, ...common }),
    );
  }

  acquire(key: string, value: string, sessionId: string, limits: RequestLimits): Promise<Answer> {
    return this.#send(limits, (common) =>
      this.#client.kv.set({ key: plainKey(key), value, acquire: sessionId, ...common }),
    );
  }

  release(key: string, sessionId: string, limits: RequestLimits): Promise<Answer> {
    return this.#send(limits, (common) =>
      this.#client.kv.set({ key: plainKey(key), value: "", release: sessionId, ...common }),
    );
  }

  transaction(operations: readonly TxnOperation[], limits: RequestLimits): Promise<Answer> {
    return this.#send(limits, (common) => this.#client.transaction.create(operations, common));
  }

  createSession(session: Record<string, unknown>, limits: RequestLimits): Promise<Answer> {
    return this.#send(limits, (common) => this.#client.session.create({ ...session, ...common }));
  }

  renewSession(id: string, limits: RequestLimits): Promise<Answer> {
    return this.#send(limits, (common) => this.#client.session.renew({ id, ...common }));
  }

  destroySession(id: string, limits: RequestLimits): Promise<Answer> {
    return this.#send(limits, (common) => this.#client.session.destroy({ id, ...common }));
  }

  close(): void {
    this.#client.destroy();
  }

  /** The package knows no AbortSignal: a request is cancelled by an event on its context. */
  async #send(
    limits: RequestLimits,
    call: (common: Record<string, unknown>) => Promise<unknown>,
  ): Promise<Answer> {
    const { timeoutMs, signal, token } = limits;
    if (signal?.aborted === true)
      throw this.#error("CONSUL_ABORTED", "was not asked: the caller gave up", true);
    const ctx = new EventEmitter();
    const cancel = (): void => void ctx.emit("cancel");
    signal?.addEventListener("abort", cancel, { once: true });
    try {
      const exchange = (await call({ ...this.#common, token, ctx, timeout: timeoutMs })) as Exchange;
      const { res, err } = exchange;
      if (res?.complete === true) return answer(res);
      throw this.#transportError(err, exchange.state.connected !== true, timeoutMs);
    } catch (error) {
      if (!(error instanceof NoRequestError)) throw error;
      throw this.#error("CONSUL_CONFIGURATION", `can't be asked with these settings: ${error.message}`, true);
    } finally {
      signal?.removeEventListener("abort", cancel);
    }
  }

  #transportError(error: TransportError | undefined, notSent: boolean, timeoutMs: number): ConsulError {
    if (error?.isAbort === true)
      return this.#error("CONSUL_ABORTED", "was being asked when the caller gave up", notSent);
    if (error?.isTimeout === true) {
      return this.#error(
        "CONSUL_TIMEOUT",
        `does not answer within ${String(Math.round(timeoutMs))} ms`,
        notSent,
      );
    }
    const why = reason(error);
    if (error?.code === TOO_LARGE) return this.#error("CONSUL_UNEXPECTED_ANSWER", error.message, notSent);
    if (error?.code?.startsWith("HPE_") === true) {
      return this.#error("CONSUL_UNEXPECTED_ANSWER", `does not speak HTTP: ${why}`, notSent);
    }
    if (isUntrusted(error)) return this.#error("CONSUL_TLS", `can't be trusted: ${why}`, true);
    if (isTlsError(error)) return this.#error("CONSUL_TLS", `does not agree on TLS: ${why}`, notSent);
    return this.#error("CONSUL_UNREACHABLE", `can't be reached: ${why}`, notSent);
  }

  /** No cause: papi's errors hold the request, and with it the token. */
  #error(code: ConsulErrorCode, what: string, notSent: boolean): ConsulError {
    return new ConsulError(code, `Consul at ${this.address} ${what}`, { address: this.address, notSent });
  }
}

/** Node's own messages begin with "connect ECONNREFUSED", papi's leave the code out. */
function reason(error: TransportError | undefined): string {
  const { code, message = "no answer" } = error ?? {};
  return code === undefined || message.includes(code) ? message : `${code}: ${message}`;
}

interface Client {
  _ext: (
    event: "onCreate" | "onRequest" | "onResponse",
    extension: (exchange: Exchange, next: Next) => void,
  ) => void;
  kv: Record<"get" | "keys" | "set", (options: object) => Promise<unknown>>;
  session: Record<"create" | "renew" | "destroy", (options: object) => Promise<unknown>>;
  transaction: { create: (operations: readonly TxnOperation[], options: object) => Promise<unknown> };
  destroy: () => void;
}

/* oxlint-disable no-underscore-dangle -- papi's documented name for adding an extension */
function extend(client: Client): void {
  client._ext("onCreate", keepBytes);
  client._ext("onRequest", watchTransport);
  client._ext("onResponse", handOver);
}
/* oxlint-enable no-underscore-dangle */

/** The package would write `/` as %2F, which not every proxy in between passes on. */
function plainKey(key: string): unknown {
  const path = key.split("/").map(encodeURIComponent).join("/");
  return { encode: false, toString: () => path };
}

/** `ns` is typed in the package and ignored (2.0.1); Consul takes the header too. */
function headers(options: AgentConnectionOptions): Record<string, string> {
  const { namespace, httpAuth } = options;
  return {
    ...(namespace === undefined ? {} : { "x-consul-namespace": namespace }),
    ...(httpAuth === undefined ? {} : { authorization: `Basic ${Buffer.from(httpAuth).toString("base64")}` }),
  };
}

function answer(response: IncomingMessage & { body?: Buffer }): Answer {
  return {
    status: response.statusCode ?? 0,
    header: (name) => {
      const value = response.headers[name];
      return Array.isArray(value) ? value[0] : value;
    },
    text: response.body?.toString("utf8") ?? "",
  };
}

/** The certificate was looked at and not believed, before anything was sent. */
function isUntrusted(error: TransportError | undefined): boolean {
  const code = error?.code ?? "";
  return /^(?:ERR_TLS_CERT_ALTNAME_|CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_)/.test(code);
}

function isTlsError(error: TransportError | undefined): boolean {
  return /^(?:ERR_TLS_|ERR_SSL_|EPROTO)/.test(error?.code ?? "");
}
