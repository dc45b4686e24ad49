import type { Hostgroups } from "../hostgroups/hostgroups.js";
import { COM } from "../wire/constants.js";
import type { ResponseEnd } from "../wire/response.js";
import { LinkError } from "../wire/server-link.js";
import { type Backend, isLost, type SessionState } from "./backend.js";
import { preparePacket, type Statement, withStatementId } from "./statement.js";

/** How a statement ended on a connection. */
export type Outcome =
  | { kind: "answered"; end: ResponseEnd; packets: Buffer[] }
  /** The connection is gone: it broke, or its server may not be used any more. */
  | { kind: "lost"; sentToClient: boolean; becauseOffline: boolean }
  /** The server refused what ProxySQL had to do before the statement (schema, session variables). */
  | { kind: "refused"; error: LinkError };

/** More than this of an answer is passed on before it is complete (mysql-threshold_resultset_size). */
const PASS_ON_BYTES = 4 * 1024 * 1024;

/** Runs one statement on one connection, and gives it up at once when its server goes offline. */
export async function runOn(
  backend: Backend,
  statement: Statement,
  context: {
    hostgroups: Hostgroups<Backend>;
    state: SessionState;
    /** Passes on the packets of an answer that is too large to be kept. */
    passOn: (packets: Buffer[]) => void;
  },
): Promise<Outcome> {
  const { hostgroups } = context;
  let offline = hostgroups.isOffline(backend.serverId);
  if (offline) return lost(backend, false, true);
  const stop = hostgroups.onChange(() => {
    offline ||= hostgroups.isOffline(backend.serverId);
    // No KILL is sent: the server goes on with the statement and may commit it (destroy_MyConn_from_pool).
    if (offline) backend.link.destroy();
  });
  const answer = new Answer(context.passOn);
  try {
    await backend.adopt(context.state);
    const payload = await toSend(backend, statement);
    countSent(hostgroups, backend, payload);
    const end = await backend.command(payload, (packet) => answer.add(packet));
    hostgroups.pool.counters(backend.serverId).bytesReceived += answer.bytes;
    if (end === "lost" || offline) return lost(backend, answer.passedOn, offline);
    return { kind: "answered", end, packets: answer.packets };
  } catch (error) {
    if (offline || isLost(error)) return lost(backend, answer.passedOn, offline);
    if (error instanceof LinkError) return { kind: "refused", error };
    throw error;
  } finally {
    stop();
  }
}

/** The packet for this connection: an execute needs the id that the statement has here, prepared now if need be. */
async function toSend(backend: Backend, statement: Statement): Promise<Buffer> {
  if (statement.kind !== "execute") return statement.payload;
  const known = backend.statements.get(statement.text);
  if (known !== undefined) return withStatementId(statement.payload, known);
  let id = 0;
  const end = await backend.command(preparePacket(statement.text), (packet) => {
    if (id === 0 && packet[0] === 0) id = packet.readUInt32LE(1);
  });
  if (end === "lost") throw new LinkError(2013, "HY000", "Lost connection to MySQL server during query");
  if (end.error) throw new LinkError(end.error.errno, end.error.sqlstate, end.error.message);
  backend.statements.set(statement.text, id);
  return withStatementId(statement.payload, id);
}

function countSent(hostgroups: Hostgroups<Backend>, backend: Backend, payload: Buffer): void {
  const counters = hostgroups.pool.counters(backend.serverId);
  counters.queries += payload[0] === COM.STMT_PREPARE ? 0 : 1;
  counters.bytesSent += payload.length;
}

function lost(backend: Backend, sentToClient: boolean, becauseOffline: boolean): Outcome {
  backend.link.destroy();
  return { kind: "lost", sentToClient, becauseOffline };
}

/** Keeps the packets of an answer until it is complete or too large. */
class Answer {
  packets: Buffer[] = [];
  passedOn = false;
  bytes = 0;
  #kept = 0;
  readonly #passOn: (packets: Buffer[]) => void;

  constructor(passOn: (packets: Buffer[]) => void) {
    this.#passOn = passOn;
  }

  add(packet: Buffer): void {
    this.packets.push(packet);
    this.bytes += packet.length;
    this.#kept += packet.length;
    if (this.#kept <= PASS_ON_BYTES) return;
    this.#passOn(this.packets);
    this.packets = [];
    this.#kept = 0;
    this.passedOn = true;
  }
}
