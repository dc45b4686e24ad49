import type { LogEntry } from "../storage/binary-log.js";

/** Commands of replication (first byte of a client's packet). */
export const REPLICATION_COM = { BINLOG_DUMP: 0x12, REGISTER_SLAVE: 0x15 } as const;

/** What a master sends to its replicas. */
export type DumpMessage =
  /** First of all: who the master is, and where in its log the replica begins. */
  { kind: "start"; serverId: number; file: string; position: number } | { kind: "entry"; entry: LogEntry };

/**
 * The packet of a message: a zero byte as for a binary log's events, then JSON. So replication runs between stand-ins only,
 * and a real server that is told to replicate from one says that it reads nonsense.
 */
export function dumpPacket(message: DumpMessage): Buffer {
  return Buffer.concat([Buffer.from([0]), Buffer.from(JSON.stringify(message), "utf8")]);
}

export function parseDumpPacket(payload: Buffer): DumpMessage {
  return JSON.parse(payload.toString("utf8", 1)) as DumpMessage;
}
