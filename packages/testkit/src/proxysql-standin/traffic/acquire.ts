import type { Hostgroups } from "../hostgroups/hostgroups.js";
import { LinkError, ServerLink } from "../wire/server-link.js";
import { Backend } from "./backend.js";

/** Who wants a connection to which hostgroup, and for how long it may wait. */
export interface Wish {
  readonly hostgroup: number;
  readonly user: string;
  /** SHA1(password). */
  readonly key: Buffer;
  readonly schema: string;
  /** Unix milliseconds after which the wait is over; Infinity for a wait without end. */
  readonly deadline: number;
  /** mysql-connect_timeout_server. */
  readonly connectTimeoutMs: number;
  /** mysql-connect_retries_on_failure, counted down over all waits of one statement. */
  readonly retries: { left: number };
  /** mysql-connect_retries_delay. */
  readonly retryDelayMs: number;
  /** A connection of its own, not one from the pool (fast_forward). */
  readonly fresh: boolean;
  /** Aborts the wait: the client is gone or was killed. */
  readonly signal: AbortSignal;
}

/** Looks again at least this often when no server is there: ProxySQL's mysql-poll_timeout_on_failure. */
const LOOK_AGAIN_MS = 100;

/**
 * A connection to a server of the hostgroup. While there is no server to connect to, it waits until one comes, and uses
 * that one at once.
 *
 * @throws {LinkError} with the server's error when every try failed; 9001 is told by "timeout".
 */
export async function acquire(
  hostgroups: Hostgroups<Backend>,
  wish: Wish,
): Promise<Backend | "timeout" | "gone"> {
  for (;;) {
    if (wish.signal.aborted) return "gone";
    if (Date.now() >= wish.deadline) return "timeout";
    const server = hostgroups.pick(wish.hostgroup);
    if (!server) {
      await changeOrPause(hostgroups, wish.signal, Math.min(LOOK_AGAIN_MS, wish.deadline - Date.now()));
      continue;
    }
    const free = wish.fresh ? undefined : hostgroups.pool.take(server.id, wish.user);
    if (free) return free;
    try {
      return await connect(hostgroups, server.id, wish);
    } catch (error) {
      if (!(error instanceof LinkError)) throw error;
      hostgroups.applyConnectError(server.id, error.errno);
      // 1226: the user has used up its resources; trying again can't help (MySQL_Session.cpp:3348).
      if (wish.retries.left === 0 || error.errno === 1226) throw error;
      wish.retries.left -= 1;
      await changeOrPause(hostgroups, wish.signal, wish.retryDelayMs);
    }
  }
}

async function connect(hostgroups: Hostgroups<Backend>, serverId: number, wish: Wish): Promise<Backend> {
  const server = hostgroups.server(serverId);
  if (!server) throw new LinkError(2002, "HY000", "the server is in force no more");
  const timeoutMs = Math.max(1, Math.min(wish.connectTimeoutMs, wish.deadline - Date.now()));
  const { user, key, schema } = wish;
  const link = new ServerLink(server.hostname, server.port);
  const backend = new Backend(link, serverId, user, schema);
  // A connection counts as used while it is being made.
  hostgroups.pool.addUsed(backend);
  link.onClose = () => hostgroups.pool.forget(backend);
  await link.login({ user, key, database: schema, timeoutMs });
  hostgroups.pool.counters(serverId).connectionsOk += 1;
  return backend;
}

/** Waits until the hostgroups change, the wish is dropped or the time is over. */
function changeOrPause(hostgroups: Hostgroups<Backend>, signal: AbortSignal, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      stop();
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, Math.max(0, ms));
    const stop = hostgroups.onChange(done);
    signal.addEventListener("abort", done);
  });
}
