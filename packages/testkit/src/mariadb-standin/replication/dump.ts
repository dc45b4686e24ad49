import type { Core } from "../core.js";
import { SqlError } from "../errors.js";
import { needPrivilege } from "../access.js";
import { block, FieldReader, uint16, uint32 } from "../../proxysql-standin/wire/codec.js";
import type { RegisteredReplica, Session } from "../session.js";
import { parseGtids } from "../storage/gtid.js";
import { type DumpMessage, REPLICATION_COM } from "./messages.js";

/** Where a replica says by which transaction it has come, before it asks for those that follow. */
export const POSITION_VARIABLE = "slave_connect_state";

/** COM_REGISTER_SLAVE. */
export function registerPacket({ serverId, host, port }: RegisteredReplica): Buffer {
  return Buffer.concat([
    Buffer.from([REPLICATION_COM.REGISTER_SLAVE]),
    uint32(serverId),
    block(host),
    // The replica's user and password, which nobody sends (report_user).
    block(""),
    block(""),
    uint16(port),
    uint32(0),
    uint32(0),
  ]);
}

export function parseRegister(payload: Buffer): RegisteredReplica {
  const fields = new FieldReader(payload, 1);
  const serverId = fields.uint32();
  const host = fields.block().toString("utf8");
  fields.block();
  fields.block();
  return { serverId, host, port: fields.uint16() };
}

/** COM_BINLOG_DUMP. */
export function dumpRequestPacket(serverId: number): Buffer {
  return Buffer.concat([
    Buffer.from([REPLICATION_COM.BINLOG_DUMP]),
    uint32(4),
    uint16(0),
    uint32(serverId),
    Buffer.from("\0"),
  ]);
}

/**
 * Sends a replica what it does not have, and then every transaction as it is committed.
 *
 * @returns what ends that
 * @throws {SqlError} 1227, or 1236 where the replica can't go on from where it is
 */
export function serveDump(core: Core, session: Session, send: (message: DumpMessage) => void): () => void {
  needPrivilege(session, "REPLICATION SLAVE");
  const [position] = parseGtids(String(session.userVariables.get(POSITION_VARIABLE) ?? ""));
  const entries = core.log.since(position);
  if ("why" in entries) throw new SqlError(1236, entries.why);
  const { serverId } = core.identity;
  const [first] = entries;
  const place = first === undefined ? core.log.coordinates : { file: first.file, position: first.start };
  send({ kind: "start", serverId, file: place.file, position: place.position });
  for (const entry of entries) send({ kind: "entry", entry });
  return core.log.onAppend((entry) => send({ kind: "entry", entry }));
}
