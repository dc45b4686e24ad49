import type { Wish } from "./acquire.js";
import type { Session } from "./session.js";

/** What a session asks the pool for; `fresh` for a connection of its own. */
export function wish(session: Session, hostgroup: number, fresh: boolean): Wish {
  const { variables } = session.proxy;
  return {
    hostgroup,
    user: session.user.username,
    key: session.key,
    schema: session.schema,
    deadline: Date.now() + variables.number("mysql-connect_timeout_server_max"),
    connectTimeoutMs: variables.number("mysql-connect_timeout_server"),
    retries: variables.number("mysql-connect_retries_on_failure"),
    retryDelayMs: variables.number("mysql-connect_retries_delay"),
    fresh,
    signal: session.signal,
  };
}
