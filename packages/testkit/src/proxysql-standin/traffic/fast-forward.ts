import type { Packet } from "../wire/packets.js";
import { LinkError } from "../wire/server-link.js";
import { acquire } from "./acquire.js";
import type { Backend } from "./backend.js";
import type { Session } from "./session.js";
import { wish } from "./wish.js";

/**
 * A fast_forward user's first packet: the session gets a backend connection of its own, and from then on bytes go
 * through untouched. Such a session does not notice by its next statement that its server is offline; the port's
 * maintenance drops it.
 *
 * @returns where the client's packets go; undefined when there is no server and the client was told.
 */
export async function fastForward(
  session: Session,
  packet: Packet,
): Promise<((packet: Packet) => void) | undefined> {
  const hostgroup = session.user.defaultHostgroup;
  session.hostgroup = hostgroup;
  const startedAt = Date.now();
  try {
    const backend = await acquire(session.proxy.hostgroups, wish(session, hostgroup, true));
    if (backend === "gone") return undefined;
    if (backend !== "timeout") return connected(session, backend, packet);
    const waited = Date.now() - startedAt;
    const reached = `reaching hostgroup ${hostgroup} for 'fast_forward' session after ${waited}ms`;
    session.fail(9001, "HY000", `Max connect timeout reached while ${reached}`);
  } catch (error) {
    if (!(error instanceof LinkError)) throw error;
    session.fail(error.errno, error.sqlstate, error.message);
  }
  return undefined;
}

function connected(session: Session, backend: Backend, packet: Packet): (packet: Packet) => void {
  session.fastForwarded = backend;
  backend.link.onClose = () => {
    session.proxy.hostgroups.pool.forget(backend);
    session.destroy();
  };
  const forward = backend.link.passThrough((chunk) => session.client.write(chunk));
  forward(packet);
  return forward;
}
