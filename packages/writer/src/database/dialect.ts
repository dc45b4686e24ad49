import { type Parsed, printable } from "@primacy/contract";
import type { Row } from "./session.js";

/*
 * What differs between MySQL 5.7, 8, 9 and MariaDB 10.5 and later. Pure: version and variables in, statements out.
 * Tried on MariaDB 10.11.14 and MySQL 9.7.4; the older ones by their manuals.
 */

/** What is asked for first, on any of them: a variable that a server does not have is left out of the answer. */
export const FACTS_STATEMENT =
  "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('version', 'read_only', 'super_read_only', 'gtid_mode')";

/** Sessions, on any of them. What they run is not asked for beyond the first 100 characters, and never looked at. */
export const SESSIONS_STATEMENT = "SHOW PROCESSLIST";

/** A server's variables, by their names in lower case. */
export type Variables = ReadonlyMap<string, string>;

/** Up to where a server has written, or read. */
export type Position =
  | { readonly kind: "gtid"; readonly set: string }
  | { readonly kind: "file"; readonly file: string; readonly position: number };

/** A question and how its one row is to be read. */
export interface Question<T> {
  readonly sql: string;
  readonly read: (row: Row | undefined) => T;
}

/** Of each group, one is enough. The names are those of SHOW GRANTS. */
export type PrivilegeGroups = readonly (readonly string[])[];

/** What the account needs, on all databases. */
export interface Privileges {
  /** To silence an old master. */
  readonly toSilence: PrivilegeGroups;
  /** To open a new one, beside those. */
  readonly toOpen: PrivilegeGroups;
}

export interface Dialect {
  /** For people: "MariaDB 10.11.14". */
  readonly name: string;
  readonly family: "mysql" | "mariadb";
  /** Is there a super_read_only, which binds administrators too? */
  readonly superReadOnly: boolean;
  readonly readOnlyOn: string;
  readonly readOnlyOff: string;
  /** Does every transaction have a GTID? */
  readonly gtid: boolean;
  /** The end of the binary log, by GTID where `byGtid`. Null: it has none. */
  readonly position: (byGtid: boolean) => Question<Position | null>;
  /**
   * What a server has executed or written itself, where its wait does not count what it wrote itself (MariaDB: after
   * A, B, A the last transactions that B has may be A's own, and A's gtid_slave_pos never gets there).
   */
  readonly ownPosition: Question<Position | null> | null;
  /**
   * Waits, on a replica, until it has executed all up to a position: true; false when the seconds are over; null where
   * it can't tell, because it is nobody's replica.
   */
  readonly waitFor: (position: Position, seconds: number) => Question<boolean | null>;
  readonly privileges: Privileges;
  readonly replicaStatus: string;
  readonly stopReceiver: string;
  readonly stopReplica: string;
  readonly forgetSource: string;
}

export function readVariables(rows: readonly Row[]): Variables {
  return new Map(
    rows.map((row) => [String(row["Variable_name"]).toLowerCase(), String(row["Value"])] as const),
  );
}

/** Does it refuse writes: also those of administrators where there is such a thing? MariaDB 12 has more words for yes. */
export function isReadOnly(variables: Variables): boolean {
  const value = variables.get("super_read_only") ?? variables.get("read_only") ?? "OFF";
  return isOn(value);
}

/** Does it refuse anybody's writes? */
export function isWritable(variables: Variables): boolean {
  return !isOn(variables.get("read_only") ?? "OFF") && !isOn(variables.get("super_read_only") ?? "OFF");
}

function isOn(value: string): boolean {
  return value !== "OFF" && value !== "0";
}

export function dialectOf(variables: Variables): Parsed<Dialect> {
  const version = variables.get("version") ?? "";
  const found = /^(?:5\.5\.5-)?(\d+)\.(\d+)\.(\d+)/.exec(version);
  if (found === null)
    return { ok: false, problem: `"${printable(version)}" is no version of MySQL or MariaDB` };
  const [, major, minor, patch] = found.map(Number) as [number, number, number, number];
  const number = `${String(major)}.${String(minor)}.${String(patch)}`;
  const code = major * 10_000 + minor * 100 + patch;
  if (/mariadb/i.test(version)) {
    if (code < 100_500) return { ok: false, problem: `MariaDB ${number} is older than 10.5` };
    return { ok: true, value: mariaDb(number) };
  }
  if (code < 50_708) return { ok: false, problem: `MySQL ${number} is older than 5.7.8` };
  return { ok: true, value: mySql(number, code, variables) };
}

/** MariaDB 10.5 shows REPLICA MONITOR as SLAVE MONITOR, and BINLOG MONITOR is the REPLICATION CLIENT of before. */
const MARIADB_PRIVILEGES: Privileges = {
  toSilence: [["PROCESS"], ["BINLOG MONITOR"], ["CONNECTION ADMIN"], ["READ_ONLY ADMIN"]],
  toOpen: [["REPLICATION SLAVE ADMIN"], ["SLAVE MONITOR", "REPLICA MONITOR"], ["RELOAD"]],
};

/** Before 8.0 there is nothing finer than SUPER, which later versions still take. */
const MYSQL_PRIVILEGES: Privileges = {
  toSilence: [
    ["PROCESS"],
    ["REPLICATION CLIENT"],
    ["CONNECTION_ADMIN", "SUPER"],
    ["SYSTEM_VARIABLES_ADMIN", "SUPER"],
  ],
  toOpen: [["REPLICATION_SLAVE_ADMIN", "SUPER"], ["RELOAD"]],
};

function mariaDb(number: string): Dialect {
  return {
    name: `MariaDB ${number}`,
    family: "mariadb",
    superReadOnly: false,
    readOnlyOn: "SET GLOBAL read_only=1",
    readOnlyOff: "SET GLOBAL read_only=0",
    gtid: true,
    position: (byGtid) =>
      byGtid
        ? gtidPosition("SELECT @@global.gtid_binlog_pos AS position")
        : filePosition("SHOW MASTER STATUS"),
    ownPosition: gtidPosition("SELECT @@global.gtid_current_pos AS position"),
    waitFor: (position, seconds) =>
      position.kind === "gtid"
        ? outcome(`MASTER_GTID_WAIT('${position.set}', ${wholeSeconds(seconds)})`, (value) => value === 0)
        : fileWait("MASTER_POS_WAIT", position, seconds),
    privileges: MARIADB_PRIVILEGES,
    replicaStatus: "SHOW SLAVE STATUS",
    stopReceiver: "STOP SLAVE IO_THREAD",
    stopReplica: "STOP SLAVE",
    forgetSource: "RESET SLAVE ALL",
  };
}

/** Words that went away: MASTER STATUS in 8.4 (the new one is in 8.2), SLAVE in 8.4 (the new one is in 8.0.22). */
function mySql(number: string, code: number, variables: Variables): Dialect {
  const replica = code >= 80_022 ? "REPLICA" : "SLAVE";
  const status = code >= 80_200 ? "SHOW BINARY LOG STATUS" : "SHOW MASTER STATUS";
  const positionWait = code >= 80_026 ? "SOURCE_POS_WAIT" : "MASTER_POS_WAIT";
  const superReadOnly = variables.has("super_read_only");
  return {
    name: `MySQL ${number}`,
    family: "mysql",
    superReadOnly,
    // super_read_only=1 sets read_only too, and read_only=0 takes both back; both are said all the same.
    readOnlyOn: superReadOnly ? "SET GLOBAL read_only=1, GLOBAL super_read_only=1" : "SET GLOBAL read_only=1",
    readOnlyOff: superReadOnly
      ? "SET GLOBAL super_read_only=0, GLOBAL read_only=0"
      : "SET GLOBAL read_only=0",
    gtid: variables.get("gtid_mode") === "ON",
    position: (byGtid) =>
      byGtid ? gtidPosition("SELECT @@global.gtid_executed AS position") : filePosition(status),
    ownPosition: null,
    waitFor: (position, seconds) =>
      position.kind === "gtid"
        ? outcome(
            `WAIT_FOR_EXECUTED_GTID_SET('${position.set}', ${wholeSeconds(seconds)})`,
            (value) => value === 0,
          )
        : fileWait(positionWait, position, seconds),
    privileges: MYSQL_PRIVILEGES,
    replicaStatus: `SHOW ${replica} STATUS`,
    stopReceiver: `STOP ${replica} IO_THREAD`,
    stopReplica: `STOP ${replica}`,
    forgetSource: `RESET ${replica} ALL`,
  };
}

/**
 * MariaDB's `domain-server-sequence,…`: what of `wanted` is beyond `had`; null: nothing. Sequences of a domain rise
 * whoever wrote them.
 */
export function beyond(wanted: Position, had: Position | null): Position | null {
  if (wanted.kind !== "gtid" || had?.kind !== "gtid") return wanted;
  const reached = new Map(had.set.split(",").map((gtid) => gtidParts(gtid)));
  const rest = wanted.set.split(",").filter((gtid) => {
    const [domain, sequence] = gtidParts(gtid);
    return (reached.get(domain) ?? -1n) < sequence;
  });
  return rest.length === 0 ? null : { kind: "gtid", set: rest.join(",") };
}

function gtidParts(gtid: string): [domain: string, sequence: bigint] {
  const found = /^(\d+)-\d+-(\d+)$/.exec(gtid);
  if (found === null) throw new Error(`"${printable(gtid)}" is no GTID of MariaDB`);
  return [found[1] ?? "", BigInt(found[2] ?? "0")];
}

function gtidPosition(sql: string): Question<Position | null> {
  return {
    sql,
    read: (row) => {
      // MySQL breaks the line after each server's part.
      const set = String(row?.["position"] ?? "").replace(/\s+/g, "");
      return set === "" ? null : { kind: "gtid", set: safeText(set, /^[\w:,-]+$/) };
    },
  };
}

function filePosition(sql: string): Question<Position | null> {
  return {
    sql,
    read: (row) => {
      if (row === undefined) return null;
      const file = safeText(String(row["File"]), /^[^'\\\0]+$/);
      return { kind: "file", file, position: Number(row["Position"]) };
    },
  };
}

/** How many events it took; -1 when the time is over; null when it is no running replica. */
function fileWait(
  name: string,
  { file, position }: Extract<Position, { kind: "file" }>,
  seconds: number,
): Question<boolean | null> {
  return outcome(`${name}('${file}', ${String(position)}, ${wholeSeconds(seconds)})`, (value) => value >= 0);
}

function outcome(call: string, reached: (value: number) => boolean): Question<boolean | null> {
  return {
    sql: `SELECT ${call} AS outcome`,
    read: (row) => {
      const value = row?.["outcome"];
      return value === null || value === undefined ? null : reached(Number(value));
    },
  };
}

/** 5.7 takes whole seconds, and 0 would be no limit. */
function wholeSeconds(seconds: number): string {
  return String(Math.max(1, Math.floor(seconds)));
}

/** A position is pasted into the next statement: what can't be one is not. */
function safeText(text: string, allowed: RegExp): string {
  if (!allowed.test(text)) throw new Error(`"${printable(text)}" is no position in a binary log`);
  return text;
}
