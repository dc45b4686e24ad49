import { ConsulError, type ConsulErrorCode, type ConsulStore } from "@primacy/consul-store";
import type { Logger } from "pino";

/** For one cluster. Milliseconds. */
const DEADLINE_MS = 30_000;

/** After these, other clusters are tried all the same. */
const OF_ONE_CLUSTER: ReadonlySet<ConsulErrorCode> = new Set<ConsulErrorCode>([
  "CONSUL_DENIED",
  "CONSUL_REFUSED",
]);

/** Keeps the newest `keep` records of each history in one datacenter. What is left over is for the next time. */
export async function pruneHistories(
  store: Pick<ConsulStore, "pruneHistory">,
  clusters: Iterable<string>,
  keep: number,
  { signal, log }: { readonly signal: AbortSignal; readonly log: Logger },
): Promise<void> {
  for (const cluster of clusters) {
    try {
      const pruned = await store.pruneHistory(cluster, keep, { deadlineMs: DEADLINE_MS, signal });
      if (pruned > 0) log.info({ cluster, pruned, kept: keep }, "history pruned");
    } catch (error) {
      if (!(error instanceof ConsulError)) throw error;
      if (signal.aborted) return;
      log.warn({ cluster, err: error }, "the history could not be pruned");
      if (!OF_ONE_CLUSTER.has(error.code)) return;
    }
  }
}
