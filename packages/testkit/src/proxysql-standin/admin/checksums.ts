import { checksumOf, type ModuleChecksum } from "../hostgroups/checksum.js";

/** The modules in runtime_checksums_values, in the order of that table. */
export const CHECKSUM_NAMES = [
  "admin_variables",
  "mysql_query_rules",
  "mysql_servers",
  "mysql_users",
  "mysql_variables",
  "proxysql_servers",
  "mysql_servers_v2",
] as const;

export type ChecksumName = (typeof CHECKSUM_NAMES)[number];

/** runtime_checksums_values: how other ProxySQLs of a cluster, and anybody else, see that something was loaded. */
export class Checksums {
  readonly #now: () => number;
  readonly #values = new Map<ChecksumName, ModuleChecksum>();

  /** `now`: Unix second. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** After a LOAD: the version grows and the epoch is now, whether or not the rows are others. */
  loaded(name: ChecksumName, rows: readonly (readonly unknown[])[]): void {
    const version = (this.#values.get(name)?.version ?? 0) + 1;
    this.#values.set(name, { version, epoch: this.#now(), checksum: checksumOf(rows) });
  }

  /** After a change by the monitor: checksum and epoch, but not the version. */
  changed(name: ChecksumName, rows: readonly (readonly unknown[])[]): void {
    const version = this.#values.get(name)?.version ?? 1;
    this.#values.set(name, { version, epoch: this.#now(), checksum: checksumOf(rows) });
  }

  rows(): [string, number, number, string][] {
    return CHECKSUM_NAMES.flatMap((name) => {
      const value = this.#values.get(name);
      return value ? [[name, value.version, value.epoch, value.checksum] as const] : [];
    }).map((row) => [...row]);
  }
}
