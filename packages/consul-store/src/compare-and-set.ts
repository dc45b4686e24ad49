import type { Agents } from "./agents.js";
import type { KvItem } from "./answers.js";
import { readKey } from "./cluster-read.js";
import { itemText } from "./documents.js";
import { ConsulError, asConsulError, combineErrors } from "./errors.js";
import type { TxnOperation } from "./npm-consul.js";
import type { AddressRotation } from "./retry.js";
import { type TxnRefusal, type TxnResult, casOperation, classifyTxnErrors, readTxn } from "./transaction.js";
import type { WriteOptions, WriteOutcome } from "./types.js";

/** With less time than this there is no further try: it would only make a known outcome an unknown one. */
const LEAST_TIME_MS = 100;

/** One compare-and-set, which may carry more keys along. */
export interface CompareAndSet {
  readonly key: string;
  /** Two writes with equal text are the same write. A record's text has its writeId in it. */
  readonly text: string;
  /** ModifyIndex; 0 = the key must not be there. */
  readonly expectedIndex: number;
  /** Applied with it or not at all. */
  readonly more?: readonly TxnOperation[];
  /** A key that gets the same text in the same transaction and is never written again: it outlives later writes. */
  readonly keptUnder?: string;
}

/**
 * Writes by compare-and-set, and finds out what became of it.
 *
 * After a request without an answer it reads with `consistent`, and only where the key still has the expected index
 * it sends again. That is safe because all requests of one call are the same bytes on the same index: at most one of
 * them can be applied, also if one that was given up arrives late. (An unconditional PUT that its client had given
 * up on was applied 20 s later, over a newer value: Consul 1.8.7.)
 */
export async function compareAndSet(
  agents: Agents,
  rotation: AddressRotation,
  write: CompareAndSet,
  options: WriteOptions,
): Promise<WriteOutcome> {
  return new Attempt(agents, rotation, write, options).run();
}

type Sent =
  | { readonly kind: "settled"; readonly outcome: WriteOutcome }
  | { readonly kind: "stale" }
  /** Not applied, and worth another try. */
  | { readonly kind: "not-applied"; readonly cause: ConsulError }
  | { readonly kind: "in-doubt"; readonly cause: ConsulError };

type Found = "ours" | "moved" | "not-moved" | "unreadable";

class Attempt {
  readonly #agents: Agents;
  readonly #rotation: AddressRotation;
  readonly #write: CompareAndSet;
  readonly #signal: AbortSignal | undefined;
  readonly #limitMs: number;
  /** Why it isn't known what became of a request; null: of every request it is known. */
  #doubt: ConsulError | null = null;
  readonly #causes: ConsulError[] = [];
  #foundIndex = 0;

  constructor(agents: Agents, rotation: AddressRotation, write: CompareAndSet, options: WriteOptions) {
    this.#agents = agents;
    this.#rotation = rotation;
    this.#write = write;
    this.#signal = options.signal;
    this.#limitMs = agents.environment.monotonicNow() + options.deadlineMs;
  }

  async run(): Promise<WriteOutcome> {
    for (let attempt = 0; this.#mayTry(attempt); attempt++) {
      const outcome = await this.#sendAndSettle();
      if (outcome !== undefined) return outcome;
      await this.#agents.pauseAfter(attempt, this.#limitMs, this.#signal);
    }
    return this.#notCommitted(combineErrors(this.#causes));
  }

  #mayTry(attempt: number): boolean {
    if (this.#signal?.aborted === true) return false;
    return this.#leftMs > (attempt === 0 ? 0 : LEAST_TIME_MS);
  }

  get #leftMs(): number {
    return this.#limitMs - this.#agents.environment.monotonicNow();
  }

  async #sendAndSettle(): Promise<WriteOutcome | undefined> {
    const sent = await this.#send();
    if (sent.kind === "settled") return sent.outcome;
    if (sent.kind === "not-applied" || sent.kind === "in-doubt") this.#causes.push(sent.cause);
    if (sent.kind === "in-doubt") this.#doubt = sent.cause;
    if (sent.kind === "not-applied" && this.#doubt === null) return undefined;
    const found = await this.#look();
    if (found === "ours") return { outcome: "committed", index: this.#foundIndex };
    if (found === "moved") return { outcome: "lost-race" };
    if (sent.kind !== "stale") return undefined;
    // Consul said that the index has moved, and the read could not tell by whom.
    return this.#doubt === null ? { outcome: "lost-race" } : { outcome: "unknown", cause: this.#doubt };
  }

  /** Leaves a third of the time for a look at what became of a request that gets no answer. */
  async #send(): Promise<Sent> {
    const operations = this.#operations;
    const timeoutMs = Math.min(this.#agents.requestTimeoutMs, (this.#leftMs * 2) / 3);
    try {
      const result = await this.#agents.attempt(
        this.#rotation,
        {
          send: (agent, limits) => agent.transaction(operations, limits),
          read: (answer, { address }) => ({ ...readTxn(answer, address), address }),
        },
        { timeoutMs, signal: this.#signal },
      );
      return this.#judge(result);
    } catch (error) {
      return this.#judgeError(asConsulError(error));
    }
  }

  #judge(result: TxnResult & { readonly address: string }): Sent {
    const { key } = this.#write;
    if (result.kind === "applied") {
      const index = result.indexes.get(key);
      if (index !== undefined) return { kind: "settled", outcome: { outcome: "committed", index } };
      const cause = new ConsulError(
        "CONSUL_UNEXPECTED_ANSWER",
        "Consul's transaction has no index for the key",
      );
      return { kind: "in-doubt", cause };
    }
    const refusal = classifyTxnErrors(result.errors);
    if (refusal === "stale") return { kind: "stale" };
    const cause = refusalError(result, refusal, this.#operations);
    return { kind: "settled", outcome: this.#notCommitted(cause) };
  }

  get #operations(): TxnOperation[] {
    const { key, text, expectedIndex, more = [] } = this.#write;
    return [casOperation(key, text, expectedIndex), ...more];
  }

  #judgeError(error: ConsulError): Sent {
    const { code } = error;
    if (error.notSent || code === "CONSUL_RATE_LIMITED") return { kind: "not-applied", cause: error };
    if (code === "CONSUL_DENIED" || code === "CONSUL_REFUSED" || code === "CONSUL_CONFIGURATION") {
      return { kind: "settled", outcome: this.#notCommitted(error) };
    }
    return { kind: "in-doubt", cause: error };
  }

  #notCommitted(cause: ConsulError): WriteOutcome {
    return this.#doubt === null
      ? { outcome: "not-written", cause }
      : { outcome: "unknown", cause: this.#doubt };
  }

  /** What lies there now, by consistent reads until the deadline. */
  async #look(): Promise<Found> {
    const { key, expectedIndex, keptUnder } = this.#write;
    try {
      const item = await this.#read(key);
      if (this.#isOurs(item)) return "ours";
      if ((item?.modifyIndex ?? 0) === expectedIndex) return "not-moved";
      const kept = keptUnder === undefined ? undefined : await this.#read(keptUnder);
      return this.#isOurs(kept) ? "ours" : "moved";
    } catch (error) {
      this.#causes.push(asConsulError(error));
      return "unreadable";
    }
  }

  #isOurs(item: KvItem | undefined): boolean {
    if (item === undefined) return false;
    const decoded = itemText(item);
    if ("kind" in decoded || decoded.text !== this.#write.text) return false;
    this.#foundIndex = item.modifyIndex;
    return true;
  }

  async #read(key: string): Promise<KvItem | undefined> {
    const options = { deadlineMs: this.#leftMs, signal: this.#signal };
    const answer = await readKey(this.#agents, this.#rotation, key, options);
    return answer.items.find((item) => item.key === key);
  }
}

function refusalError(
  result: Extract<TxnResult, { kind: "refused" }> & { readonly address: string },
  refusal: TxnRefusal,
  operations: readonly TxnOperation[],
): ConsulError {
  const said = result.errors.map((error) => error.what).join("; ");
  const keys = result.errors.map((error) => operations[error.opIndex]?.KV.Key ?? "a key").join(", ");
  const details = { address: result.address, status: 409 };
  if (refusal === "denied") {
    return new ConsulError(
      "CONSUL_DENIED",
      `Consul at ${result.address} denies the token to write ${keys}: ${said}`,
      details,
    );
  }
  if (refusal === "other-stale") {
    const message = `${keys} exists already, although the cluster's record has not come that far: was Consul restored, or a key deleted?`;
    return new ConsulError("CONSUL_HISTORY_EXISTS", message, details);
  }
  return new ConsulError(
    "CONSUL_REFUSED",
    `Consul at ${result.address} refused to write ${keys}: ${said}`,
    details,
  );
}
