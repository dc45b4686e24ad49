import type { Change } from "./change.js";
import { DOMAIN, type Gtid, gtidText, sameGtid } from "./gtid.js";

/** A place in a binary log. */
export interface Coordinates {
  file: string;
  position: number;
}

/** One transaction, and where it ends in the log. */
export interface LogEntry extends Coordinates {
  /** Where it begins in the same file. */
  start: number;
  gtid: Gtid;
  change: Change;
}

/** Where a new file's first event begins: after its header, and after the list of GTIDs where there are any. */
const FIRST_POSITION = 325;
const LISTED_GTID = 14;
/** What MariaDB writes around a transaction. */
const FRAME_BYTES = 150;

/** A replica may ask for what was written long ago; older transactions than these are purged. */
const KEPT_ENTRIES = 250_000;

/** Why a replica can't go on from where it is, in the words that MariaDB's master sends it. */
export interface Refusal {
  why: string;
}

/** Everything that a server has committed, in order. It outlives the server's process. */
export class BinaryLog {
  #entries: LogEntry[] = [];
  #file = 1;
  #end = FIRST_POSITION;
  #purged: Gtid | undefined;
  readonly #listeners = new Set<(entry: LogEntry) => void>();
  readonly #keptEntries: number;

  constructor(keptEntries = KEPT_ENTRIES) {
    this.#keptEntries = keptEntries;
  }

  /** `@@gtid_binlog_pos` */
  get position(): Gtid | undefined {
    return this.#entries.at(-1)?.gtid ?? this.#purged;
  }

  /** SHOW MASTER STATUS. */
  get coordinates(): Coordinates {
    return { file: `binlog.${String(this.#file).padStart(6, "0")}`, position: this.#end };
  }

  /** A transaction of this server's own: it gets the next number. */
  append(serverId: number, change: Change): Gtid {
    const gtid = { domain: DOMAIN, server: serverId, sequence: (this.position?.sequence ?? 0) + 1 };
    this.#write(gtid, change);
    return gtid;
  }

  /** A replicated transaction keeps its name (log_slave_updates). @returns false where gtid_strict_mode forbids it */
  appendReplicated(gtid: Gtid, change: Change): boolean {
    if (gtid.sequence <= (this.position?.sequence ?? 0)) return false;
    this.#write(gtid, change);
    return true;
  }

  /** A server that starts begins a new file. */
  rotate(): void {
    this.#file += 1;
    this.#end = FIRST_POSITION + (this.position === undefined ? 0 : LISTED_GTID);
  }

  /** What comes after `position`; or why a replica that is there can't go on from here. */
  since(position: Gtid | undefined): readonly LogEntry[] | Refusal {
    if (sameGtid(position, this.#purged)) return this.#entries;
    const index = this.#entries.findIndex(({ gtid }) => sameGtid(gtid, position));
    if (index >= 0) return this.#entries.slice(index + 1);
    const isOld = (position?.sequence ?? 0) < (this.#purged?.sequence ?? 0);
    return {
      why: isOld
        ? "Could not find GTID state requested by slave in any binlog files. Probably the slave state is too old and required binlog files have been purged."
        : `Error: connecting slave requested to start from GTID ${gtidText(position)}, which is not in the master's binlog`,
    };
  }

  /** Calls `listener` with each transaction from now on. @returns what ends that */
  onAppend(listener: (entry: LogEntry) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #write(gtid: Gtid, change: Change): void {
    const start = this.#end;
    this.#end += FRAME_BYTES + Buffer.byteLength(JSON.stringify(change));
    const entry = { gtid, change, start, ...this.coordinates };
    this.#entries.push(entry);
    // Now and then, and not for each transaction: it copies what is kept.
    if (this.#entries.length >= 2 * this.#keptEntries) {
      this.#purged = this.#entries.at(-this.#keptEntries - 1)?.gtid;
      this.#entries = this.#entries.slice(-this.#keptEntries);
    }
    for (const listener of this.#listeners) listener(entry);
  }
}
