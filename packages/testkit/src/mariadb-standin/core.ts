import type { Replica } from "./replication/replica.js";
import type { Session } from "./session.js";
import type { BinaryLog } from "./storage/binary-log.js";
import type { Catalog } from "./storage/catalog.js";
import type { Change } from "./storage/change.js";

/** Who a server is. */
export interface ServerIdentity {
  readonly serverId: number;
  readonly host: string;
  readonly port: number;
}

/** A server: what lies on its disk, and what it knows while it runs. */
export interface Core {
  readonly identity: ServerIdentity;
  readonly catalog: Catalog;
  readonly log: BinaryLog;
  readonly replica: Replica;
  readonly sessions: ReadonlyMap<number, Session>;
  /** The variable of that name. */
  readOnly: boolean;
  /** When the process began, in milliseconds since 1970. */
  readonly startedAtMs: number;
  /** Stores a transaction of this server's own and writes it to the binary log. */
  store(change: Change): void;
}
