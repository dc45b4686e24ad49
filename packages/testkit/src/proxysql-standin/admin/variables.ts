import { adminVariables } from "../schema/admin-variables.js";
import { mysqlVariables } from "../schema/mysql-variables.js";

/** Smallest and largest value of the variables that this stand-in acts on (lib/MySQL_Thread.cpp:2178-2259). */
const RANGES: Readonly<Record<string, readonly [number, number]>> = {
  "mysql-auto_increment_delay_multiplex": [0, 1_000_000],
  "mysql-connect_retries_delay": [0, 10_000],
  "mysql-connect_retries_on_failure": [0, 1000],
  "mysql-connect_timeout_server": [10, 120_000],
  "mysql-connect_timeout_server_max": [10, 3_600_000],
  "mysql-monitor_ping_interval": [100, 604_800_000],
  "mysql-monitor_ping_max_failures": [1, 1_000_000],
  "mysql-monitor_ping_timeout": [100, 600_000],
  "mysql-monitor_read_only_interval": [100, 604_800_000],
  "mysql-monitor_read_only_max_timeout_count": [1, 1_000_000],
  "mysql-monitor_read_only_timeout": [100, 600_000],
  "mysql-ping_interval_server_msec": [1000, 604_800_000],
  "mysql-query_retries_on_failure": [0, 1000],
  "mysql-shun_on_failures": [0, 10_000_000],
  "mysql-shun_recovery_time_sec": [0, 31_536_000],
};

/** Can only be set before ProxySQL starts. */
const FIXED_AT_START = new Set(["mysql-threads", "mysql-stacksize", "admin-version"]);

/** The variables in force. */
export class Variables {
  readonly #values = new Map([...Object.entries(adminVariables), ...Object.entries(mysqlVariables)]);
  #started = false;

  /** From now on the variables that are fixed at start can't be set any more. */
  started(): void {
    this.#started = true;
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }

  /** @throws for a name that ProxySQL does not know. */
  text(name: string): string {
    const value = this.#values.get(name);
    if (value === undefined) throw new Error(`no variable ${name}`);
    return value;
  }

  number(name: string): number {
    return Number(this.text(name));
  }

  flag(name: string): boolean {
    return this.text(name) === "true";
  }

  /** Name and value of those whose name begins with `prefix`, by name. */
  list(prefix: string): [string, string][] {
    return [...this.#values].filter(([name]) => name.startsWith(prefix)).sort(([a], [b]) => (a < b ? -1 : 1));
  }

  /** Puts a value in force. @returns false when the name is unknown, fixed by now, or the value impossible. */
  set(name: string, value: string): boolean {
    const before = this.#values.get(name);
    if (before === undefined || (this.#started && FIXED_AT_START.has(name))) return before === value;
    const accepted = accept(name, before, value);
    if (accepted === undefined) return false;
    this.#values.set(name, accepted);
    return true;
  }
}

function accept(name: string, before: string, value: string): string | undefined {
  if (before === "true" || before === "false") return flagValue(value);
  if (!/^\d+$/.test(before) || isText(name)) return value;
  if (!/^\d+$/.test(value)) return undefined;
  const [least, most] = RANGES[name] ?? [0, Number.MAX_SAFE_INTEGER];
  return Number(value) >= least && Number(value) <= most ? value : undefined;
}

function flagValue(value: string): string | undefined {
  if (value === "1" || value.toLowerCase() === "true") return "true";
  return value === "0" || value.toLowerCase() === "false" ? "false" : undefined;
}

/** A password or version that happens to be a number is still a text. */
function isText(name: string): boolean {
  return /password|credentials|version|username|schema/.test(name);
}
