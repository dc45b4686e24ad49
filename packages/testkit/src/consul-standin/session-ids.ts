import type { ConsulState } from "./consul-state.js";

/** Why Consul can't even look for a session of this name, in its words, or undefined. */
export function refuseSessionId(id: string): string | undefined {
  return id.length === 36 ? undefined : "failed session lookup: index error: UUID must be 36 characters";
}

/** Why a session can't take a lock, in Consul's words, or undefined. */
export function refuseSession(state: ConsulState, id: string): string | undefined {
  if (id === "") return "missing session";
  return (
    refuseSessionId(id) ?? (state.sessions.get(id) ? undefined : `invalid session ${JSON.stringify(id)}`)
  );
}
