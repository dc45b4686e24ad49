import { SqlError } from "../errors.js";

/** A transaction's name in the binary log: `domain-server-sequence`. */
export interface Gtid {
  domain: number;
  server: number;
  sequence: number;
}

/** The only replication domain of the stand-in: MariaDB's default. */
export const DOMAIN = 0;

/** `0-1-5`, or an empty text for no transaction at all. */
export function gtidText(gtid: Gtid | undefined): string {
  return gtid === undefined ? "" : `${gtid.domain}-${gtid.server}-${gtid.sequence}`;
}

/** Reads `0-1-5,1-7-2`. @throws {SqlError} 1941 */
export function parseGtids(text: string): Gtid[] {
  if (text.trim() === "") return [];
  return text.split(",").map((part) => {
    const [, domain, server, sequence] = /^\s*(\d+)-(\d+)-(\d+)\s*$/.exec(part) ?? [];
    if (sequence === undefined) throw new SqlError(1941, "Could not parse GTID list");
    return { domain: Number(domain), server: Number(server), sequence: Number(sequence) };
  });
}

export function sameGtid(a: Gtid | undefined, b: Gtid | undefined): boolean {
  return gtidText(a) === gtidText(b);
}

/** Has a server at `position` everything up to each of `wanted`? As MASTER_GTID_WAIT asks: the sequence counts alone. */
export function reaches(position: Gtid | undefined, wanted: readonly Gtid[]): boolean {
  return wanted.every((one) => one.domain === DOMAIN && one.sequence <= (position?.sequence ?? 0));
}

/**
 * `@@gtid_current_pos`: the last transaction of the binary log where this server wrote it itself and it is newer than what
 * was replicated last, else the latter.
 */
export function currentPosition(
  serverId: number,
  binlog: Gtid | undefined,
  replicated: Gtid | undefined,
): Gtid | undefined {
  const own = binlog?.server === serverId && binlog.sequence > (replicated?.sequence ?? 0);
  return own ? binlog : replicated;
}
