import type { Wish } from "./acquire.js";
import type { Session } from "./session.js";

/** What a session asks the pool for at the beginning of a statement; `fresh` for a connection of its own. */
export function wish(session: Session, hostgroup: number, fresh: boolean): Wish {
  const { variables } = session.proxy;
  return {
    hostgroup,
    user: session.user.username,
    key: session.key,
    schema: session.schema,
    deadline: deadline(session),
    connectTimeoutMs: variables.number("mysql-connect_timeout_server"),
    retries: { left: variables.number("mysql-connect_retries_on_failure") },
    retryDelayMs: variables.number("mysql-connect_retries_delay"),
    fresh,
    signal: session.signal,
  };
}

/** When a wait that begins now is over, in Unix milliseconds. */
export function deadline(session: Session): number {
  return Date.now() + session.proxy.variables.number("mysql-connect_timeout_server_max");
}
