import type { Account } from "../servers/mariadb-accounts.js";

/** Where clients connect: the traffic port of a ProxySQL, or a database server itself. */
export interface LoadTarget extends Account {
  host: string;
  port: number;
  /** As it is called in records (default `host:port`). */
  name?: string;
}

/** What clients do, and how many do it. Clients are spread over the targets in turn. */
export interface LoadOptions {
  targets: readonly LoadTarget[];
  /** Clients that insert one row at a time, in autocommit (default 8). */
  writers?: number;
  /** Clients that hold a transaction open between two inserts (default 2). */
  transactions?: number;
  /** Clients whose session has a variable set, so that a proxy must keep it on one server (default 2). */
  pinned?: number;
  /** Clients that only read (default 2). */
  readers?: number;
  /** Pause between two turns of a client, in milliseconds (default 40). */
  intervalMs?: number;
  /** The load ends by itself after this time, in milliseconds (default 120 000, at most 600 000). */
  maxDurationMs?: number;
  /** Limit for one statement, in milliseconds (default 15 000). The session is given up then, the outcome unknown. */
  statementTimeoutMs?: number;
  /** Chance for the back-off, 0 to below 1. */
  random?: () => number;
}

export type ClientKind = "autocommit" | "transaction" | "pinned" | "reader";

/** Options with every default, within the limits. */
export interface LoadPlan {
  clients: { kind: ClientKind; target: Required<LoadTarget> }[];
  intervalMs: number;
  maxDurationMs: number;
  statementTimeoutMs: number;
  random: () => number;
}

const MAX_CLIENTS = 200;
const MAX_DURATION_MS = 600_000;

/** @throws when there is no target, or more is wanted than a test machine should be asked for */
export function planLoad(options: LoadOptions): LoadPlan {
  const { writers = 8, transactions = 2, pinned = 2, readers = 2 } = options;
  const kinds = [
    ...repeat("autocommit", writers),
    ...repeat("transaction", transactions),
    ...repeat("pinned", pinned),
    ...repeat("reader", readers),
  ];
  const { intervalMs = 40, maxDurationMs = 120_000, statementTimeoutMs = 15_000 } = options;
  if (kinds.length > MAX_CLIENTS)
    throw new RangeError(`${kinds.length} clients are more than ${MAX_CLIENTS}`);
  if (!(intervalMs >= 1)) throw new RangeError(`a pause of ${intervalMs} ms is less than 1 ms`);
  if (!(maxDurationMs > 0 && maxDurationMs <= MAX_DURATION_MS)) {
    throw new RangeError(`a load of ${maxDurationMs} ms is not within ${MAX_DURATION_MS} ms`);
  }
  const targets = options.targets.map((one) => ({ name: `${one.host}:${one.port}`, ...one }));
  const clients = kinds.map((kind, index) => {
    const target = targets[index % targets.length];
    if (target === undefined) throw new RangeError("a load needs a target");
    return { kind, target };
  });
  return { clients, intervalMs, maxDurationMs, statementTimeoutMs, random: options.random ?? Math.random };
}

function repeat(kind: ClientKind, count: number): ClientKind[] {
  return Array.from({ length: count }, () => kind);
}
