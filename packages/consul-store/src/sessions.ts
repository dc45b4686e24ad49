import type { Agents } from "./agents.js";
import { readBoolean, readJson, throwIfError, unexpected } from "./answers.js";
import { ConsulError } from "./errors.js";
import type { Answer } from "./npm-consul.js";
import type { AddressRotation } from "./retry.js";
import { classifyTxnErrors, readTxn, takeOverOperations } from "./transaction.js";
import type { AcknowledgeOutcome, CallOptions, SessionOptions } from "./types.js";

/** Sessions, and the keys that they hold. */
export class Sessions {
  readonly #agents: Agents;
  readonly #rotation: AddressRotation;

  constructor(agents: Agents, rotation: AddressRotation) {
    this.#agents = agents;
    this.#rotation = rotation;
  }

  /**
   * Makes a session that lives by its TTL alone. By default Consul binds sessions to the health of its node too, so
   * that a restarted agent would drop every watcher's acknowledgement beside it.
   *
   * @throws {ConsulError}
   */
  create(session: SessionOptions, options: CallOptions): Promise<string> {
    const { name, ttlSeconds, behavior, lockDelaySeconds } = session;
    const body = {
      name,
      behavior,
      ttl: `${String(ttlSeconds)}s`,
      lockdelay: `${String(lockDelaySeconds)}s`,
      checks: [],
    };
    return this.#agents.call(
      this.#rotation,
      {
        send: (agent, limits) => agent.createSession(body, limits),
        read: (answer, { address }) => readSessionId(answer, address),
      },
      options,
    );
  }

  /** False: the session is gone. @throws {ConsulError} */
  renew(id: string, options: CallOptions): Promise<boolean> {
    return this.#agents.call(
      this.#rotation,
      {
        send: (agent, limits) => agent.renewSession(id, limits),
        read: (answer, { address }) => {
          throwIfError(answer, address);
          if (answer.status !== 404) return Array.isArray(readJson(answer, address));
          if (/session id/i.test(answer.text)) return false;
          throw unexpected(answer, address, "a 404 without a reason");
        },
      },
      options,
    );
  }

  /** Also for a session that is gone already. @throws {ConsulError} */
  destroy(id: string, options: CallOptions): Promise<boolean> {
    return this.#agents.call(
      this.#rotation,
      {
        send: (agent, limits) => agent.destroySession(id, limits),
        read: (answer, { address }) => readBoolean(answer, address),
      },
      options,
    );
  }

  /** Writes a key that lives as long as the session. The same value again changes nothing. @throws {ConsulError} */
  async hold(
    key: string,
    text: string,
    sessionId: string,
    options: CallOptions & { readonly takeOver?: boolean | undefined },
  ): Promise<AcknowledgeOutcome> {
    const outcome = await this.#agents.call(
      this.#rotation,
      {
        send: (agent, limits) => agent.acquire(key, text, sessionId, limits),
        read: (answer, { address }) => acquired(answer, address),
      },
      options,
    );
    return outcome === "held-elsewhere" && options.takeOver === true
      ? this.#takeOver(key, text, sessionId, options)
      : outcome;
  }

  /** False: the session did not hold the key. @throws {ConsulError} */
  release(key: string, sessionId: string, options: CallOptions): Promise<boolean> {
    return this.#agents.call(
      this.#rotation,
      {
        send: (agent, limits) => agent.release(key, sessionId, limits),
        read: (answer, { address }) => readBoolean(answer, address),
      },
      options,
    );
  }

  #takeOver(key: string, text: string, sessionId: string, options: CallOptions): Promise<AcknowledgeOutcome> {
    const operations = takeOverOperations(key, text, sessionId);
    return this.#agents.call(
      this.#rotation,
      {
        send: (agent, limits) => agent.transaction(operations, limits),
        read: (answer, { address }): AcknowledgeOutcome => {
          const result = readTxn(answer, address);
          if (result.kind === "applied") return "written";
          const refusal = classifyTxnErrors(result.errors);
          if (refusal === "session-gone") return "session-gone";
          if (refusal === "locked") return "held-elsewhere";
          const said = result.errors.map((error) => error.what).join("; ");
          const code = refusal === "denied" ? "CONSUL_DENIED" : "CONSUL_REFUSED";
          throw new ConsulError(code, `Consul at ${address} refuses to lock ${key}: ${said}`, {
            address,
            status: 409,
          });
        },
      },
      options,
    );
  }
}

function readSessionId(answer: Answer, address: string): string {
  throwIfError(answer, address);
  if (answer.status === 404) throw unexpected(answer, address, "no sessions");
  const { ID } = (readJson(answer, address) ?? {}) as { ID?: unknown };
  if (typeof ID !== "string" || ID === "") throw unexpected(answer, address, "a session without an id");
  return ID;
}

/** A session that Consul doesn't know is a 500 with `invalid session "…"` (1.8.7). */
function acquired(answer: Answer, address: string): AcknowledgeOutcome {
  if (answer.status === 500 && /invalid session/.test(answer.text)) return "session-gone";
  return readBoolean(answer, address) ? "written" : "held-elsewhere";
}
