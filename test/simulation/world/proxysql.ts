import type { Mark } from "../../../packages/watcher/src/admission.js";
import type { Layers, Step } from "../../../packages/watcher/src/plan.js";
import type { ConnectionsInUse } from "../../../packages/watcher/src/restraint.js";
import { type ServerRow, mayBeWritten } from "../../../packages/watcher/src/rows.js";
import type { Host } from "./host.js";
import { SERVERS, WRITER, bitOf, namesOf } from "./servers.js";

/** What a ProxySQL may be told by a watcher, by the guard or by anybody else. */
export type Statement =
  | Exclude<Step, { kind: "verify" | "stamp" }>
  | { readonly kind: "stamp"; readonly mark: Mark }
  | { readonly kind: "fence"; readonly hostgroups: readonly number[] }
  | { readonly kind: "load-from-disk" };

/**
 * A ProxySQL: three layers of `mysql_servers`, and sessions that hold connections. Memory and runtime are lost with the
 * process, the disk is not.
 */
export class ProxySqlModel {
  up = true;
  memory: readonly ServerRow[] = [];
  runtime: readonly ServerRow[] = [];
  disk: readonly ServerRow[] = [];
  stamp: Mark | null = null;
  /** Grows with every LOAD and every start: whoever loads last is seen by the probe. */
  version = 1;
  starts = 1;
  /** Servers on which some session can write now, as bits. */
  routes = 0;
  /** Servers that anybody's LOAD would let take new connections, as bits. */
  inMemory = 0;
  /** Until when the admin port answers nobody. True milliseconds. */
  adminHangsUntilMs = 0;
  /** One LOAD that is answered with OK and does nothing. */
  ignoresNextLoad = false;
  onChange: () => void = () => undefined;
  onRevival: (server: string) => void = () => undefined;
  #foreignAtMs = Number.NEGATIVE_INFINITY;
  readonly #used = new Map<string, number>();

  constructor(
    readonly name: string,
    readonly host: Host,
  ) {}

  get layers(): Layers {
    return { memory: this.memory, runtime: this.runtime, disk: this.disk };
  }

  /** Connections in use on servers of the writer hostgroup. */
  get inUse(): readonly ConnectionsInUse[] {
    return this.runtime
      .filter((row) => this.used(row.host) > 0)
      .map(({ host, port, status }) => ({ host, port, status, used: this.used(host) }));
  }

  used(host: string): number {
    return this.#used.get(host) ?? 0;
  }

  /** `byUs`: not by somebody who knows nothing of Primacy. */
  execute(statement: Statement, byUs = true): void {
    switch (statement.kind) {
      case "insert":
        if (!this.memory.some((row) => row.host === statement.row.host))
          this.memory = [...this.memory, statement.row];
        break;
      case "update":
        this.#update(statement);
        break;
      case "fence":
        if (statement.hostgroups.includes(WRITER)) this.memory = allOut(this.memory);
        break;
      case "load":
        this.#load(byUs);
        break;
      case "load-from-disk":
        this.memory = this.disk;
        this.#load(byUs);
        break;
      case "save":
        this.disk = this.memory;
        break;
      case "fence-disk":
        this.disk = allOut(this.disk);
        break;
      case "save-fenced":
        this.disk = allOut(this.memory);
        break;
      case "stamp":
        this.stamp = statement.mark;
        break;
      case "kill":
        this.host.engine.seen.note("sessions killed");
        for (const { host } of statement.servers) this.#used.set(host, 0);
        this.#look();
        break;
      // There are no such sessions here: one is gone as soon as its server is.
      case "kill-fast-forward":
        break;
    }
    this.#lookAtMemory();
    this.host.engine.tell(this.name, () => `${statement.kind}: ${this.#describe()}`);
    this.onChange();
  }

  crash(): void {
    this.host.engine.seen.note("proxysql crashes");
    this.host.engine.tell(this.name, () => "crashes");
    this.up = false;
    this.memory = [];
    this.runtime = [];
    this.#used.clear();
    this.#look();
    this.#lookAtMemory();
    this.onChange();
  }

  /** Takes traffic on what its disk says before anybody can tell it otherwise. */
  start(): void {
    this.up = true;
    this.starts += 1;
    this.version += 1;
    this.memory = this.disk;
    this.runtime = this.memory.filter(mayBeWritten);
    this.#look();
    this.#lookAtMemory();
    this.host.engine.tell(this.name, () => `starts: ${this.#describe()}`);
    this.onChange();
  }

  #update(statement: Extract<Statement, { kind: "update" }>): void {
    const late =
      statement.openUntilSeconds !== null &&
      Math.floor(this.host.wallNow() / 1000) >= statement.openUntilSeconds;
    if (late && statement.rows.some(mayBeWritten)) this.host.engine.seen.note("statement after its deadline");
    this.memory = this.memory.map((row): ServerRow => {
      const named = statement.rows.find((one) => one.host === row.host);
      const status = named?.status ?? "OFFLINE_HARD";
      return { ...row, status: late && mayBeWritten({ status }) ? "OFFLINE_HARD" : status };
    });
  }

  #load(byUs: boolean): void {
    if (this.ignoresNextLoad) {
      this.ignoresNextLoad = false;
      this.host.engine.seen.note("LOAD ignored");
      this.host.engine.tell(this.name, () => "says OK to a LOAD and does nothing");
      return;
    }
    this.version += 1;
    if (!byUs) {
      this.#foreignAtMs = this.host.engine.now;
      this.host.engine.seen.note("foreign LOAD");
    }
    const before = this.runtime;
    // Whoever reads, and then loads, cannot see what somebody else loads in between.
    const watched = byUs && this.host.engine.now - this.#foreignAtMs > 500;
    for (const row of this.memory) {
      const was = before.find((one) => one.host === row.host);
      if (watched && mayBeWritten(row) && was?.status === "OFFLINE_HARD" && this.used(row.host) > 0) {
        this.onRevival(row.host);
      }
    }
    const kept = before.filter((row) => !this.memory.some((one) => one.host === row.host));
    this.runtime = [
      ...this.memory,
      ...kept.map((row): ServerRow => ({ ...row, status: "OFFLINE_HARD" })),
    ].filter((row) => mayBeWritten(row) || this.used(row.host) > 0);
    for (const row of this.runtime)
      this.#newSessions(row, before.find((one) => one.host === row.host)?.status);
    this.#look();
  }

  /** Clients come and bind connections, and let go of them, in their own time or never. */
  #newSessions(row: ServerRow, was: ServerRow["status"] | undefined): void {
    const { engine } = this.host;
    const { random } = engine;
    if (row.status === "ONLINE" && was !== "ONLINE") {
      engine.after(random.between(0, 500), () => {
        const now = this.runtime.find((one) => one.host === row.host);
        if (this.up && now?.status === "ONLINE") this.#used.set(row.host, random.int(3));
      });
    }
    if (row.status === "ONLINE" || row.status === was || random.chance(0.2)) return;
    const { starts } = this;
    // Most are short; a few last.
    engine.after(random.between(0, 6000) * random.next(), () => {
      const now = this.runtime.find((one) => one.host === row.host);
      if (starts !== this.starts || !this.up || now === undefined || now.status === "ONLINE") return;
      this.#used.set(row.host, 0);
      this.runtime = this.runtime.filter((one) => one !== now || mayBeWritten(now));
      this.#look();
      this.onChange();
    });
  }

  #look(): void {
    let routes = 0;
    for (const row of this.runtime) {
      if (row.status === "ONLINE" || (row.status === "OFFLINE_SOFT" && this.used(row.host) > 0)) {
        routes |= bitOf(row);
      }
    }
    this.routes = routes;
  }

  #lookAtMemory(): void {
    this.inMemory = 0;
    for (const row of this.memory) if (row.status === "ONLINE") this.inMemory |= bitOf(row);
  }

  #describe(): string {
    const online = (rows: readonly ServerRow[]): string =>
      rows
        .filter(mayBeWritten)
        .map((row) => `${row.host}${row.status === "ONLINE" ? "" : `(${row.status})`}`)
        .join("+") || "nobody";
    const { memory, runtime, disk } = this;
    return `routes to ${namesOf(this.routes)} [memory ${online(memory)}, runtime ${online(runtime)}, disk ${online(disk)}]`;
  }
}

function allOut(rows: readonly ServerRow[]): readonly ServerRow[] {
  return rows.map((row) => (mayBeWritten(row) ? { ...row, status: "OFFLINE_HARD" } : row));
}

/** How a ProxySQL is when Primacy comes: the master takes writes, the others have standing rows. */
export function rowsWith(writer: string): readonly ServerRow[] {
  return SERVERS.map(({ host, port }) => ({
    hostgroup: WRITER,
    host,
    port,
    gtidPort: 0,
    status: host === writer ? "ONLINE" : "OFFLINE_HARD",
    weight: 1,
    compression: 0,
    maxConnections: 1000,
    maxReplicationLag: 0,
    useSsl: 0,
    maxLatencyMs: 0,
    comment: "",
  }));
}
