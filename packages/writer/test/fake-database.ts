import { type Server, formatServer } from "@primacy/contract";
import type { DatabaseContext } from "../src/database/server.js";
import { type Connect, DatabaseError, type Row } from "../src/database/session.js";
import type { FakeWorld } from "./fakes.js";

export interface FakeSession {
  readonly id: number;
  readonly user: string;
  command?: string;
}

/** A server as far as the writer looks at one. What it is asked is in `said`. */
export class FakeDatabase {
  readonly said: string[] = [];
  version = "9.7.4";
  readOnly = false;
  sessions: FakeSession[] = [];
  /** Error numbers of KILL, by session. */
  readonly unkillable = new Map<number, number>();
  /** No more than so many sessions of our own. */
  room = 10;
  /** Statements that are never answered, or that a test looks at first. */
  before: (sql: string) => void = () => undefined;
  position = "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5";
  /** MariaDB's gtid_current_pos. */
  ownPosition = "";
  /** What a wait on it answers. */
  waited: number | null = 0;
  source: Server | null = null;
  open = 0;
  #ids = 100;

  constructor(readonly server: Server) {}

  get superReadOnly(): boolean {
    return !this.version.includes("MariaDB");
  }

  connectHere(): Awaited<ReturnType<Connect>> {
    if (this.open >= this.room) {
      this.room += 1;
      throw new DatabaseError("refused", "Too many connections", 1040);
    }
    this.open += 1;
    const id = ++this.#ids;
    this.sessions.push({ id, user: "primacy", command: "Query" });
    return {
      id,
      close: () => {
        this.open -= 1;
        this.sessions = this.sessions.filter((one) => one.id !== id);
      },
      query: (sql) => {
        this.said.push(sql);
        this.before(sql);
        return Promise.resolve(this.#answer(sql));
      },
    };
  }

  #answer(sql: string): readonly Row[] {
    if (sql.startsWith("SHOW GLOBAL VARIABLES")) return this.#variables();
    if (sql === "SHOW PROCESSLIST") {
      return this.sessions.map(({ id, user, command = "Sleep" }) => ({
        Id: id,
        User: user,
        Command: command,
      }));
    }
    if (sql.startsWith("KILL CONNECTION ")) return this.#kill(Number(sql.slice(16)));
    if (/^SET GLOBAL (?:super_)?read_only=/.test(sql)) this.readOnly = sql.includes("=1");
    if (sql.includes("gtid_current_pos")) return [{ position: this.ownPosition }];
    if (sql.includes("AS position")) return [{ position: this.position }];
    if (sql.includes("AS outcome")) return [{ outcome: this.waited }];
    if (/^SHOW (?:REPLICA|SLAVE) STATUS/.test(sql)) return this.#replica();
    if (/^RESET (?:REPLICA|SLAVE) ALL/.test(sql)) this.source = null;
    return [];
  }

  #variables(): readonly Row[] {
    const value = this.readOnly ? "ON" : "OFF";
    const all: Record<string, string> = { version: this.version, read_only: value };
    if (this.superReadOnly) Object.assign(all, { super_read_only: value, gtid_mode: "ON" });
    return Object.entries(all).map(([name, text]) => ({ Variable_name: name, Value: text }));
  }

  #kill(id: number): readonly Row[] {
    const errno = this.unkillable.get(id);
    if (errno !== undefined) throw new DatabaseError("refused", `error ${String(errno)}`, errno);
    if (!this.sessions.some((one) => one.id === id)) {
      throw new DatabaseError("refused", `Unknown thread id: ${String(id)}`, 1094);
    }
    this.sessions = this.sessions.filter((one) => one.id !== id);
    return [];
  }

  #replica(): readonly Row[] {
    if (this.source === null) return [];
    const log = { Source_Log_File: "b.1", Read_Source_Log_Pos: 9, Replica_SQL_Running: "Yes" };
    const done = { Relay_Source_Log_File: "b.1", Exec_Source_Log_Pos: 9 };
    return [{ Source_Host: this.source.host, Source_Port: this.source.port, ...log, ...done }];
  }
}

/** Servers that answer at once, and time that passes only by waiting. */
export function databases(world: FakeWorld, ...servers: readonly FakeDatabase[]): DatabaseContext {
  const byName = new Map(servers.map((one) => [formatServer(one.server), one]));
  return {
    world,
    account: { user: "primacy", password: "hidden-word", tls: "off", ca: undefined },
    connect: (server) => {
      const found = byName.get(formatServer(server));
      const unreachable = new DatabaseError(
        "unreachable",
        `${formatServer(server)}: ECONNREFUSED`,
        undefined,
      );
      return found === undefined ? Promise.reject(unreachable) : tryTo(() => found.connectHere());
    },
  };
}

function tryTo<T>(make: () => T): Promise<T> {
  return new Promise((resolve) => {
    resolve(make());
  });
}
