import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { monitorTables } from "../schema/monitor.js";
import { statsTables } from "../schema/stats.js";
import { diskTables, mainTables, tableName } from "../schema/tables.js";
import { type SqlAnswer, Sqlite, type StoredValue } from "./sqlite.js";

const DATABASE_FILE = "proxysql.db";
const HISTORY_FILE = "proxysql_stats.db";

/** In one INSERT. */
const ROWS_AT_ONCE = 250;

/**
 * The SQLite databases behind the admin port: `main` (memory and runtime tables), `disk`, `stats`, `monitor` and
 * `stats_history`. All administrators share one handle; users who may only see statistics share another one, whose
 * `main` is `stats`.
 */
export class Layers {
  /** True when there was a proxysql.db: then the configuration that ProxySQL is started with is not looked at. */
  readonly hadDisk: boolean;
  readonly #admin: Sqlite;
  readonly #stats: Sqlite;
  readonly #monitor: Sqlite;
  readonly #disk: Sqlite;
  readonly #history: Sqlite;
  readonly #folder: string | undefined;
  #savedVersion: string;

  private constructor(handles: Handles, folder: string | undefined, hadDisk: boolean) {
    this.#admin = handles.admin;
    this.#stats = handles.stats;
    this.#monitor = handles.monitor;
    this.#disk = handles.disk;
    this.#history = handles.history;
    this.#folder = folder;
    this.hadDisk = hadDisk;
    this.#admin.attach(this.#disk, "disk");
    this.#admin.attach(this.#stats, "stats");
    this.#admin.attach(this.#monitor, "monitor");
    this.#admin.attach(this.#history, "stats_history");
    this.#stats.attach(this.#monitor, "monitor");
    this.#stats.attach(this.#history, "stats_history");
    createMissing(this.#admin, mainTables);
    createMissing(this.#disk, diskTables);
    createMissing(this.#stats, statsTables);
    createMissing(this.#monitor, monitorTables);
    this.#stats.execute("INSERT INTO global_variables VALUES ('mysql-max_allowed_packet', '4194304')");
    this.#savedVersion = this.#disk.dataVersion;
    this.persist(true);
  }

  /** `folder` keeps proxysql.db; without one nothing outlives the process. */
  static async open(folder: string | undefined): Promise<Layers> {
    const file = folder === undefined ? undefined : join(folder, DATABASE_FILE);
    const kept = file !== undefined && existsSync(file) ? readFileSync(file) : undefined;
    const handles = {
      admin: await Sqlite.open(),
      stats: await Sqlite.open(),
      monitor: await Sqlite.open(),
      disk: await Sqlite.open(kept),
      history: await Sqlite.open(),
    };
    return new Layers(handles, folder, kept !== undefined);
  }

  /** Runs a statement of an administrator or of the stand-in itself. @throws Error with SQLite's text. */
  run(sql: string, values: readonly StoredValue[] = []): SqlAnswer {
    return this.#admin.execute(sql, values);
  }

  /** Rows as records. @throws Error with SQLite's text. */
  select(sql: string, values: readonly StoredValue[] = []): Record<string, string | null>[] {
    return this.#admin.select(sql, values);
  }

  /** Runs an administrator's statement while admin-read_only holds. @throws Error with SQLite's text. */
  runReadOnly(sql: string): SqlAnswer {
    return guarded(this.#admin, sql);
  }

  /** Runs a statement of a user who sees the statistics only. @throws Error with SQLite's text. */
  runForStats(sql: string): SqlAnswer {
    return guarded(this.#stats, sql);
  }

  /** Replaces the contents of a table. */
  fill(table: string, rows: readonly (readonly StoredValue[])[]): void {
    this.#admin.execute(`DELETE FROM ${table}`);
    for (let from = 0; from < rows.length; from += ROWS_AT_ONCE) {
      const some = rows.slice(from, from + ROWS_AT_ONCE);
      const marks = some.map((row) => `(${row.map(() => "?").join(",")})`).join(",");
      this.#admin.execute(`INSERT INTO ${table} VALUES ${marks}`, some.flat());
    }
  }

  /** PRAGMA DATABASE_LIST with the files' real names. */
  databases(isAdmin: boolean): SqlAnswer {
    const answer = (isAdmin ? this.#admin : this.#stats).execute("PRAGMA DATABASE_LIST");
    if (answer.kind === "changed") return answer;
    const files: Record<string, string> = { disk: DATABASE_FILE, stats_history: HISTORY_FILE };
    const rows = answer.rows.map(([seq = null, name = null]) => {
      const file = files[name ?? ""];
      return [seq, name, file === undefined ? "" : join(this.#folder ?? "", file)];
    });
    return { ...answer, rows };
  }

  /** Writes `disk` to its file if it has changed. Done before a statement is answered, so a kill -9 loses nothing. */
  persist(always = false): void {
    const version = this.#disk.dataVersion;
    if (this.#folder === undefined || (version === this.#savedVersion && !always)) return;
    const file = join(this.#folder, DATABASE_FILE);
    writeFileSync(`${file}.new`, this.#disk.bytes());
    renameSync(`${file}.new`, file);
    this.#savedVersion = this.#disk.dataVersion;
  }

  close(): void {
    for (const handle of [this.#admin, this.#stats, this.#monitor, this.#disk, this.#history]) handle.close();
  }
}

interface Handles {
  admin: Sqlite;
  stats: Sqlite;
  monitor: Sqlite;
  disk: Sqlite;
  history: Sqlite;
}

function createMissing(handle: Sqlite, tables: readonly string[]): void {
  const there = new Set(handle.select("SELECT name FROM sqlite_master").map((row) => row["name"]));
  for (const text of tables) if (!there.has(tableName(text))) handle.execute(text);
}

function guarded(handle: Sqlite, sql: string): SqlAnswer {
  handle.execute("PRAGMA query_only = ON");
  try {
    return handle.execute(sql);
  } finally {
    handle.execute("PRAGMA query_only = OFF");
  }
}
