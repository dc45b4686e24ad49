import { type LeaseEntry, leaseIsOver } from "../../../packages/watcher/src/lease-entries.js";
import type { Rules } from "../rules.js";
import type { Host } from "./host.js";
import type { ProxySqlModel } from "./proxysql.js";
import { WRITER } from "./servers.js";

const INTERVAL_MS = 1000;

/**
 * The guard, as ProxySQL's scheduler runs it: once a second, in a process of its own each time, which reads the lease
 * file and its host's wall clock and nothing else.
 */
export class Guard {
  /** The scheduler's row, on ProxySQL's disk too. */
  installed = false;
  #entry: LeaseEntry | null = null;
  #looking = false;
  #looks = 0;

  constructor(
    private readonly host: Host,
    private readonly proxysql: ProxySqlModel,
    private readonly rules: Rules,
  ) {}

  get entry(): LeaseEntry | null {
    return this.#entry;
  }

  /** The watcher wrote the lease file. */
  write(entry: LeaseEntry | null): void {
    this.#entry = entry;
    this.lookLater();
  }

  /** Runs that would find the lease good are left out: the next is the first that may not. */
  lookLater(): void {
    if (this.#looking || !this.installed) return;
    this.#looking = true;
    const { engine } = this.host;
    const nowSeconds = Math.floor(this.host.wallNow() / 1000);
    const over = this.#entry === null || leaseIsOver(this.#entry, nowSeconds);
    const leftMs = over ? 0 : (this.#entry?.untilSeconds ?? 0) * 1000 - this.host.wallNow();
    const look = ++this.#looks;
    // Between two runs lies a second; where the next one falls, nobody knows.
    engine.after(Math.max(0, leftMs) + engine.random.between(0, INTERVAL_MS), () => {
      // Who freezes looks again when the machine goes on.
      if (look !== this.#looks || this.host.frozenUntilMs !== null) return;
      this.#looking = false;
      this.#run();
    });
  }

  /** The clock has jumped: when the next run counts is another question now. */
  clockJumped(): void {
    this.#looking = false;
    this.lookLater();
  }

  #over(): readonly number[] {
    const entries = this.#entry === null ? [] : [this.#entry];
    return this.rules.hostgroupsToFence(entries, [WRITER], Math.floor(this.host.wallNow() / 1000));
  }

  #run(): void {
    const { engine } = this.host;
    const { random } = engine;
    const over = this.proxysql.up ? this.#over() : [];
    const hangsMs = Math.max(0, this.proxysql.adminHangsUntilMs - engine.now);
    if (over.length > 0 && this.rules.steps.guard && this.#hasSomethingToFence()) {
      engine.after(hangsMs + random.between(2, 60), () => {
        this.host.whenAwake(() => {
          this.#tell({ kind: "fence", hostgroups: over });
          engine.after(random.between(2, 30), () => {
            this.host.whenAwake(() => {
              this.#tell({ kind: "load" });
            });
          });
        });
      });
    }
    this.lookLater();
  }

  #hasSomethingToFence(): boolean {
    const { memory, runtime } = this.proxysql;
    return [...memory, ...runtime].some((row) => row.status !== "OFFLINE_HARD");
  }

  #tell(statement: Parameters<ProxySqlModel["execute"]>[0]): void {
    if (!this.proxysql.up) return;
    this.host.engine.seen.note(`guard ${statement.kind}`);
    this.host.engine.tell("guard", () => statement.kind);
    this.proxysql.execute(statement);
  }
}
