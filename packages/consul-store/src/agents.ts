import { type AgentAddress, parseAgentAddress } from "./address.js";
import { TokenSource, nodeTls } from "./credentials.js";
import { ConsulError, asConsulError, combineErrors } from "./errors.js";
import { isJson } from "./answers.js";
import { type Answer, AgentConnection, type RequestLimits } from "./npm-consul.js";
import { AddressRotation, backoff } from "./retry.js";
import type { CallOptions, ConsulOptions, Environment } from "./types.js";

/** One request, and how its answer is read. `read` throws a ConsulError for an answer that is none. */
export interface Request<T> {
  readonly send: (agent: AgentConnection, limits: RequestLimits) => Promise<Answer>;
  readonly read: (answer: Answer, from: Origin) => T;
}

/** Where an answer comes from, and since when it can be true. */
export interface Origin {
  readonly address: string;
  /** On the monotonic clock. */
  readonly sentAtMs: number;
}

export interface AttemptLimits {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** All agents of a store. Each is connected with when it is first asked. */
export class Agents {
  readonly environment: Environment;
  readonly requestTimeoutMs: number;
  readonly #options: ConsulOptions;
  readonly #addresses: readonly AgentAddress[];
  readonly #connections = new Map<number, AgentConnection>();
  readonly #tokens: TokenSource;

  /** @throws {ConsulError} CONSUL_CONFIGURATION for an address that is none */
  constructor(options: ConsulOptions, environment: Environment) {
    this.environment = environment;
    this.requestTimeoutMs = options.requestTimeoutMs;
    this.#options = options;
    this.#addresses = options.addresses.map(requireAddress);
    if (this.#addresses.length === 0)
      throw new ConsulError("CONSUL_CONFIGURATION", "no Consul address is given");
    this.#tokens = new TokenSource(options);
  }

  get count(): number {
    return this.#addresses.length;
  }

  newRotation(): AddressRotation {
    return new AddressRotation(this.count);
  }

  /** Asks the rotation's present agent once. A failure moves the rotation on. @throws {ConsulError} */
  async attempt<T>(rotation: AddressRotation, request: Request<T>, limits: AttemptLimits): Promise<T> {
    const index = rotation.current;
    try {
      return await this.#ask(index, request, limits);
    } catch (error) {
      const failure = this.#told(asConsulError(error));
      if (failure.code !== "CONSUL_ABORTED") rotation.failed(index);
      throw failure;
    }
  }

  /**
   * Asks until there is an answer: each agent once, or until `deadlineMs`. For requests that may be sent twice.
   *
   * @throws {ConsulError} the most telling of the errors
   */
  async call<T>(rotation: AddressRotation, request: Request<T>, options: CallOptions): Promise<T> {
    const { environment } = this;
    const limitMs = environment.monotonicNow() + (options.deadlineMs ?? Number.POSITIVE_INFINITY);
    const errors: ConsulError[] = [];
    for (let attempt = 0; ; attempt++) {
      const leftMs = limitMs - environment.monotonicNow();
      if (leftMs <= 0) throw combineErrors(errors);
      try {
        const timeoutMs = Math.min(this.requestTimeoutMs, leftMs);
        return await this.attempt(rotation, request, { timeoutMs, signal: options.signal });
      } catch (error) {
        errors.push(asConsulError(error));
      }
      if (!this.#mayTryAgain(errors, options)) throw combineErrors(errors);
      await this.pauseAfter(attempt, limitMs, options.signal);
    }
  }

  /** No pause before another agent is asked; after each round of all agents, back-off with full jitter. */
  async pauseAfter(attempt: number, limitMs: number, signal: AbortSignal | undefined): Promise<void> {
    const { monotonicNow, random, sleep } = this.environment;
    const rounds = (attempt + 1) / this.count;
    if (!Number.isInteger(rounds)) return;
    await sleep(Math.min(backoff(rounds - 1, random()), Math.max(0, limitMs - monotonicNow())), signal);
  }

  close(): void {
    for (const connection of this.#connections.values()) connection.close();
    this.#connections.clear();
  }

  /**
   * One round for everybody. One try more where a connection broke: a kept connection that Consul has closed
   * meanwhile breaks so. With a deadline further rounds, but not to hear the same refusal again.
   */
  #mayTryAgain(errors: readonly ConsulError[], options: CallOptions): boolean {
    const last = errors.at(-1);
    if (last === undefined || options.signal?.aborted === true || ENDS_CALL.has(last.code)) return false;
    if (errors.length < this.count) return true;
    if (options.deadlineMs !== undefined) return errors.some((error) => error.code !== "CONSUL_DENIED");
    return errors.length === this.count && last.code === "CONSUL_UNREACHABLE" && !last.notSent;
  }

  async #ask<T>(index: number, request: Request<T>, limits: AttemptLimits): Promise<T> {
    const connection = this.#connection(index);
    const limitMs = this.environment.monotonicNow() + limits.timeoutMs;
    const send = async (): Promise<[Answer, Origin]> => {
      const sentAtMs = this.environment.monotonicNow();
      const timeoutMs = Math.max(1, limitMs - sentAtMs);
      const answer = await request.send(connection, { ...limits, timeoutMs, token: this.#tokens.current() });
      return [this.#withoutSecrets(answer), { address: connection.address, sentAtMs }];
    };
    try {
      return request.read(...(await send()));
    } catch (error) {
      if (!(error instanceof ConsulError) || error.code !== "CONSUL_DENIED" || !this.#tokens.refresh())
        throw error;
      return request.read(...(await send()));
    }
  }

  #connection(index: number): AgentConnection {
    const known = this.#connections.get(index);
    if (known !== undefined) return known;
    const address = this.#addresses[index];
    if (address === undefined) throw new RangeError(`there is no agent ${String(index)}`);
    const { tls, httpAuth, datacenter, namespace, partition } = this.#options;
    const connection = new AgentConnection({
      address,
      tls: address.secure ? nodeTls(tls) : { rejectUnauthorized: true },
      httpAuth,
      datacenter,
      namespace,
      partition,
    });
    this.#connections.set(index, connection);
    return connection;
  }

  /**
   * Something in between may quote the request that it refused, headers and all. Before any of it is told: a message is
   * cut off, and half a token would not be recognised. Documents are left as they are.
   */
  #withoutSecrets(answer: Answer): Answer {
    if (answer.status >= 200 && answer.status < 300 && isJson(answer)) return answer;
    return { ...answer, text: this.#redacted(answer.text) };
  }

  /** As it may be told: without secrets, and of a refusal with whence the token is that was refused. */
  #told(error: ConsulError): ConsulError {
    const whence = error.code === "CONSUL_DENIED" ? ` (${this.#tokens.whence})` : "";
    const message = this.#redacted(error.message) + whence;
    if (message === error.message) return error;
    const { code, address, status, notSent } = error;
    return new ConsulError(code, message, { address, status, notSent });
  }

  #redacted(text: string): string {
    const { httpAuth = "" } = this.#options;
    return [this.#tokens.known ?? "", httpAuth, Buffer.from(httpAuth).toString("base64")]
      .filter((secret) => secret !== "")
      .reduce((rest, secret) => rest.replaceAll(secret, "[secret]"), text);
  }
}

/** Errors after which asking another agent changes nothing. */
const ENDS_CALL: ReadonlySet<string> = new Set([
  "CONSUL_ABORTED",
  "CONSUL_CONFIGURATION",
  "CONSUL_HISTORY_EXISTS",
  "CONSUL_REFUSED",
]);

function requireAddress(text: string): AgentAddress {
  const parsed = parseAgentAddress(text);
  if (!parsed.ok) throw new ConsulError("CONSUL_CONFIGURATION", parsed.problem);
  return parsed.value;
}
