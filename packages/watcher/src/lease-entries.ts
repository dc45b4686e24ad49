/**
 * Until when a ProxySQL may take writes of one cluster without its watcher: what the guard reads, which may be a shell,
 * and what the watcher's next process goes on from.
 */
export interface LeaseEntry {
  readonly cluster: string;
  readonly writerHostgroup: number;
  readonly leaseSeconds: number;
  /** Unix seconds: the wall clock is the one that two processes and a shell share. */
  readonly untilSeconds: number;
}

const HEADER = "# primacy lease 1: cluster, writer hostgroup, lease in seconds, until (unix time)";

export function leaseEntriesText(entries: readonly LeaseEntry[]): string {
  const lines = entries.map((one) =>
    [one.cluster, one.writerHostgroup, one.leaseSeconds, one.untilSeconds].map(String).join(" "),
  );
  return `${[HEADER, ...lines].join("\n")}\n`;
}

/** Lines that make no sense are left out: no lease can be read from them. */
export function readLeaseEntries(text: string): readonly LeaseEntry[] {
  return text.split("\n").flatMap((line): LeaseEntry[] => {
    const match = /^([a-z0-9_-]{1,64}) (\d{1,10}) (\d{1,3}) (\d{1,12})$/.exec(line);
    if (match === null) return [];
    const [, cluster = "", hostgroup, seconds, until] = match;
    return [
      {
        cluster,
        writerHostgroup: Number(hostgroup),
        leaseSeconds: Number(seconds),
        untilSeconds: Number(until),
      },
    ];
  });
}

/**
 * Is a lease over by this clock? Pure. One that ends later than any lease could end is over as well: the clock has gone
 * back since it was written, and nothing tells by how much.
 */
export function leaseIsOver(entry: LeaseEntry, nowSeconds: number): boolean {
  return nowSeconds >= entry.untilSeconds || entry.untilSeconds > nowSeconds + entry.leaseSeconds + 1;
}

/**
 * The hostgroups to be fenced: those of the entries that are over, and those that were to have an entry and have none
 * (a file that is gone or garbled is no lease). Pure.
 */
export function hostgroupsToFence(
  entries: readonly LeaseEntry[],
  underLease: readonly number[],
  nowSeconds: number,
): readonly number[] {
  const over = entries.filter((one) => leaseIsOver(one, nowSeconds)).map((one) => one.writerHostgroup);
  const without = underLease.filter((one) => !entries.some((entry) => entry.writerHostgroup === one));
  return [...new Set([...over, ...without])].sort((a, b) => a - b);
}
